/** Photos that are dropped anywhere on the page or pasted into it. */

import { useEffect } from "react";
import { photos } from "./photos.ts";

export function useArrivals(setHovers: (hovers: boolean) => void): void {
  useEffect(() => {
    let depth = 0; // entering a child comes before leaving its parent
    const hover = (change: number) => setHovers((depth = Math.max(0, depth + change)) > 0);
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files");

    const listeners = {
      dragenter: (event: DragEvent) => carriesFiles(event) && hover(1),
      dragleave: (event: DragEvent) => carriesFiles(event) && hover(-1),
      dragover: (event: DragEvent) => carriesFiles(event) && event.preventDefault(),
      drop: (event: DragEvent) => {
        event.preventDefault();
        hover(-depth);
        arrived(event.dataTransfer);
      },
      paste: (event: ClipboardEvent) => arrived(event.clipboardData),
    };
    const entries = Object.entries(listeners) as [string, EventListener][];
    for (const [name, listener] of entries) window.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of entries) window.removeEventListener(name, listener);
    };
  }, [setHovers]);
}

function arrived(data: DataTransfer | null): void {
  if (data && data.files.length > 0) photos.add(data.files);
}
