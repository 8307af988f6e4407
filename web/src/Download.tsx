import { useState } from "react";
import { Failure } from "./api.ts";
import { Icon } from "./icons.tsx";
import type { Photo } from "./photo.ts";
import { photos } from "./photos.ts";
import { useWords } from "./preferences.tsx";
import { toldFailure } from "./telling.ts";
import { zip } from "./zip.ts";

export function DownloadOne({ photo }: { photo: Photo }) {
  const words = useWords();
  const [packs, failure, pack] = usePacking();
  const get = () => pack(async () => save(await photos.final(photo), savedName(photo.name)));
  const busy = packs || photo.phase !== "ready";
  return (
    <>
      {failure && (
        <p className="notice bad" role="alert">
          {toldFailure(failure, words)}
        </p>
      )}
      <button className="button primary" disabled={busy} onClick={get}>
        <Icon name="download" />
        {packs ? words.packing : words.download}
      </button>
    </>
  );
}

/** Every photo that is ready, those with nothing to mend as they came. */
export function DownloadAll({ photos: all }: { photos: Photo[] }) {
  const words = useWords();
  const [packs, failure, pack] = usePacking();
  const ready = all.filter((photo) => photo.phase === "ready");
  const get = () =>
    pack(async () => {
      const entries = [];
      for (const photo of ready)
        entries.push({ name: savedName(photo.name), content: await photos.final(photo) });
      save(await zip(entries), "darkroom.zip");
    });
  return (
    <button
      className="button"
      aria-label={words.downloadAll(ready.length)}
      disabled={packs || ready.length === 0}
      onClick={get}
      title={failure ? toldFailure(failure, words) : undefined}
    >
      <Icon name={failure ? "warning" : "download"} />
      <span className="wide">{packs ? words.packing : words.downloadAll(ready.length)}</span>
    </button>
  );
}

function usePacking(): [boolean, string | null, (work: () => Promise<void>) => void] {
  const [packs, setPacks] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const pack = (work: () => Promise<void>) => {
    setPacks(true);
    setFailure(null);
    work()
      .catch((error) => setFailure(error instanceof Failure ? error.code : "internal"))
      .finally(() => setPacks(false));
  };
  return [packs, failure, pack];
}

/** `kitchen.jpg` → `kitchen-darkroom.jpg`: beside the original nothing is overwritten. */
function savedName(name: string): string {
  return name.replace(/(\.[^.]*)?$/, "-darkroom$1");
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser reads it on its own time
}
