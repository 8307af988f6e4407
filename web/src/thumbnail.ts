/** A small picture of each photo, and whether that picture has any colour. */

import type { Size } from "./adjust.ts";

const SIDE_PX = 240;

interface Shown {
  size: Size;
  thumbnail: string;
  looksGrey: boolean;
}

/** Null where the browser cannot decode the file; the service will say more about it. */
export async function thumbnailOf(file: Blob): Promise<Shown | null> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return null;
  }
  const { width, height } = picture;
  const scale = Math.min(1, SIDE_PX / Math.min(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return null;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const looksGrey = isGrey(context.getImageData(0, 0, canvas.width, canvas.height).data);
  const small = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  const thumbnail = small ? URL.createObjectURL(small) : "";
  return { size: { width, height }, thumbnail, looksGrey };
}

/** One hue at most, as in black-and-white photos and brown prints: the differences do not spread. */
function isGrey(data: Uint8ClampedArray): boolean {
  const warm: number[] = [];
  const cool: number[] = [];
  for (let at = 0; at < data.length; at += 16) {
    const luma = (data[at]! + data[at + 1]! + data[at + 2]!) / 3 + 16;
    warm.push((data[at]! - data[at + 1]!) / luma);
    cool.push((data[at + 2]! - data[at + 1]!) / luma);
  }
  return spread(warm) < 0.035 && spread(cool) < 0.035;
}

function spread(values: number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
