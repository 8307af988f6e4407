/** The two pictures of the selected photo, decoded for the stage. */

import { useEffect, useState } from "react";
import type { Size } from "../adjust.ts";

export interface Pictures {
  of: Blob; // the photo's own bytes: tells whose pictures these are
  before: ImageBitmap;
  after: ImageBitmap | null;
  beforeSize: Size;
  afterSize: Size;
}

/** Null while decoding another photo's, or where the browser cannot; the last ones stay meanwhile. */
export function usePictures(file: Blob, result: Blob | null, maxSide: number): Pictures | null {
  const [pictures, setPictures] = useState<Pictures | null>(null);
  useEffect(() => {
    if (maxSide === 0) return; // no renderer yet
    let wanted = true;
    const decoding = Promise.all([decode(file, maxSide), result && decode(result, maxSide)]);
    decoding.then(
      ([before, after]) => {
        if (!wanted) return close(before.picture, after?.picture);
        setPictures({
          of: file,
          before: before.picture,
          after: after?.picture ?? null,
          beforeSize: before.size,
          afterSize: after?.size ?? before.size,
        });
      },
      () => wanted && setPictures(null),
    );
    return () => {
      wanted = false;
    };
  }, [file, result, maxSide]);
  useEffect(() => () => close(pictures?.before, pictures?.after), [pictures]);
  return pictures?.of === file ? pictures : null;
}

function close(...pictures: (ImageBitmap | null | undefined)[]): void {
  for (const picture of pictures) picture?.close();
}

async function decode(file: Blob, maxSide: number): Promise<{ picture: ImageBitmap; size: Size }> {
  const whole = await createImageBitmap(file, { premultiplyAlpha: "none" });
  const size = { width: whole.width, height: whole.height };
  const shrink = maxSide / Math.max(whole.width, whole.height);
  if (shrink >= 1) return { picture: whole, size };
  const picture = await createImageBitmap(whole, {
    resizeWidth: Math.max(1, Math.round(whole.width * shrink)),
    resizeHeight: Math.max(1, Math.round(whole.height * shrink)),
    resizeQuality: "high",
    premultiplyAlpha: "none",
  });
  whole.close();
  return { picture, size };
}
