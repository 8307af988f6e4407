import { useEffect, useState, useSyncExternalStore, type MouseEvent } from "react";
import { Icon } from "../icons.tsx";
import { Trouble, useCompareWords } from "./Compare.tsx";
import { Judging } from "./judging.ts";
import { Sides, type Spot } from "./Sides.tsx";
import type { Choice } from "./votes.ts";

const KEYS: Record<string, Choice> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowDown: "no_difference",
  " ": "no_difference",
};
const MIDDLE: Spot = { x: 0.5, y: 0.5 };

/** Pair after pair until there is none. */
export function Ballot({ vote }: { vote: string }) {
  const words = useCompareWords();
  const [judging] = useState(() => new Judging(vote));
  const state = useSyncExternalStore(judging.subscribe, judging.current);
  const [spot, setSpot] = useState<Spot | null>(null); // looked at closely
  useEffect(() => void judging.start(), [judging]);
  useEffect(() => setSpot(null), [state.pair?.id]);
  useKeys(judging, () => setSpot((at) => (at ? null : MIDDLE)));

  const { phase, pair, number, pictures, choice, total, judged, failure } = state;
  if (phase === "done") return <Thanks total={total} judging={judging} />;
  if (phase === "failed" && !pair)
    return (
      <main className="votes">
        <h1>{vote}</h1>
        <Trouble code={failure ?? "internal"} retry={judging.retry} />
        <Others />
      </main>
    );
  return (
    <main className="ballot">
      <div className="ballot-head">
        <div>
          <h1>{words.question}</h1>
          <p>{pair ? `${vote} · ${pair.photo}` : vote}</p>
        </div>
        <label className="ballot-progress">
          <span>{words.progress(judged, total)}</span>
          <progress aria-label={words.progressLabel} value={judged} max={Math.max(1, total)} />
        </label>
      </div>
      <Sides photo={pair?.photo ?? ""} pictures={pictures} spot={spot} setSpot={setSpot} />
      {phase === "failed" && <Trouble code={failure ?? "internal"} retry={judging.retry} />}
      <div className="ballot-foot">
        <button
          className="icon-button"
          aria-label={words.back}
          title={`${words.back} (Backspace)`}
          disabled={!state.canGoBack}
          onClick={judging.back}
        >
          <Icon name="reset" />
        </button>
        <div className="choices">
          <ChoiceButton {...{ judging, choice, phase }} is="left" label={words.better("A")} cue="←" />
          <ChoiceButton
            {...{ judging, choice, phase }}
            is="no_difference"
            label={words.same}
            cue="↓"
          />
          <ChoiceButton {...{ judging, choice, phase }} is="right" label={words.better("B")} cue="→" />
        </div>
        <button
          className="icon-button"
          aria-label={words.closer}
          aria-pressed={spot !== null}
          title={words.closerHint}
          onClick={() => setSpot(spot ? null : MIDDLE)}
        >
          <Icon name="closer" />
        </button>
      </div>
      <p className="unseen" role="status">
        {pair && pictures ? words.now(number, total, pair.photo) : words.loading}
      </p>
    </main>
  );
}

interface ChoiceProps {
  judging: Judging;
  is: Choice;
  choice: Choice | null; // of this pair, so far
  phase: string;
  label: string;
  cue: string; // the key that does the same
}

function ChoiceButton({ judging, is, choice, phase, label, cue }: ChoiceProps) {
  function choose(event: MouseEvent<HTMLButtonElement>): void {
    // After a click the space bar is to mean "no difference", not this button again.
    if (event.detail > 0) event.currentTarget.blur();
    judging.choose(is);
  }
  return (
    <button
      className="button choice"
      aria-pressed={choice === is}
      aria-disabled={phase !== "judging"}
      onClick={choose}
    >
      {label}
      <kbd className="with-mouse" aria-hidden="true">
        {cue}
      </kbd>
    </button>
  );
}

function Thanks({ total, judging }: { total: number; judging: Judging }) {
  const words = useCompareWords();
  const { canGoBack } = judging.current();
  return (
    <main className="thanks">
      <span className="thanks-mark" aria-hidden="true">
        <Icon name="check" />
      </span>
      <div role="status">
        <h1>{words.thanks}</h1>
        <p>{words.allDone(total)}</p>
        <p>{words.mayClose}</p>
      </div>
      <div className="thanks-more">
        {canGoBack && (
          <button className="button" onClick={judging.back}>
            {words.back}
          </button>
        )}
        <Others />
      </div>
    </main>
  );
}

function Others() {
  const words = useCompareWords();
  return (
    <a className="link" href="/compare">
      {words.others}
    </a>
  );
}

function useKeys(judging: Judging, toggleCloser: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
      const onControl = (event.target as Element).closest("button, a") !== null;
      if (event.key === " " && onControl) return; // it presses that
      const choice = KEYS[event.key];
      if (choice) judging.choose(choice);
      else if (event.key === "Backspace") judging.back();
      else if (event.code === "KeyZ") toggleCloser(); // on any keyboard layout
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  });
}
