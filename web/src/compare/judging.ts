/** One voter's way through a vote. React reads, the methods write. */

import { Failure } from "../api.ts";
import { cast, nextRound, picture, type Choice, type Pair, type Round } from "./votes.ts";

export interface Pictures {
  left: string; // addresses to show
  right: string;
}

export interface State {
  phase: "loading" | "judging" | "sending" | "done" | "failed";
  pair: Pair | null;
  number: number; // of the pair on this voter's way, from 1
  pictures: Pictures | null;
  choice: Choice | null; // given to this pair already
  total: number;
  judged: number;
  canGoBack: boolean;
  failure: string | null; // its code
}

const NOTHING: State = {
  phase: "loading",
  pair: null,
  number: 0,
  pictures: null,
  choice: null,
  total: 0,
  judged: 0,
  canGoBack: false,
  failure: null,
};
const AHEAD = 1; // pairs whose pictures are loaded before they are needed
const BEHIND = 1; // and kept after

export class Judging {
  private state = NOTHING;
  private readonly listeners = new Set<() => void>();
  private readonly pairs: Pair[] = []; // of this visit, in the order they are shown
  private at = 0;
  private before = 0; // judged on earlier visits
  private readonly choices = new Map<string, Choice>();
  private readonly loaded = new Map<string, Promise<Pictures>>();
  private again: () => Promise<void> = () => this.start();
  private readonly vote: string;

  constructor(vote: string) {
    this.vote = vote;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): State => this.state;

  /** Ask for the first pairs. */
  readonly start = (): Promise<void> =>
    this.carefully(this.start, async () => {
      const round = await nextRound(this.vote);
      this.before = round.judged;
      this.take(round);
      await this.show();
    });

  readonly choose = (choice: Choice): void => {
    const { phase, pair } = this.state;
    if (phase !== "judging" || !pair) return;
    const send = (): Promise<void> =>
      this.carefully(send, async () => {
        this.publish({ phase: "sending", choice, failure: null });
        this.take(await cast(this.vote, pair.id, choice));
        this.choices.set(pair.id, choice);
        this.at++;
        await this.show();
      });
    void send();
  };

  readonly back = (): void => {
    if (!this.state.canGoBack || this.state.phase === "sending") return;
    this.at--;
    void this.carefully(this.show, this.show);
  };

  /** Do again what failed. */
  readonly retry = (): void => void this.again();

  private take({ total, judged, pairs }: Round): void {
    const known = new Set(this.pairs.map((pair) => pair.id));
    this.pairs.push(...pairs.filter((pair) => !known.has(pair.id)));
    this.publish({ total, judged });
  }

  private readonly show = async (): Promise<void> => {
    const pair = this.pairs[this.at] ?? null;
    const canGoBack = this.at > 0;
    this.forgetFarOnes();
    if (!pair) return this.publish({ phase: "done", pair, pictures: null, canGoBack });
    const choice = this.choices.get(pair.id) ?? null;
    const loading = this.load(pair);
    const late = setTimeout(() => this.publish({ phase: "loading", pictures: null }), 150);
    try {
      const pictures = await loading;
      if (pair !== this.pairs[this.at]) return; // somebody went on meanwhile
      const number = this.before + this.at + 1;
      this.publish({ phase: "judging", pair, number, pictures, choice, canGoBack, failure: null });
    } finally {
      clearTimeout(late);
    }
    for (const next of this.pairs.slice(this.at + 1, this.at + 1 + AHEAD))
      void this.load(next).catch(() => undefined); // it is said when its turn comes
  };

  private load(pair: Pair): Promise<Pictures> {
    const known = this.loaded.get(pair.id);
    if (known) return known;
    const loading = Promise.all([picture(pair.leftUrl), picture(pair.rightUrl)]).then(
      ([left, right]) => ({ left, right }),
    );
    this.loaded.set(pair.id, loading);
    loading.catch(() => this.loaded.delete(pair.id));
    return loading;
  }

  private forgetFarOnes(): void {
    const near = this.pairs.slice(Math.max(0, this.at - BEHIND), this.at + 1 + AHEAD);
    const kept = new Set(near.map((pair) => pair.id));
    for (const [id, loading] of this.loaded) {
      if (kept.has(id)) continue;
      this.loaded.delete(id);
      void loading.then((gone) => Object.values(gone).forEach(URL.revokeObjectURL), () => undefined);
    }
  }

  private async carefully(again: () => Promise<void>, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.again = again;
      const failure = error instanceof Failure ? error.code : "internal";
      this.publish({ phase: "failed", failure });
    }
  }

  private publish(changed: Partial<State>): void {
    this.state = { ...this.state, ...changed };
    for (const listener of this.listeners) listener();
  }
}
