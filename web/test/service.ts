/** A service of this process, and a keeper whose tabs share one album. */

import type { Keeper } from "../src/keeper.ts";
import type { Kept, Photo } from "../src/photo.ts";
import type { Photos } from "../src/photos.ts";
import type { Report } from "../src/contracts.ts";

const BOUND_MS = 30_000; // against hanging

export const REPORT: Report = {
  diagnosis: null,
  diagnosed_by: null,
  diagnose_ms: null,
  steps: [],
  skipped: [],
  undone: [],
  colorized: null,
  total_ms: 1,
};

/** Answers `fetch` from a table; what is not in it waits for ever. */
export class FakeService {
  readonly asked: string[] = [];
  private readonly answers: Record<string, () => Response>;
  private readonly open: ((error: Error) => void)[] = [];

  constructor(answers: Record<string, () => Response>) {
    this.answers = answers;
    globalThis.fetch = (path, request) => this.answer(String(path), request);
    globalThis.EventSource = SilentStream as unknown as typeof EventSource;
  }

  private answer(path: string, request?: RequestInit): Promise<Response> {
    const line = `${request?.method ?? "GET"} ${path.split("?")[0]}`;
    this.asked.push(line);
    const answer = this.answers[line];
    if (answer) return Promise.resolve(answer());
    return new Promise((_, fail) => {
      this.open.push(fail);
      request?.signal?.addEventListener("abort", () => fail(request.signal?.reason));
    });
  }

  /** What waits has no answer any more, as when the network or the page goes away. */
  breakOff(): void {
    for (const fail of this.open) fail(new TypeError("broken off"));
  }
}

class SilentStream {
  static readonly CLOSED = 2;
  addEventListener(): void {}
  close(): void {}
}

export function json(document: unknown, status = 200): Response {
  return new Response(JSON.stringify(document), { status });
}

export function mended(bytes: string): Response {
  return new Response(bytes, { headers: { "X-Darkroom-Report": JSON.stringify(REPORT) } });
}

/** What one browser keeps; each tab has a keeper of its own that hears of the others. */
export class FakeBrowser {
  readonly kept = new Map<string, Kept>();
  private readonly tabs: { heard: (id: string) => void }[] = [];

  tab(): Keeper {
    const tab = { heard: (_: string) => {} };
    this.tabs.push(tab);
    const tell = (id: string) => {
      for (const other of this.tabs) if (other !== tab) other.heard(id);
    };
    return {
      all: async () => [...this.kept.values()],
      one: async (id) => this.kept.get(id),
      keep: async (photo) => {
        this.kept.set(photo.id, structuredClone(photo));
        tell(photo.id);
      },
      forget: async (id) => {
        this.kept.delete(id);
        tell(id);
      },
      listen: (heard) => {
        tab.heard = heard;
      },
    };
  }
}

/** The photos once something holds of them. */
export function photosOnce(album: Photos, holds: (photos: Photo[]) => boolean): Promise<Photo[]> {
  return new Promise((done, fail) => {
    const bound = setTimeout(() => fail(new Error("it did not come about")), BOUND_MS);
    const look = () => {
      const { photos } = album.current();
      if (!holds(photos)) return;
      clearTimeout(bound);
      unsubscribe();
      done(photos);
    };
    const unsubscribe = album.subscribe(look);
    look();
  });
}
