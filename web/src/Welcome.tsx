import { Chooser } from "./Chooser.tsx";
import { Icon } from "./icons.tsx";
import { useWords } from "./preferences.tsx";

export function Welcome() {
  const words = useWords();
  return (
    <main className="welcome">
      <div className="pitch">
        <h1>{words.tagline}</h1>
        <p className="lead">{words.pitch}</p>
        <Chooser className="button primary large" label={words.choose}>
          <Icon name="image" />
          {words.choose}
        </Chooser>
        <p className="hint with-mouse">{words.orDrop}</p>
        <p className="hint faint">{words.kinds}</p>
        <p className="hint faint">{words.kept}</p>
      </div>
      <Print />
    </main>
  );
}

/** A print under the enlarger: the left of it as it was taken, the right as it is meant. */
function Print() {
  return (
    <div className="print" aria-hidden="true">
      <svg viewBox="0 0 480 360" preserveAspectRatio="xMidYMid slice">
        <g className="dull">
          <Scene />
        </g>
        <g className="lit">
          <Scene />
        </g>
      </svg>
      <span className="print-line">
        <span className="grip">
          <svg viewBox="0 0 24 24" width="20" height="20">
            <path d="M9 7 4 12l5 5M15 7l5 5-5 5" />
          </svg>
        </span>
      </span>
    </div>
  );
}

function Scene() {
  return (
    <>
      <rect className="sky" width="480" height="360" />
      <circle className="sun" cx="330" cy="120" r="46" />
      <path className="far" d="M0 226 96 150l70 54 84-92 110 110 60-46 60 44v160H0z" />
      <path className="near" d="M0 268c70-34 150-30 220-6s170 26 260-14v120H0z" />
      <path className="water" d="M0 312c90-18 180-8 260 0s160 6 220-6v60H0z" />
      <path className="house" d="M112 262v-42l34-26 34 26v42z" />
      <path className="window" d="M138 262v-26h16v26z" />
    </>
  );
}
