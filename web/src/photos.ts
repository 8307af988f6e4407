/** The photos of this browser and all that happens to them. React reads, the methods write. */

import { isNeutral, NEUTRAL, type Adjustments, type Slider } from "./adjust.ts";
import * as api from "./api.ts";
import { Failure } from "./api.ts";
import { dismiss, handOver, outcomeOf } from "./jobs.ts";
import { BrowserKeeper, type Keeper } from "./keeper.ts";
import {
  asPhoto,
  isBusy,
  isSlow,
  newPhoto,
  resultOf,
  type Kept,
  type Mode,
  type Photo,
} from "./photo.ts";
import { read, write } from "./remembered.ts";
import { foundIn } from "./telling.ts";
import { thumbnailOf } from "./thumbnail.ts";

export interface Album {
  isOpen: boolean; // false until it is known what was kept
  photos: Photo[];
  selected: string | null;
}

const AT_ONCE = 2; // requests: more would wait in the service instead of here
const PATIENT = { budget_ms: 10_000 }; // where a person has asked for more time
const MANY = 12; // waiting photos: from then on they wait in the service, behind everybody else's
const QUEUELESS = new Set(["not_found", "jobs_unavailable", "over_capacity"]);
const REST_MS = 350; // after the last move of a slider
const WISH = ["mode", "strength", "palette"] as const;
const SELECTED = "darkroom.selected"; // the photo that a reload shows again
const OPEN_MS = 400; // the page does not wait longer for what was kept

export class Photos {
  private album: Album = { isOpen: false, photos: [], selected: null };
  private readonly keeper: Keeper;
  private readonly listeners = new Set<() => void>();
  private readonly running = new Map<string, AbortController>();
  private readonly waiting: { id: string; patient: boolean }[] = [];
  private readonly finals = new WeakMap<Adjustments, { of: Blob; made: Promise<Blob> }>();
  private active = 0;
  private hasQueue = true; // until the service says otherwise
  private readonly resting = new Map<string, ReturnType<typeof setTimeout>>();
  private shown = Promise.resolve(); // thumbnails, one after the other

  constructor(keeper: Keeper) {
    this.keeper = keeper;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): Album => this.album;

  /** Take up the album as the last visit left it, or as other tabs have it. */
  async open(): Promise<void> {
    setTimeout(() => this.publish({ ...this.album, isOpen: true }), OPEN_MS);
    this.keeper.listen((id) => void this.hear(id));
    this.show((await this.keeper.all()).filter(({ id }) => !this.find(id)));
    this.publish({ ...this.album, isOpen: true });
  }

  add(files: Iterable<File>): void {
    const added = Array.from(files, newPhoto);
    this.show(added);
    for (const { id } of added) void this.keep(id);
  }

  select(id: string): void {
    this.publish({ ...this.album, selected: id });
    write(SELECTED, id);
  }

  remove(id: string): void {
    this.withdraw(id);
    this.hide(id);
    void this.keeper.forget(id);
  }

  private hide(id: string): void {
    this.stop(id);
    const photo = this.find(id);
    if (photo?.thumbnail) URL.revokeObjectURL(photo.thumbnail);
    const at = this.album.photos.findIndex((other) => other.id === id);
    const photos = this.album.photos.filter((other) => other.id !== id);
    const next = photos[Math.min(at, photos.length - 1)]?.id ?? null;
    const selected = this.album.selected === id ? next : this.album.selected;
    this.publish({ ...this.album, photos, selected });
  }

  clear(): void {
    for (const { id } of this.album.photos) this.remove(id);
  }

  setMode(id: string, mode: Mode): void {
    const result = this.find(id)?.results[mode];
    this.change(id, { mode, failure: null, strength: result?.strength ?? 1 });
    if (!result) return this.run(id);
    this.withdraw(id);
    this.change(id, { phase: "ready" });
    void this.keep(id);
  }

  setPalette(id: string, palette: string): void {
    this.change(id, { palette });
    this.run(id);
  }

  /** While the slider moves the page mixes by itself; when it rests, the service is asked. */
  setStrength(id: string, strength: number): void {
    this.change(id, { strength });
    this.atRest(id, "run");
  }

  turn(id: string, slider: Slider, value: number): void {
    const photo = this.find(id);
    if (photo) this.change(id, { adjustments: { ...photo.adjustments, [slider]: value } });
    this.atRest(id, "keep");
  }

  resetByHand(id: string): void {
    this.change(id, { adjustments: NEUTRAL });
    void this.keep(id);
  }

