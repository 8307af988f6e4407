/**
 * The album as this browser keeps it: a reload, a crash and another tab find it again.
 *
 * IndexedDB holds what is known of each photo apart from its bytes, so that a slider's move writes
 * no photo anew. Tabs share it; whoever changes a photo tells the others. Where the browser forbids
 * storage, an album lasts as long as its page.
 */

import type { Kept, Mode, Result } from "./photo.ts";

export interface Keeper {
  /** Every photo, in the order in which they were added. */
  all(): Promise<Kept[]>;
  one(id: string): Promise<Kept | undefined>;
  keep(photo: Kept): Promise<void>;
  forget(id: string): Promise<void>;
  /** Calls back with the id of each photo that another tab keeps or forgets. */
  listen(heard: (id: string) => void): void;
}

interface Row extends Omit<Kept, "file" | "results"> {
  results: Partial<Record<Mode, Omit<Result, "photo">>>;
}

const FACTS = "photos";
const BYTES = "bytes"; // the photo itself and what came of it, under [id, "file" or mode]
const KEPT_MS = 7 * 24 * 3600 * 1000; // as long as the service keeps jobs

export class BrowserKeeper implements Keeper {
  private opened: Promise<IDBDatabase | null> | null = null;
  private channel: BroadcastChannel | null = null;
  private readonly written = new WeakSet<Blob>();

  async all(): Promise<Kept[]> {
    const photos = await this.read();
    const old = photos.filter((photo) => photo.addedAt < Date.now() - KEPT_MS);
    for (const { id } of old) void this.forget(id);
    return photos.filter((photo) => !old.includes(photo)).sort((a, b) => a.addedAt - b.addedAt);
  }

  async one(id: string): Promise<Kept | undefined> {
    return (await this.read(id))[0];
  }

  async keep({ file, results, ...facts }: Kept): Promise<void> {
    const row: Row = { ...facts, results: {} };
    const bytes: [string, Blob | null][] = [["file", file]];
    for (const [mode, { photo, ...told }] of Object.entries(results)) {
      row.results[mode as Mode] = told;
      bytes.push([mode, photo]);
    }
    const fresh = bytes.filter(([, blob]) => !blob || !this.written.has(blob));
    for (const [, blob] of fresh) if (blob) this.written.add(blob);
    const isKept = await this.write(facts.id, (photos, store) => {
      photos.put(row);
      for (const [part, blob] of fresh) store.put(blob, [facts.id, part]);
    });
    if (!isKept) for (const [, blob] of fresh) if (blob) this.written.delete(blob);
  }

  async forget(id: string): Promise<void> {
    await this.write(id, (photos, bytes) => {
      photos.delete(id);
      bytes.delete(partsOf(id));
    });
  }

  listen(heard: (id: string) => void): void {
    this.channel = new BroadcastChannel("darkroom.photos");
    this.channel.onmessage = (event: MessageEvent<string>) => heard(event.data);
  }

  /** One photo or all; none where there is no storage. */
  private async read(id?: string): Promise<Kept[]> {
    const stores = await this.begin("readonly");
    if (!stores) return [];
    const bytes = stores.objectStore(BYTES);
    const parts = id === undefined ? undefined : partsOf(id);
    const [rows, keys, blobs] = await Promise.all([
      answer<Row[]>(stores.objectStore(FACTS).getAll(id), []),
      answer(bytes.getAllKeys(parts), []),
      answer<(Blob | null)[]>(bytes.getAll(parts), []),
    ]);
    for (const blob of blobs) if (blob) this.written.add(blob);
    const known = new Map(keys.map((key, at) => [String(key), blobs[at] ?? null]));
    return rows.flatMap((row) => whole(row, (part) => known.get(String([row.id, part])) ?? null));
  }

  /** Whether there was room for it. The other tabs are told. */
  private async write(
    id: string,
    change: (photos: IDBObjectStore, bytes: IDBObjectStore) => void,
  ): Promise<boolean> {
    const stores = await this.begin("readwrite");
    if (!stores) return false;
    change(stores.objectStore(FACTS), stores.objectStore(BYTES));
    const isKept = await new Promise<boolean>((done) => {
      stores.oncomplete = () => done(true);
      stores.onabort = () => done(false);
    });
    if (isKept) this.channel?.postMessage(id);
    return isKept;
  }

  private async begin(mode: IDBTransactionMode): Promise<IDBTransaction | null> {
    const database = await this.open();
    try {
      return database && database.transaction([FACTS, BYTES], mode);
    } catch {
      return null; // closed meanwhile: the browser's data were cleared
    }
  }

  private open(): Promise<IDBDatabase | null> {
    this.opened ??= new Promise((done) => {
      try {
        const opening = indexedDB.open("darkroom", 1);
        opening.onupgradeneeded = () => {
          opening.result.createObjectStore(FACTS, { keyPath: "id" });
          opening.result.createObjectStore(BYTES);
        };
        opening.onsuccess = () => done(opening.result);
        opening.onerror = () => done(null);
      } catch {
        done(null);
      }
    });
    return this.opened;
  }
}

function partsOf(id: string): IDBKeyRange {
  return IDBKeyRange.bound([id], [id, []]); // arrays sort behind all words
}

function answer<T>(request: IDBRequest<T>, otherwise: T): Promise<T> {
  return new Promise((done) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => done(otherwise);
  });
}

/** The photo again, or nothing where its own bytes are lost. */
function whole({ results, ...facts }: Row, bytesOf: (part: string) => Blob | null): Kept[] {
  const file = bytesOf("file");
  if (!file) return [];
  const made: Partial<Record<Mode, Result>> = {};
  for (const [mode, told] of Object.entries(results))
    made[mode as Mode] = { ...told, photo: bytesOf(mode) };
  return [{ ...facts, file, results: made }];
}
