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

/** Do a job to its end; nothing of it stays with the service afterwards. */
export async function doLater(
  photo: File,
  operation: "enhance" | "colorize",
  options: Record<string, string | number>,
  signal: AbortSignal,
  onWorking: () => void,
): Promise<Mended> {
  const form = new FormData();
  form.set("operation", operation);
  for (const [name, value] of Object.entries(options)) form.set(name, String(value));
  form.set("file", photo);
  const taken = await inTurn(() => send(ROUTE, { method: "POST", body: form, signal }));
  const { id } = (await taken.json()) as Job;
  try {
    const job = await finished(id, signal, onWorking);
    if (job.status === "failed" || !job.resultUrl || !job.report)
      throw new Failure(job.error?.code ?? "internal");
    const result = await send(job.resultUrl, { signal });
    return { photo: job.changed === false ? null : await result.blob(), report: job.report };
  } finally {
    void send(`${ROUTE}/${id}`, { method: "DELETE" }).catch(() => undefined);
  }
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

function finished(id: string, signal: AbortSignal, onWorking: () => void): Promise<Job> {
  return new Promise<Job>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    waiting.set(id, {
      update(job) {
        if (job.status === "processing") onWorking();
        else if (job.status !== "pending") resolve(job);
      },
      fail: reject,
    });
    listen();
  }).finally(() => {
    waiting.delete(id);
    if (waiting.size === 0) {
      stream?.close();
      stream = null;
    }
  });
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
