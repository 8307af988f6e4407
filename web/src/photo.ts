/** One photo: what is known of it and what was made of it. */

import { NEUTRAL, type Adjustments, type Size } from "./adjust.ts";
import type { Defect, Diagnosis, Report } from "./contracts.ts";
import { newName } from "./remembered.ts";

export const PALETTES = ["lite", "artistic", "stable"] as const; // the colorization's models
const QUICK = PALETTES[0];

export type Mode = "enhance" | "colorize";
export type Phase = "waiting" | "queued" | "looking" | "working" | "ready" | "failed";

/** What the service made of a photo: `photo` is null where nothing needed mending. */
export interface Result {
  photo: Blob | null;
  report: Report;
  strength: number;
}

export interface Photo {
  id: string;
  name: string;
  file: Blob;
  addedAt: number; // milliseconds since 1970
  size: Size | null; // null until it has been decoded
  thumbnail: string | null; // an address to show
  looksGrey: boolean;
  mode: Mode;
  phase: Phase;
  diagnosis: Diagnosis | null;
  found: Defect[];
  results: Partial<Record<Mode, Result>>;
  strength: number;
  palette: string; // the colorization's model
  adjustments: Adjustments;
  failure: string | null; // its code
  job: string | null; // the service's id of it, while it waits there
}

/** What outlives the page: the rest is read off the pixels anew. */
export type Kept = Omit<Photo, "size" | "thumbnail" | "looksGrey">;

/** Whether it takes so long that nobody should hold a connection open for it. */
export function isSlow({ mode, palette }: Photo): boolean {
  return mode === "colorize" && palette !== QUICK;
}

export function resultOf(photo: Photo): Result | undefined {
  return photo.results[photo.mode];
}

export function isBusy({ phase }: Pick<Photo, "phase">): boolean {
  return phase !== "ready" && phase !== "failed";
}

/** A photo as the page shows it, before its thumbnail is made. */
export function asPhoto(kept: Kept): Photo {
  const phase = isBusy(kept) ? "waiting" : kept.phase;
  return { ...kept, phase, size: null, thumbnail: null, looksGrey: false };
}

export function newPhoto(file: File, place: number): Kept {
  return {
    id: newName(),
    name: file.name,
    file,
    addedAt: Date.now() + place / 1000, // each of those that come together has its own
    mode: "enhance",
    phase: "waiting",
    diagnosis: null,
    found: [],
    results: {},
    strength: 1,
    palette: QUICK,
    adjustments: NEUTRAL,
    failure: null,
    job: null,
  };
}
