import { useWords } from "../preferences.tsx";

interface Props {
  value: number; // 0 … 1
  x: number; // CSS pixels from the stage's left edge; the next two from its top
  top: number;
  bottom: number;
  onChange: (value: number) => void;
}

const STEP = 0.02;

/** The line between before and after; dragging is the stage's, the keyboard is its own. */
export function Divider({ value, x, top, bottom, onChange }: Props) {
  const words = useWords();
  const percent = Math.round(100 * value);

  function onKeyDown(event: React.KeyboardEvent): void {
    const steps: Record<string, number> = {
      ArrowLeft: value - STEP,
      ArrowRight: value + STEP,
      ArrowDown: value - STEP,
      ArrowUp: value + STEP,
      PageDown: value - 5 * STEP,
      PageUp: value + 5 * STEP,
      Home: 0,
      End: 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the stage would pan
    onChange(Math.min(1, Math.max(0, next)));
  }

  return (
    <div
      className="divider"
      data-divider
      style={{ transform: `translateX(${x}px)`, top, height: bottom - top }}
      role="slider"
      tabIndex={0}
      aria-label={words.divider}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      aria-valuetext={words.dividerAt(percent)}
      onKeyDown={onKeyDown}
    >
      <span className="grip" aria-hidden="true">
        <svg viewBox="0 0 24 24" width="20" height="20">
          <path d="M9 7 4 12l5 5M15 7l5 5-5 5" />
        </svg>
      </span>
    </div>
  );
}
