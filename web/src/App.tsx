import { useEffect, useState, useSyncExternalStore } from "react";
import { Announcer } from "./Announcer.tsx";
import { Filmstrip } from "./Filmstrip.tsx";
import { useArrivals } from "./arrivals.ts";
import { Panel } from "./Panel.tsx";
import { photos } from "./photos.ts";
import { useWords } from "./preferences.tsx";
import { Stage } from "./stage/Stage.tsx";
import { TopBar } from "./TopBar.tsx";
import { Welcome } from "./Welcome.tsx";

export function App() {
  const words = useWords();
  const album = useSyncExternalStore(photos.subscribe, photos.current);
  const [hovers, setHovers] = useState(false);
  useArrivals(setHovers);
  const selected = album.photos.find((photo) => photo.id === album.selected);
  useEffect(() => {
    document.title = selected ? `${selected.name} – Darkroom` : "Darkroom";
  }, [selected?.name]);

  return (
    <div className={`app ${selected ? "working" : "empty"}`}>
      <TopBar photos={album.photos} />
      {selected ? (
        <main className="desk">
          <h1 className="unseen">Darkroom</h1>
          <Stage photo={selected} />
          <Filmstrip album={album} />
          <Panel photo={selected} key={selected.id} />
        </main>
      ) : (
        album.isOpen && <Welcome />
      )}
      <Announcer photos={album.photos} />
      {hovers && (
        <div className="drop-here" aria-hidden="true">
          <span>{words.dropNow}</span>
        </div>
      )}
    </div>
  );
}
