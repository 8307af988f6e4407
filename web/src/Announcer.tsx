import { useEffect, useRef, useState } from "react";
import { phaseIn } from "./Filmstrip.tsx";
import type { Photo } from "./photo.ts";
import { useWords } from "./preferences.tsx";

/** Says to those who cannot see it what has become of a photo. */
export function Announcer({ photos }: { photos: Photo[] }) {
  const words = useWords();
  const told = useRef(new Map<string, string>());
  const [text, setText] = useState("");
  useEffect(() => {
    for (const photo of photos) {
      if (photo.phase !== "ready" && photo.phase !== "failed") {
        told.current.delete(photo.id);
        continue;
      }
      const news = `${photo.name}: ${phaseIn(photo, words)}`;
      if (told.current.get(photo.id) !== news) setText(news);
      told.current.set(photo.id, news);
    }
  }, [photos, words]);
  return (
    <p className="unseen" role="status">
      {text}
    </p>
  );
}
