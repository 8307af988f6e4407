import { useId } from "react";
import { useWords } from "./preferences.tsx";

interface Props {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  neutral: number; // where nothing is done
  shown: string; // the value as people read it
  onChange: (value: number) => void;
}

/** A named slider; its value is a button that takes it back. */
export function SliderField(props: Props) {
  const { label, value, min, max, step, neutral, shown, onChange } = props;
  const words = useWords();
  const id = useId();
  const at = (v: number) => (100 * (v - min)) / (max - min);
  const [from, to] = [Math.min(at(neutral), at(value)), Math.max(at(neutral), at(value))];
  return (
    <div className="slider">
      <label htmlFor={id}>{label}</label>
      <button
        className="slider-value"
        disabled={value === neutral}
        aria-label={`${words.resetOne(label)}, ${shown}`}
        title={words.resetOne(label)}
        onClick={() => onChange(neutral)}
      >
        {shown}
      </button>
      <input
        id={id}
        type="range"
        {...{ min, max, step, value }}
        aria-valuetext={shown}
        style={{ "--from": `${from}%`, "--to": `${to}%` } as React.CSSProperties}
        onChange={(event) => onChange(Number(event.target.value))}
        onDoubleClick={() => onChange(neutral)}
      />
    </div>
  );
}
