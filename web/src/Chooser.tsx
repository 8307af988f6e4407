import type { ReactNode } from "react";
import { photos } from "./photos.ts";

/** A button that lets a person choose photos: a file input wearing a label. */
export function Chooser({ className, children }: { className: string; children: ReactNode }) {
  return (
    <label className={className}>
      <input
        className="unseen"
        type="file"
        multiple
        accept="image/jpeg,image/png,image/webp"
        onChange={(event) => {
          photos.add(event.target.files ?? []);
          event.target.value = ""; // the same file may be chosen again
        }}
      />
      {children}
    </label>
  );
}
