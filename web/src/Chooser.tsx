import type { ReactNode } from "react";
import { photos } from "./photos.ts";

interface Props {
  className: string;
  label: string;
  children: ReactNode;
}

/** A button that lets a person choose photos: a file input wearing a label. */
export function Chooser({ className, label, children }: Props) {
  return (
    <label className={className}>
      <input
        className="unseen"
        type="file"
        multiple
        aria-label={label}
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
