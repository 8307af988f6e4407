/** What a renderer draws, in image pixels of the shown frame: its centre is the origin, y goes down. */

import type { Adjustments, Size } from "../adjust.ts";

export interface Scene {
  scale: number; // pixels of the canvas for one of the image
  centre: { x: number; y: number }; // the image point in the middle of the canvas
  divider: number; // x on the canvas, in its pixels: before on the left
  before: Size; // of the whole pictures; what is drawn of them may be smaller
  after: Size;
  frame: Size; // what is left of `after` when it has been straightened
  blend: number; // 1 shows `after` as it is, 0 the picture before in its place
  adjustments: Adjustments;
}

export interface Renderer {
  /** Pictures longer than this on a side are shown smaller. */
  readonly maxSide: number;
  show(before: ImageBitmap, after: ImageBitmap | null): void;
  draw(scene: Scene): void;
  destroy(): void;
}
