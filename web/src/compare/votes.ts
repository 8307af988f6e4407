/** The routes of votes, as `darkroom/contracts/votes.py` has them; only what the page reads. */

import { send } from "../session.ts";

export type Choice = "left" | "right" | "no_difference";

export interface Vote {
  name: string;
  pairs: number;
  judged: number;
}

export interface Pair {
  id: string;
  photo: string;
  leftUrl: string;
  rightUrl: string;
}

export interface Round {
  total: number;
  judged: number;
  pairs: Pair[]; // to be judged next; none are left where it is empty
}

const ROUTE = "/api/votes";

export async function openVotes(): Promise<Vote[]> {
  const reply = await send(ROUTE, {});
  return ((await reply.json()) as { votes: Vote[] }).votes;
}

export async function nextRound(vote: string): Promise<Round> {
  const reply = await send(`${ROUTE}/${encodeURIComponent(vote)}/pairs`, {});
  return (await reply.json()) as Round;
}

/** Sent twice it counts once; another choice takes the place of the first. */
export async function cast(vote: string, pair: string, choice: Choice): Promise<Round> {
  const reply = await send(`${ROUTE}/${encodeURIComponent(vote)}/pairs/${pair}`, {
    method: "PUT",
    body: JSON.stringify({ choice }),
  });
  return (await reply.json()) as Round;
}

/** An address for an <img>, which could not send the session itself; revoke it when done. */
export async function picture(url: string): Promise<string> {
  const reply = await send(url, {});
  const address = URL.createObjectURL(await reply.blob());
  const image = new Image();
  image.src = address;
  await image.decode(); // so that it is there at once when it is shown
  return address;
}
