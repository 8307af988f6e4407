/** The manual sliders' formulas, the same as in `darkroom/imaging/adjust.py`, which explains them. */

export interface Adjustments {
  exposure: number; // stops, -2 … 2
  contrast: number; // this and the next three: -1 … 1
  warmth: number;
  tint: number;
  saturation: number;
  straighten: number; // degrees clockwise, -15 … 15
}

export type Slider = keyof Adjustments;
export type Rgb = [number, number, number];

export const NEUTRAL: Adjustments = {
  exposure: 0,
  contrast: 0,
  warmth: 0,
  tint: 0,
  saturation: 0,
  straighten: 0,
};

export const SLIDERS = Object.keys(NEUTRAL) as Slider[];

export const LUMA: Rgb = [0.2126, 0.7152, 0.0722];

export function isNeutral(adjustments: Adjustments): boolean {
  return SLIDERS.every((slider) => adjustments[slider] === 0);
}

/** What each channel of linear light is multiplied by. */
export function gains({ exposure, warmth, tint }: Adjustments): Rgb {
  const [r, g, b] = [2 ** (warmth / 2), 2 ** (-tint / 2), 2 ** (-warmth / 2)];
  const scale = 2 ** exposure / (LUMA[0] * r + LUMA[1] * g + LUMA[2] * b);
  return [r * scale, g * scale, b * scale];
}

/** One channel, 0 … 1, after exposure, balance and contrast. */
export function curve(value: number, gain: number, contrast: number): number {
  const light = value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const lit = (gain * light) / (1 + Math.max(gain - 1, 0) * light);
  const s = lit <= 0.0031308 ? lit * 12.92 : 1.055 * lit ** (1 / 2.4) - 0.055;
  return s + contrast * (3 * s * s - 2 * s * s * s - s);
}

/** A colour of three levels, 0 … 255, after all sliders. */
export function adjusted(rgb: Rgb, adjustments: Adjustments): Rgb {
  const gain = gains(adjustments);
  const s = rgb.map((v, k) => curve(v / 255, gain[k] ?? 1, adjustments.contrast)) as Rgb;
  const luma = LUMA[0] * s[0] + LUMA[1] * s[1] + LUMA[2] * s[2];
  const colour = 1 + adjustments.saturation;
  return s.map((v) => toLevel(luma + colour * (v - luma))) as Rgb;
}

export function toLevel(value: number): number {
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}

export interface Size {
  width: number;
  height: number;
}

/** The largest upright rectangle of the same shape inside a frame turned by some degrees. */
export function keptOf({ width, height }: Size, degrees: number): Size {
  const angle = Math.abs(degrees) * (Math.PI / 180);
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const across = width / (width * cosine + height * sine);
  const down = height / (width * sine + height * cosine);
  const share = Math.min(across, down);
  return { width: width * share, height: height * share };
}
