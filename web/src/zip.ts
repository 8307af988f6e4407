/** Files as one .zip, stored without compression: photos are compressed already. */

export interface Entry {
  name: string;
  content: Blob;
}

const UTF8_NAMES = 0x0800;
const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const DATED_1980 = 0x0021; // the format's first day; a date would only tell when it was downloaded

/** APPNOTE.TXT of PKWARE, sections 4.3.7, 4.3.12 and 4.3.16; below 4 GB and 65 536 files. */
export async function zip(entries: Entry[]): Promise<Blob> {
  const parts: BlobPart[] = [];
  const directory: BlobPart[] = [];
  let offset = 0;
  let directoryBytes = 0;
  for (const { name, content } of named(entries)) {
    const encoded = new TextEncoder().encode(name);
    const common = [
      u16(20), // version needed: 2.0
      u16(UTF8_NAMES),
      u16(0), // stored
      u16(0),
      u16(DATED_1980),
      u32(crc32(new Uint8Array(await content.arrayBuffer()))),
      u32(content.size),
      u32(content.size),
      u16(encoded.length),
      u16(0), // no extra field
    ];
    const local = bytes([u32(LOCAL), ...common]);
    const central = bytes([
      u32(CENTRAL),
      u16(20),
      ...common,
      u16(0), // no comment
      u16(0), // disk
      u16(0),
      u32(0),
      u32(offset),
    ]);
    parts.push(local, encoded, content);
    directory.push(central, encoded);
    offset += local.length + encoded.length + content.size;
    directoryBytes += central.length + encoded.length;
  }
  const count = u16(entries.length);
  const end = bytes([
    ...[u32(END), u16(0), u16(0), count, count],
    ...[u32(directoryBytes), u32(offset), u16(0)],
  ]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

/** The same entries under names that occur once: `a.jpg`, `a 2.jpg`. */
function named(entries: Entry[]): Entry[] {
  const taken = new Set<string>();
  return entries.map(({ name, content }) => {
    const dot = name.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${stem} ${n}${ending}`;
    taken.add(free);
    return { name: free, content };
  });
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

export function crc32(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) crc = TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function u16(value: number): number[] {
  return [value & 255, (value >>> 8) & 255];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

function bytes(fields: number[][]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(fields.flat());
}
