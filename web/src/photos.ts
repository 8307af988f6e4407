/** The photos of this visit and all that happens to them. React reads, the methods write. */

import { isNeutral, NEUTRAL, type Adjustments, type Size, type Slider } from "./adjust.ts";
import * as api from "./api.ts";
import { Failure } from "./api.ts";
import { doLater } from "./jobs.ts";
import type { Defect, Diagnosis, Report } from "./contracts.ts";
import { foundIn } from "./telling.ts";
import { thumbnailOf } from "./thumbnail.ts";

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
  file: File;
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
}

export interface Album {
  photos: Photo[];
  selected: string | null;
}

const AT_ONCE = 2; // requests: more would wait in the service instead of here
const PATIENT = { budget_ms: 10_000 }; // where a person has asked for more time
const MANY = 12; // waiting photos: from then on they wait in the service, behind everybody else's
const QUEUELESS = new Set(["not_found", "jobs_unavailable", "over_capacity"]);
const REST_MS = 350; // after the last move of the strength slider

export const PALETTES = ["lite", "artistic", "stable"] as const; // the colorization's models
const QUICK = PALETTES[0];

class Photos {
  private album: Album = { photos: [], selected: null };
  private readonly listeners = new Set<() => void>();
  private readonly running = new Map<string, AbortController>();
  private readonly waiting: { id: string; patient: boolean }[] = [];
  private readonly finals = new WeakMap<Adjustments, { of: Blob; made: Promise<Blob> }>();
  private active = 0;
  private hasQueue = true; // until the service says otherwise
  private readonly resting = new Map<string, ReturnType<typeof setTimeout>>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): Album => this.album;

  add(files: Iterable<File>): void {
    const added = Array.from(files, newPhoto);
    const selected = this.album.selected ?? added[0]?.id ?? null;
    this.publish({ photos: [...this.album.photos, ...added], selected });
    for (const photo of added) {
      void thumbnailOf(photo.file).then((shown) => shown && this.change(photo.id, shown));
      this.run(photo.id);
    }
  }

  select(id: string): void {
    this.publish({ ...this.album, selected: id });
  }

  remove(id: string): void {
    this.stop(id);
    const photo = this.find(id);
    if (photo?.thumbnail) URL.revokeObjectURL(photo.thumbnail);
    const at = this.album.photos.findIndex((other) => other.id === id);
    const photos = this.album.photos.filter((other) => other.id !== id);
    const next = photos[Math.min(at, photos.length - 1)]?.id ?? null;
    this.publish({ photos, selected: this.album.selected === id ? next : this.album.selected });
  }

  clear(): void {
    for (const { id } of this.album.photos) this.remove(id);
  }

  setMode(id: string, mode: Mode): void {
    const result = this.find(id)?.results[mode];
    this.change(id, { mode, failure: null, strength: result?.strength ?? 1 });
    if (result) this.change(id, { phase: "ready" });
    else this.run(id);
  }

  setPalette(id: string, palette: string): void {
    this.change(id, { palette });
    this.run(id);
  }

  /** While the slider moves the page mixes by itself; when it rests, the service is asked. */
  setStrength(id: string, strength: number): void {
    this.change(id, { strength });
    clearTimeout(this.resting.get(id));
    this.resting.set(id, setTimeout(() => this.find(id) && this.run(id), REST_MS));
  }

  turn(id: string, slider: Slider, value: number): void {
    const photo = this.find(id);
    if (photo) this.change(id, { adjustments: { ...photo.adjustments, [slider]: value } });
  }

  resetByHand(id: string): void {
    this.change(id, { adjustments: NEUTRAL });
  }

  /** Ask the service anew, with the photo's mode and strength. */
  run(id: string, patient = false): void {
    this.stop(id);
    this.waiting.push({ id, patient });
    this.change(id, { phase: "waiting", failure: null });
    this.pump();
  }

  /** The bytes to save: what the service made of the photo, with the manual sliders applied. */
  async final(photo: Photo): Promise<Blob> {
    const base = resultOf(photo)?.photo ?? photo.file;
    if (isNeutral(photo.adjustments)) return base;
    const known = this.finals.get(photo.adjustments);
    if (known?.of === base) return known.made;
    const made = api.adjust(base, photo.adjustments);
    this.finals.set(photo.adjustments, { of: base, made });
    made.catch(() => this.finals.delete(photo.adjustments));
    return made;
  }

  private find(id: string): Photo | undefined {
    return this.album.photos.find((photo) => photo.id === id);
  }

  private change(id: string, changed: Partial<Photo>): void {
    const photos = this.album.photos.map((p) => (p.id === id ? { ...p, ...changed } : p));
    this.publish({ ...this.album, photos });
  }

  private publish(album: Album): void {
    this.album = album;
    for (const listener of this.listeners) listener();
  }

  private stop(id: string): void {
    this.running.get(id)?.abort();
    const at = this.waiting.findIndex((entry) => entry.id === id);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  private pump(): void {
    while (this.active < AT_ONCE) {
      const next = this.waiting.shift();
      if (!next) return;
      const photo = this.find(next.id);
      if (!photo) continue;
      if (isSlow(photo) || (this.hasQueue && this.waiting.length >= MANY)) {
        void this.work(photo.id, (signal) => this.leadLater(photo, signal));
        continue;
      }
      this.active++;
      void this.work(photo.id, (signal) => this.lead(photo, next.patient, signal)).finally(() => {
        this.active--;
        this.pump();
      });
    }
  }

  private async work(id: string, road: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    this.running.set(id, controller);
    try {
      await road(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return;
      const failure = error instanceof Failure ? error.code : "internal";
      this.change(id, { phase: "failed", failure });
    } finally {
      if (this.running.get(id) === controller) this.running.delete(id);
    }
  }

  /** The road of one photo: what is wrong with it, then the work itself. */
  private async lead(photo: Photo, patient: boolean, signal: AbortSignal): Promise<void> {
    const { id, mode, strength, file, palette } = photo;
    const time = patient ? PATIENT : {};
    if (mode === "enhance" && !photo.diagnosis) {
      this.change(id, { phase: "looking" });
      const { diagnosis } = await api.diagnose(file, time, signal);
      this.change(id, { diagnosis, found: foundIn(diagnosis) });
    }
    this.change(id, { phase: "working" });
    const made =
      mode === "enhance"
        ? await api.enhance(file, { strength, ...time }, signal)
        : await api.colorize(file, { strength, model: palette, ...PATIENT }, signal);
    this.finish(photo, made, signal);
  }

  /** The same by the service's queue. */
  private async leadLater(photo: Photo, signal: AbortSignal): Promise<void> {
    const { id, mode, strength, file, palette } = photo;
    this.change(id, { phase: "queued" });
    const options = mode === "enhance" ? { strength } : { strength, model: palette };
    const working = () => this.change(id, { phase: "working" });
    try {
      this.finish(photo, await doLater(file, mode, options, signal, working), signal);
    } catch (error) {
      if (isSlow(photo) || !(error instanceof Failure && QUEUELESS.has(error.code))) throw error;
      this.hasQueue = false;
      this.run(id); // directly then, two at a time
    }
  }

  private finish(asked: Photo, made: api.Mended, signal: AbortSignal): void {
    signal.throwIfAborted();
    const now = this.find(asked.id);
    if (!now) return;
    const result = { photo: made.photo, report: made.report, strength: asked.strength };
    const results = { ...now.results, [asked.mode]: result };
    const diagnosis = made.report.diagnosis ?? now.diagnosis;
    const found = diagnosis ? foundIn(diagnosis) : [];
    this.change(asked.id, { phase: "ready", results, diagnosis, found });
  }
}

/** Whether it takes so long that nobody should hold a connection open for it. */
function isSlow({ mode, palette }: Photo): boolean {
  return mode === "colorize" && palette !== QUICK;
}

export function resultOf(photo: Photo): Result | undefined {
  return photo.results[photo.mode];
}

export function isBusy({ phase }: Photo): boolean {
  return phase !== "ready" && phase !== "failed";
}

let counter = 0;

function newPhoto(file: File): Photo {
  return {
    id: `photo-${++counter}`,
    name: file.name,
    file,
    size: null,
    thumbnail: null,
    looksGrey: false,
    mode: "enhance",
    phase: "waiting",
    diagnosis: null,
    found: [],
    results: {},
    strength: 1,
    palette: QUICK,
    adjustments: NEUTRAL,
    failure: null,
  };
}

export const photos = new Photos();
