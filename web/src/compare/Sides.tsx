import { useRef, type CSSProperties, type PointerEvent } from "react";
import { useCompareWords } from "./Compare.tsx";
import type { Pictures } from "./judging.ts";

/** A place in a picture's pane, as shares of its width and height. */
export interface Spot {
  x: number;
  y: number;
}

interface Props {
  photo: string;
  pictures: Pictures | null;
  spot: Spot | null; // null: the whole photo
  setSpot: (spot: Spot | null) => void;
}

const LEAST = 2; // times larger when looked at closely; else as many as show single pixels
const MOST = 8;

/** Both versions, zoomed and moved together. */
export function Sides({ photo, pictures, spot, setSpot }: Props) {
  const words = useCompareWords();
  const scale = useRef(LEAST);

  function toggle(event: PointerEvent<HTMLElement>): void {
    if (spot) return setSpot(null);
    const image = event.currentTarget.querySelector("img");
    if (!image) return;
    const shown = Math.min(
      image.clientWidth,
      (image.clientHeight * image.naturalWidth) / Math.max(1, image.naturalHeight),
    );
    scale.current = Math.min(MOST, Math.max(LEAST, image.naturalWidth / Math.max(1, shown)));
    setSpot(spotAt(event));
  }

  // A mouse points at what it wants to see; a finger drags the picture.
  function move(event: PointerEvent<HTMLElement>): void {
    if (!spot) return;
    if (event.pointerType === "mouse") return setSpot(spotAt(event));
    const { width, height } = event.currentTarget.getBoundingClientRect();
    const further = scale.current - 1;
    setSpot({
      x: clamp(spot.x - event.movementX / (width * further)),
      y: clamp(spot.y - event.movementY / (height * further)),
    });
  }

  const style: CSSProperties = spot
    ? {
        transform: `scale(${scale.current})`,
        transformOrigin: `${100 * spot.x}% ${100 * spot.y}%`,
      }
    : {};
  return (
    <div className={spot ? "sides closer" : "sides"} role="group" aria-label={words.versions}>
      {(["left", "right"] as const).map((side, place) => {
        const letter = "AB"[place]!;
        return (
          <figure
            key={side}
            className="side"
            aria-busy={!pictures}
            onClick={toggle as never}
            onPointerMove={move}
          >
            {pictures && (
              <img src={pictures[side]} alt={words.version(letter, photo)} style={style} />
            )}
            <figcaption className="tag" aria-hidden="true">
              {letter}
            </figcaption>
          </figure>
        );
      })}
    </div>
  );
}

function spotAt(event: PointerEvent<HTMLElement>): Spot {
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
  return {
    x: clamp((event.clientX - left) / width),
    y: clamp((event.clientY - top) / height),
  };
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
