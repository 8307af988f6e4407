import { isNeutral, SLIDERS, type Slider } from "./adjust.ts";
import { Diagnosis } from "./Diagnosis.tsx";
import { DownloadOne } from "./Download.tsx";
import { Icon } from "./icons.tsx";
import { Outcome } from "./Outcome.tsx";
import { PALETTES, resultOf, type Mode, type Photo } from "./photo.ts";
import { photos } from "./photos.ts";
import { useWords } from "./preferences.tsx";
import { SliderField } from "./SliderField.tsx";

const MODES: Mode[] = ["enhance", "colorize"];

/** What is known about the selected photo, and all that can be turned. */
export function Panel({ photo }: { photo: Photo }) {
  const words = useWords();
  return (
    <aside className="panel" aria-label={photo.name}>
      <div className="panel-scroll" tabIndex={0} role="group" aria-label={photo.name}>
        <header className="panel-head">
          <h2>{photo.name}</h2>
          <p>{facts(photo)}</p>
        </header>
        <ModeSwitch photo={photo} />
        {photo.looksGrey && photo.mode === "enhance" && (
          <p className="notice">
            {words.looksGrey}{" "}
            <button className="link" onClick={() => photos.setMode(photo.id, "colorize")}>
              {words.colourIt}
            </button>
          </p>
        )}
        {photo.mode === "enhance" && <Diagnosis photo={photo} />}
        <Outcome photo={photo} />
        {photo.mode === "colorize" && <Palette photo={photo} />}
        {(resultOf(photo)?.photo || photo.strength < 1) && (
          <SliderField
            label={words.strength}
            value={photo.strength}
            {...{ min: 0, max: 1, step: 0.05, neutral: 1 }}
            shown={`${Math.round(100 * photo.strength)} %`}
            onChange={(value) => photos.setStrength(photo.id, value)}
          />
        )}
        {photo.phase !== "failed" && <ByHand photo={photo} />}
      </div>
      <footer className="panel-foot">
        <DownloadOne photo={photo} />
      </footer>
    </aside>
  );
}

function facts({ size, file }: Photo): string {
  const megabytes = (file.size / 1e6).toFixed(1);
  const bytes = file.size < 1e5 ? `${Math.ceil(file.size / 1e3)} kB` : `${megabytes} MB`;
  return size ? `${size.width} × ${size.height} · ${bytes}` : bytes;
}

function ModeSwitch({ photo }: { photo: Photo }) {
  const words = useWords();
  return (
    <fieldset className="switch">
      <legend className="unseen">{words.mode.label}</legend>
      {MODES.map((mode) => (
        <label key={mode}>
          <input
            className="unseen"
            type="radio"
            name={`mode-${photo.id}`}
            checked={photo.mode === mode}
            onChange={() => photos.setMode(photo.id, mode)}
          />
          <span>{words.mode[mode]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Palette({ photo }: { photo: Photo }) {
  const words = useWords();
  return (
    <label className="palette">
      {words.palette}
      <select
        value={photo.palette}
        onChange={(event) => photos.setPalette(photo.id, event.target.value)}
      >
        {PALETTES.map((palette) => (
          <option key={palette} value={palette}>
            {words.palettes[palette]}
          </option>
        ))}
      </select>
    </label>
  );
}

function ByHand({ photo }: { photo: Photo }) {
  const words = useWords();
  const { adjustments } = photo;
  return (
    <section className="by-hand">
      <div className="section-head">
        <h3>{words.byHand}</h3>
        <button
          className="link"
          disabled={isNeutral(adjustments)}
          onClick={() => photos.resetByHand(photo.id)}
        >
          <Icon name="reset" />
          {words.reset}
        </button>
      </div>
      {SLIDERS.map((slider) => (
        <SliderField
          key={slider}
          label={words.sliders[slider]}
          value={adjustments[slider]}
          {...RANGES[slider]}
          neutral={0}
          shown={shownIn(slider, adjustments[slider])}
          onChange={(value) => photos.turn(photo.id, slider, value)}
        />
      ))}
    </section>
  );
}

const TURNED = { min: -1, max: 1, step: 0.02 };
const RANGES: Record<Slider, { min: number; max: number; step: number }> = {
  exposure: { min: -2, max: 2, step: 0.05 },
  contrast: TURNED,
  warmth: TURNED,
  tint: TURNED,
  saturation: TURNED,
  straighten: { min: -15, max: 15, step: 0.1 },
};

function shownIn(slider: Slider, value: number): string {
  const sign = value > 0 ? "+" : value < 0 ? "−" : "";
  const size = Math.abs(value);
  if (slider === "exposure") return sign + size.toFixed(2);
  return slider === "straighten" ? `${sign}${size.toFixed(1)}°` : sign + Math.round(100 * size);
}
