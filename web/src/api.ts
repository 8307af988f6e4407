/** The service's routes. Whatever goes wrong is thrown as a `Failure` with a stable code. */

import type { Adjustments } from "./adjust.ts";
import { REPORT_HEADER, type DiagnoseAnswer, type Problem, type Report } from "./contracts.ts";

export class Failure extends Error {
  readonly code: string;

  /** `code` of the service's problem document; `unreachable` where there was no answer at all. */
  constructor(code: string, detail = "") {
    super(detail || code);
    this.code = code;
  }
}

/** A photo that came back, or null where nothing needed mending. */
export interface Mended {
  photo: Blob | null;
  report: Report;
}

type Options = Record<string, string | number>;

export async function diagnose(
  photo: Blob,
  options: Options,
  signal: AbortSignal,
): Promise<DiagnoseAnswer> {
  const reply = await post("/diagnose", photo, options, signal);
  return (await reply.json()) as DiagnoseAnswer;
}

export function enhance(photo: Blob, options: Options, signal: AbortSignal): Promise<Mended> {
  return mended("/enhance_image", photo, options, signal);
}

export function colorize(photo: Blob, options: Options, signal: AbortSignal): Promise<Mended> {
  return mended("/colorize", photo, options, signal);
}

export async function adjust(photo: Blob, adjustments: Adjustments): Promise<Blob> {
  const turned = Object.entries(adjustments).filter(([, value]) => value !== 0);
  const options = { ...Object.fromEntries(turned), budget_ms: 10_000 };
  const reply = await post("/adjust", photo, options, AbortSignal.timeout(30_000));
  return reply.blob();
}

async function mended(
  path: string,
  photo: Blob,
  options: Options,
  signal: AbortSignal,
): Promise<Mended> {
  const reply = await post(path, photo, options, signal);
  const report = JSON.parse(reply.headers.get(REPORT_HEADER) ?? "null") as Report;
  return { photo: reply.status === 204 ? null : await reply.blob(), report };
}

const TRIES = 6; // while the service is at its capacity

async function post(
  path: string,
  photo: Blob,
  options: Options,
  signal: AbortSignal,
): Promise<Response> {
  const query = new URLSearchParams(Object.entries(options).map(([k, v]) => [k, String(v)]));
  for (let attempt = 1; ; attempt++) {
    const reply = await answered(fetch(`${path}?${query}`, { method: "POST", body: photo, signal }));
    if (reply.ok) return reply;
    if (reply.status !== 429 || attempt === TRIES) throw await failureOf(reply);
    const seconds = Number(reply.headers.get("Retry-After")) || 1;
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
    signal.throwIfAborted();
  }
}

/** `fetch` rejects with a TypeError where no answer came; aborts stay what they are. */
export async function answered(request: Promise<Response>): Promise<Response> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof TypeError) throw new Failure("unreachable");
    throw error;
  }
}

export async function failureOf(reply: Response): Promise<Failure> {
  try {
    const problem = (await reply.json()) as Partial<Problem>;
    return new Failure(problem.code ?? "internal", problem.detail);
  } catch {
    return new Failure("internal");
  }
}
