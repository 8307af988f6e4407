import { useEffect, useRef } from "react";
import { Icon, type IconName } from "./icons.tsx";
import { isBusy, resultOf, type Photo } from "./photo.ts";
import { photos, type Album } from "./photos.ts";
import { useWords } from "./preferences.tsx";
import type { Words } from "./words.ts";

/** All photos of this visit with what becomes of each. */
export function Filmstrip({ album }: { album: Album }) {
  const words = useWords();
  return (
    <nav className="filmstrip" aria-label={words.photos}>
      <ul>
        {album.photos.map((photo) => (
          <Frame key={photo.id} photo={photo} selected={photo.id === album.selected} />
        ))}
      </ul>
    </nav>
  );
}

function Frame({ photo, selected }: { photo: Photo; selected: boolean }) {
  const words = useWords();
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (selected) item.current?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [selected]);

  function onKeyDown(event: React.KeyboardEvent): void {
    const beside = event.key === "ArrowRight" ? "nextElementSibling" : "previousElementSibling";
    if (event.key === "Delete") photos.remove(photo.id);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const next = item.current?.[beside]?.querySelector("button");
      next?.focus();
      next?.click();
    } else return;
    event.preventDefault();
  }

  return (
    <li ref={item}>
      <button
        className="frame"
        aria-current={selected ? "true" : undefined}
        onClick={() => photos.select(photo.id)}
        onKeyDown={onKeyDown}
      >
        <span className="frame-picture">
          {photo.thumbnail ? <img src={photo.thumbnail} alt="" /> : <Icon name="image" />}
          <Badge photo={photo} />
        </span>
        <span className="frame-name">{photo.name}</span>
        <span className="frame-phase" data-phase={photo.phase}>
          {phaseIn(photo, words)}
        </span>
      </button>
      <button
        className="frame-remove"
        aria-label={words.remove(photo.name)}
        title={words.remove(photo.name)}
        onClick={() => photos.remove(photo.id)}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

function Badge({ photo }: { photo: Photo }) {
  const result = resultOf(photo);
  if (isBusy(photo)) return <span className="badge busy" />;
  const failed = photo.phase === "failed";
  const icon: IconName = failed ? "warning" : result?.photo ? "sparkle" : "check";
  return (
    <span className={`badge ${failed ? "bad" : "good"}`}>
      <Icon name={icon} />
    </span>
  );
}

export function phaseIn(photo: Photo, words: Words): string {
  const colours = photo.mode === "colorize";
  switch (photo.phase) {
    case "waiting":
      return words.phase.waiting;
    case "queued":
      return words.phase.queued;
    case "looking":
      return words.phase.looking;
    case "working":
      return colours ? words.phase.colouring : words.phase.mending;
    case "failed":
      return words.phase.failed;
    case "ready":
      if (!resultOf(photo)?.photo) return photo.found.length ? words.phase.left : words.phase.fine;
      return colours ? words.phase.coloured : words.phase.done;
  }
}
