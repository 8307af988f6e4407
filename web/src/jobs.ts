/** Photos handed over to be worked on later: for what takes long, and for many at once. */

import { Failure, type Mended } from "./api.ts";
import type { Report } from "./contracts.ts";
import { send, SESSION } from "./session.ts";

type Status = "pending" | "processing" | "completed" | "failed";

/** As `darkroom/contracts/jobs.py` has it; only what the page reads. */
interface Job {
  id: string;
  status: Status;
  changed: boolean | null;
  resultUrl: string | null;
  report: Report | null;
  error: { code: string } | null;
}

interface Waiting {
  update: (job: Job) => void;
  fail: (failure: Failure) => void;
}

const ROUTE = "/api/images";

const UPLOADS = 2; // at once: a browser opens only six connections to a server
let uploading = 0;
const uploaders: (() => void)[] = [];

const waiting = new Map<string, Waiting>();
let stream: EventSource | null = null;

/** The id of the new job. */
export async function handOver(
  photo: Blob,
  name: string,
  operation: "enhance" | "colorize",
  options: Record<string, string | number>,
  signal: AbortSignal,
): Promise<string> {
  const form = new FormData();
  form.set("operation", operation);
  for (const [option, value] of Object.entries(options)) form.set(option, String(value));
  form.set("file", photo, name);
  const taken = await inTurn(() => send(ROUTE, { method: "POST", body: form, signal }));
  return ((await taken.json()) as Job).id;
}

/** What came of a job once it has ended; null where the service does not have it any more. */
export async function outcomeOf(
  id: string,
  signal: AbortSignal,
  onWorking: () => void,
): Promise<Mended | null> {
  try {
    const job = await ended(id, signal, onWorking);
    if (job.status === "failed" || !job.resultUrl || !job.report) {
      dismiss(id);
      throw new Failure(job.error?.code ?? "internal");
    }
    if (job.changed === false) return { photo: null, report: job.report };
    const result = await send(job.resultUrl, { signal });
    return { photo: await result.blob(), report: job.report };
  } catch (error) {
    if (error instanceof Failure && error.code === "not_found") return null;
    throw error;
  }
}

/** Leave nothing of a job with the service. */
export function dismiss(id: string): void {
  void send(`${ROUTE}/${id}`, { method: "DELETE" }).catch(() => undefined);
}

async function inTurn<T>(upload: () => Promise<T>): Promise<T> {
  if (uploading === UPLOADS) await new Promise<void>((next) => uploaders.push(next));
  else uploading++;
  try {
    return await upload();
  } finally {
    const next = uploaders.shift();
    if (next) next();
    else uploading--;
  }
}

function ended(id: string, signal: AbortSignal, onWorking: () => void): Promise<Job> {
  return new Promise<Job>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    const update = (job: Job) => {
      if (job.status === "processing") onWorking();
      else if (job.status !== "pending") resolve(job);
    };
    waiting.set(id, { update, fail: reject });
    listen();
    // The stream may have told of its end before anybody waited for it here.
    look(id, signal).then(update, reject);
  }).finally(() => {
    waiting.delete(id);
    if (waiting.size === 0) {
      stream?.close();
      stream = null;
    }
  });
}

async function look(id: string, signal: AbortSignal): Promise<Job> {
  return (await (await send(`${ROUTE}/${id}`, { signal })).json()) as Job;
}

/** One stream tells of all jobs. */
function listen(): void {
  if (stream) return;
  stream = new EventSource(`${ROUTE}/events?session=${SESSION}`);
  stream.addEventListener("job", (event: MessageEvent<string>) => {
    const job = JSON.parse(event.data) as Job;
    waiting.get(job.id)?.update(job);
  });
  stream.onerror = () => {
    if (stream?.readyState !== EventSource.CLOSED) return; // it connects again by itself
    stream = null;
    for (const { fail } of waiting.values()) fail(new Failure("unreachable"));
  };
}
