import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, zip } from "../src/zip.ts";

test("the check sum is CRC-32", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926); // the standard's own
});

test("two files of one name get two names, and bytes stay bytes", async () => {
  const content = new Blob([Uint8Array.from([1, 2, 3])]);
  const packed = await zip([
    { name: "дом.jpg", content },
    { name: "дом.jpg", content },
  ]);
  const bytes = new Uint8Array(await packed.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const end = new DataView(bytes.buffer, bytes.length - 22);

  assert.equal(end.getUint32(0, true), 0x06054b50);
  assert.equal(end.getUint16(10, true), 2);
  assert.equal(text.split("дом 2.jpg").length, 3); // before its bytes and in the directory
  const local = 30 + new TextEncoder().encode("дом.jpg").length;
  assert.deepEqual([...bytes.slice(local, local + 3)], [1, 2, 3]);
});
