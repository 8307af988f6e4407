/** Line icons of one weight, 20 pixels, drawn here. */

const PATHS = {
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  check: "m4 10.5 4 4 8-9",
  warning: "M10 6.5v5M10 14.2v.3M10 2.5l8 14.5H2z",
  download: "M10 3v10m-4-4 4 4 4-4M4 16.5h12",
  bin: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5",
  close: "m5 5 10 10M15 5 5 15",
  closer: "M9 3.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M13 13l4 4M9 6.7v4.6M6.7 9h4.6",
  reset: "M4.5 10a5.5 5.5 0 1 0 1.8-4.1M4.5 3v3.6h3.6",
  sparkle: "M10 3l1.7 5.3L17 10l-5.3 1.7L10 17l-1.7-5.3L3 10l5.3-1.7z",
  clock: "M10 5.5V10l3 2M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  light: "M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.4 4.4l1 1M14.6 14.6l1 1M4.4 15.6l1-1M14.6 5.4l1-1",
  dark: "M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5",
  image: "M3 4.5h14v11H3zM3 13l4-4 3.5 3.5L13 10l4 4M12.5 7.8v.1",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Half of it as it came, half of it lit; `public/logo.svg` has it on a dark tile. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <path className="logo-before" d="M15 3a13 13 0 0 0 0 26z" />
      <path className="logo-after" d="M17 3a13 13 0 0 1 0 26z" />
    </svg>
  );
}
