/** The service's wire shapes, as `darkroom/contracts` has them; only what the page reads. */

export const DEFECTS = [
  "low_light",
  "glaring",
  "low_contrast",
  "poor_white_balance",
  "hazy",
  "noisy",
  "blur",
  "jpeg_artifacts",
  "rotation",
] as const;

export type Defect = (typeof DEFECTS)[number];
export type Enhancer = "restore" | "straighten" | "tone";

export interface Diagnosis {
  severities: Record<Defect, number>; // 0 absent … 1 worst
  thresholds: Record<Defect, number>; // from which one counts
}

export interface Step {
  enhancer: Enhancer;
  defects: Defect[];
}

export interface SkippedStep extends Step {
  reason: string;
}

export interface ModelReply {
  model: string;
  version: string;
  device: string;
  notes: Record<string, string | number>;
}

export interface StepReport extends Step {
  ms: number;
  by: ModelReply;
}

export interface Report {
  diagnosis: Diagnosis | null;
  diagnosed_by: ModelReply | null;
  diagnose_ms: number | null;
  steps: StepReport[];
  skipped: SkippedStep[];
  undone: StepReport[]; // tried, judged no better than before, and taken back
  colorized: { ms: number; by: ModelReply } | null;
  total_ms: number;
}

export interface DiagnoseAnswer {
  diagnosis: Diagnosis;
  found: Defect[];
}

export interface Problem {
  code: string;
  detail: string;
}

export const REPORT_HEADER = "X-Darkroom-Report";
