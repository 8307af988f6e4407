/** The report of a photo in words. */

import { DEFECTS, type Defect, type Diagnosis, type Report } from "./contracts.ts";
import type { Words } from "./words.ts";

/** The defects that count, worst first. */
export function foundIn({ severities, thresholds }: Diagnosis): Defect[] {
  return DEFECTS.filter((defect) => severities[defect] >= thresholds[defect]).sort(
    (a, b) => severities[b] - severities[a],
  );
}

/** 1 slight, 2 clear, 3 strong: where a severity lies between its threshold and the worst. */
export function degree({ severities, thresholds }: Diagnosis, defect: Defect): 1 | 2 | 3 {
  const threshold = thresholds[defect];
  const over = (severities[defect] - threshold) / Math.max(1 - threshold, 1e-6);
  return over < 1 / 3 ? 1 : over < 2 / 3 ? 2 : 3;
}

/** "Brightened, white balance corrected; 182 ms". */
export function told(report: Report, words: Words): string {
  const fixes = report.steps.flatMap((step) => step.defects).map((defect) => words.fixes[defect]);
  if (report.colorized) fixes.push(words.coloured);
  const text = `${fixes.join(", ")}; ${words.milliseconds(report.total_ms)}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What was found and not mended, with the reason: one line for each step. */
export function toldSkipped(report: Report, words: Words): string[] {
  const undone = report.undone.map((step) => ({ ...step, reason: "no_better" }));
  return [...report.skipped, ...undone]
    .filter((step) => step.reason !== "not_asked")
    .map((step) => {
      const defects = step.defects.map((defect) => words.defects[defect].toLowerCase()).join(", ");
      return words.leftOut(defects, words.reasons[step.reason] ?? step.reason);
    });
}

export function toldFailure(code: string, words: Words): string {
  return words.errors[code] ?? words.errors.internal ?? code;
}