  /** Ask the service anew, with the photo's mode and strength. */
  run(id: string, patient = false): void {
    this.withdraw(id);
    this.change(id, { phase: "waiting", failure: null });
    void this.keep(id);
    this.enqueue(id, patient);
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

  /** The page goes away. Nothing has failed by that: the next visit goes on. */
  leave(): void {
    for (const controller of this.running.values()) controller.abort();
  }

  /** It is back from the browser's memory, as it was. */
  comeBack(): void {
    const left = this.album.photos.filter((photo) => isBusy(photo) && !this.running.has(photo.id));
    for (const { id } of left) this.enqueue(id);
  }

  /** Put photos that were kept or have just come beside the others, and go on with each. */
  private show(kept: Kept[]): void {
    const added = kept.map(asPhoto);
    const last = added.find(({ id }) => id === read(SELECTED));
    const selected = this.album.selected ?? (last ?? added[0])?.id ?? null;
    const photos = [...this.album.photos, ...added].sort((a, b) => a.addedAt - b.addedAt);
    this.publish({ ...this.album, photos, selected });
    for (const photo of added) {
      this.shown = this.shown.then(() => this.showThumbnail(photo));
      if (isBusy(photo)) this.enqueue(photo.id);
    }
  }

  private async showThumbnail({ id, file }: Photo): Promise<void> {
    const shown = this.find(id) && (await thumbnailOf(file));
    if (shown) this.change(id, shown);
  }

  /** Another tab has kept or forgotten a photo. One it works on is told of again at the end. */
  private async hear(id: string): Promise<void> {
    const kept = await this.keeper.one(id);
    if (!kept) return this.hide(id);
    if (isBusy(kept)) return;
    const ours = this.find(id);
    if (!ours) return this.show([kept]);
    if (isBusy(ours) && WISH.some((part) => ours[part] !== kept[part])) return;
    this.stop(id);
    this.change(id, { ...kept, file: ours.file });
  }

  private keep(id: string): Promise<void> {
    const photo = this.find(id);
    if (!photo) return Promise.resolve();
    const { size: _size, thumbnail: _thumbnail, looksGrey: _looksGrey, ...kept } = photo;
    return this.keeper.keep(kept);
  }

  private atRest(id: string, act: "run" | "keep"): void {
    const name = `${act} ${id}`;
    clearTimeout(this.resting.get(name));
    this.resting.set(name, setTimeout(() => this.find(id) && this[act](id), REST_MS));
  }

  private enqueue(id: string, patient = false): void {
    if (!this.waiting.some((entry) => entry.id === id)) this.waiting.push({ id, patient });
    this.pump();
  }

  /** Stop what is done for a photo, here and in the service's queue. */
  private withdraw(id: string): void {
    this.stop(id);
    const job = this.find(id)?.job;
    if (!job) return;
    dismiss(job);
    this.change(id, { job: null });
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
      const isOneOfMany = this.hasQueue && this.waiting.length >= MANY;
      if (photo.job || isSlow(photo) || isOneOfMany) {
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
      void this.keep(id);
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
    void this.keep(id); // not waited for: the next photo may begin
  }

  /** The same by the service's queue, where an earlier visit may have put it. */
  private async leadLater(photo: Photo, signal: AbortSignal): Promise<void> {
    const { id } = photo;
    this.change(id, { phase: "queued" });
    const working = () => this.change(id, { phase: "working" });
    try {
      let made = photo.job && (await outcomeOf(photo.job, signal, working));
      if (photo.job && !made) await this.hear(id); // another tab may have its result already
      signal.throwIfAborted();
      made ||= await outcomeOf(await this.handOver(photo, signal), signal, working);
      if (!made) throw new Failure("internal");
      const job = this.find(id)?.job;
      this.finish(photo, made, signal);
      await this.keep(id);
      if (job) dismiss(job);
    } catch (error) {
      if (isSlow(photo) || !(error instanceof Failure && QUEUELESS.has(error.code))) throw error;
      this.hasQueue = false;
      this.run(id); // directly then, two at a time
    }
  }

  private async handOver(photo: Photo, signal: AbortSignal): Promise<string> {
    const { id, file, name, mode, strength, palette } = photo;
    const options = mode === "enhance" ? { strength } : { strength, model: palette };
    const job = await handOver(file, name, mode, options, signal);
    this.change(id, { job });
    void this.keep(id);
    return job;
  }

  private finish(asked: Photo, made: api.Mended, signal: AbortSignal): void {
    signal.throwIfAborted();
    const now = this.find(asked.id);
    if (!now) return;
    const result = { photo: made.photo, report: made.report, strength: asked.strength };
    const results = { ...now.results, [asked.mode]: result };
    const diagnosis = made.report.diagnosis ?? now.diagnosis;
    const found = diagnosis ? foundIn(diagnosis) : [];
    this.change(asked.id, { phase: "ready", results, diagnosis, found, job: null });
  }
}

export const photos = new Photos(new BrowserKeeper());
