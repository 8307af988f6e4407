// The page's copy of the sliders' formulas against the table that the service is held to.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { adjusted, keptOf, NEUTRAL, type Adjustments, type Rgb } from "../src/adjust.ts";

interface Row {
  adjustments: Partial<Adjustments>;
  colours: { from: Rgb; to: Rgb }[];
}

const path = new URL("../../tests/imaging/adjusted_colours.json", import.meta.url);
const table = JSON.parse(readFileSync(path, "utf8")) as Row[];

for (const { adjustments, colours } of table)
  test(`colours move alike on both sides: ${JSON.stringify(adjustments)}`, () => {
    for (const { from, to } of colours) {
      const turned = adjusted(from, { ...NEUTRAL, ...adjustments });
      turned.forEach((level, k) => assert.ok(Math.abs(level - to[k]!) <= 1, `${from} → ${turned}`));
    }
  });

test("a turned frame keeps its shape and fits into itself", () => {
  const { width, height } = keptOf({ width: 400, height: 300 }, 7);
  assert.ok(Math.abs(width / height - 4 / 3) < 1e-9);
  assert.ok(Math.abs(width - 346.31) < 0.01); // worked by hand
});
