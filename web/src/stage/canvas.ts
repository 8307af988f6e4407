/** The stage without a graphics processor: the same picture, adjusted on a smaller copy. */

import { curve, gains, LUMA, NEUTRAL, toLevel, type Adjustments, type Rgb } from "../adjust.ts";
import type { Renderer, Scene } from "./scene.ts";

const MAX_SIDE_PX = 1280; // a slider's step then takes some 20 ms

export function canvasRenderer(canvas: HTMLCanvasElement): Renderer {
  const context = canvas.getContext("2d")!;
  let before: ImageBitmap;
  let after: ImageBitmap;
  let turned: { by: string; picture: HTMLCanvasElement } | null = null;

  function adjustedPicture(blend: number, adjustments: Adjustments): HTMLCanvasElement {
    const by = JSON.stringify([blend, { ...adjustments, straighten: 0 }]);
    if (turned?.by !== by) turned = { by, picture: paint(before, after, blend, adjustments) };
    return turned.picture;
  }

  function draw(scene: Scene, picture: CanvasImageSource, left: number, right: number): void {
    const { width, height } = scene.frame;
    const size = picture === before ? scene.before : scene.after;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, canvas.height);
    context.clip();
    context.translate(canvas.width / 2, canvas.height / 2);
    context.scale(scene.scale, scene.scale);
    context.translate(-scene.centre.x, -scene.centre.y);
    context.beginPath();
    context.rect(-width / 2, -height / 2, width, height);
    context.clip();
    if (picture !== before) context.rotate((scene.adjustments.straighten * Math.PI) / 180);
    context.drawImage(picture, -size.width / 2, -size.height / 2, size.width, size.height);
    context.restore();
  }

  return {
    maxSide: MAX_SIDE_PX,
    show(was, is) {
      before = was;
      after = is ?? was;
      turned = null;
    },
    draw(scene) {
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingQuality = "high";
      draw(scene, before, 0, scene.divider);
      const after = adjustedPicture(scene.blend, scene.adjustments);
      draw(scene, after, scene.divider, canvas.width);
    },
    destroy() {
      turned = null;
    },
  };
}

function paint(
  before: ImageBitmap,
  after: ImageBitmap,
  blend: number,
  adjustments: Adjustments,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [after.width, after.height];
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.drawImage(before, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = blend;
  context.drawImage(after, 0, 0);
  const whole = context.getImageData(0, 0, canvas.width, canvas.height);
  apply(whole.data, { ...NEUTRAL, ...adjustments });
  context.putImageData(whole, 0, 0);
  return canvas;
}

function apply(data: Uint8ClampedArray, adjustments: Adjustments): void {
  const tables = gains(adjustments).map((gain) =>
    Float32Array.from({ length: 256 }, (_, v) => curve(v / 255, gain, adjustments.contrast)),
  );
  const colour = 1 + adjustments.saturation;
  for (let at = 0; at < data.length; at += 4) {
    const s = [0, 1, 2].map((k) => tables[k]![data[at + k]!]!) as Rgb;
    const luma = LUMA[0] * s[0] + LUMA[1] * s[1] + LUMA[2] * s[2];
    for (let k = 0; k < 3; k++) data[at + k] = toLevel(luma + colour * (s[k]! - luma));
  }
}
