/** Zoom and pan of the stage. Lengths are CSS pixels, image points are measured from its centre. */

import type { Size } from "../adjust.ts";

export interface View {
  scale: number; // CSS pixels for one of the image
  x: number; // the image point in the middle of the stage
  y: number;
  fitted: boolean; // follows the stage's size until somebody zooms
}

const MOST = 8; // CSS pixels for one of the image
const FIT_MOST = 2; // small photos are not blown up further than this by themselves

export function fit(frame: Size, stage: Size, margin: number): View {
  const across = (stage.width - 2 * margin) / frame.width;
  const down = (stage.height - 2 * margin) / frame.height;
  return { scale: Math.max(0.001, Math.min(across, down, FIT_MOST)), x: 0, y: 0, fitted: true };
}

/** Zoom by a factor about a point of the stage, measured from its middle. */
export function zoomed(view: View, factor: number, least: number, px: number, py: number): View {
  const scale = Math.min(MOST, Math.max(least, view.scale * factor));
  const gone = 1 / view.scale - 1 / scale;
  return { scale, x: view.x + px * gone, y: view.y + py * gone, fitted: false };
}

export function panned(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale, fitted: false };
}

/** Keep the photo in reach: its edges stay at the stage's, or its middle where it is smaller. */
export function held(view: View, frame: Size, stage: Size): View {
  const reach = (photo: number, shown: number) => Math.max(0, (photo - shown / view.scale) / 2);
  const [rx, ry] = [reach(frame.width, stage.width), reach(frame.height, stage.height)];
  const clamp = (value: number, most: number) => Math.min(most, Math.max(-most, value));
  return { ...view, x: clamp(view.x, rx), y: clamp(view.y, ry) };
}

/** Left, right, top and bottom of the photo as far as it is seen, in CSS pixels of the stage. */
export function extent(view: View, frame: Size, stage: Size): [number, number, number, number] {
  const seen = (photo: number, shown: number, at: number): [number, number] => [
    Math.max(0, shown / 2 - (photo / 2 + at) * view.scale),
    Math.min(shown, shown / 2 + (photo / 2 - at) * view.scale),
  ];
  return [...seen(frame.width, stage.width, view.x), ...seen(frame.height, stage.height, view.y)];
}
