import { useEffect, useState } from "react";
import { Failure } from "../api.ts";
import { usePreferences } from "../preferences.tsx";
import { TopBar } from "../TopBar.tsx";
import { Ballot } from "./Ballot.tsx";
import { openVotes, type Vote } from "./votes.ts";
import { COMPARE_WORDS } from "./words.ts";
import "./compare.css";

export default function Compare() {
  const vote = new URLSearchParams(location.search).get("vote");
  const { title } = useCompareWords();
  useEffect(() => {
    document.title = `${vote || title} – Darkroom`;
  }, [vote, title]);
  return (
    <div className={`app compare ${vote ? "working" : "empty"}`}>
      <TopBar photos={[]} />
      {vote ? <Ballot vote={vote} /> : <OpenVotes />}
    </div>
  );
}

export function useCompareWords() {
  return COMPARE_WORDS[usePreferences().language];
}

function OpenVotes() {
  const words = useCompareWords();
  const [votes, setVotes] = useState<Vote[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const load = () => {
    setFailure(null);
    openVotes().then(setVotes, (error: unknown) =>
      setFailure(error instanceof Failure ? error.code : "internal"),
    );
  };
  useEffect(load, []);
  return (
    <main className="votes">
      <h1>{words.title}</h1>
      <p className="lead">{words.lead}</p>
      {failure && <Trouble code={failure} retry={load} />}
      {votes?.length === 0 && <p className="notice">{words.none}</p>}
      <ul className="vote-list">
        {votes?.map((vote) => (
          <li key={vote.name}>
            <a href={`/compare?vote=${encodeURIComponent(vote.name)}`}>
              <span className="vote-name">{vote.name}</span>
              <span className="vote-facts">
                {words.pairs(vote.pairs)} · {words.judged(vote.judged, vote.pairs)}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </main>
  );
}

export function Trouble({ code, retry }: { code: string; retry: () => void }) {
  const words = useCompareWords();
  return (
    <div className="notice bad" role="alert">
      <p>{words.errors[code] ?? words.errors.internal}</p>
      <button className="button small" onClick={retry}>
        {words.again}
      </button>
    </div>
  );
}
