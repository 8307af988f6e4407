/** The routes that know this browser by a session: jobs and votes. */

import { answered, failureOf } from "./api.ts";
import { newName, read, write } from "./remembered.ts";

export const SESSION = sessionId();
const HEADERS = { "X-Session-ID": SESSION };

export async function send(path: string, request: RequestInit): Promise<Response> {
  const reply = await answered(fetch(path, { ...request, headers: HEADERS }));
  if (!reply.ok) throw await failureOf(reply);
  return reply;
}

/** A secret of this browser: whoever knows it sees its jobs. */
function sessionId(): string {
  const key = "darkroom.session";
  const known = read(key);
  if (known) return known;
  const made = newName();
  write(key, made);
  return made;
}
