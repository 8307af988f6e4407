import assert from "node:assert/strict";
import { test } from "node:test";
import type { Defect, Diagnosis, Report } from "../src/contracts.ts";
import { DEFECTS } from "../src/contracts.ts";
import { degree, foundIn, told } from "../src/telling.ts";
import { WORDS } from "../src/words.ts";

function diagnosed(severities: Partial<Record<Defect, number>>): Diagnosis {
  const all = (value: number) => Object.fromEntries(DEFECTS.map((defect) => [defect, value]));
  return {
    severities: { ...all(0), ...severities } as Record<Defect, number>,
    thresholds: all(0.4) as Record<Defect, number>,
  };
}

test("defects at or over their threshold count, worst first", () => {
  const diagnosis = diagnosed({ noisy: 0.4, hazy: 0.9, blur: 0.39 });
  assert.deepEqual(foundIn(diagnosis), ["hazy", "noisy"]);
  assert.deepEqual([degree(diagnosis, "noisy"), degree(diagnosis, "hazy")], [1, 3]);
});

test("a report is told in one sentence", () => {
  const by = { model: "tone", version: "1.0", device: "cpu", notes: {} };
  const report: Report = {
    diagnosis: null,
    diagnosed_by: null,
    diagnose_ms: null,
    steps: [{ enhancer: "tone", defects: ["low_light", "poor_white_balance"], ms: 20, by }],
    skipped: [],
    undone: [],
    colorized: null,
    total_ms: 182.4,
  };
  assert.equal(told(report, WORDS.en), "Brightened, white balance corrected; 182\u00a0ms");
  assert.equal(told(report, WORDS.ru), "Стало светлее, баланс белого исправлен; 182\u00a0мс");
});

test("Russian counts in three forms", () => {
  const { photoCount } = WORDS.ru;
  assert.deepEqual([1, 3, 11].map(photoCount), ["1 фотография", "3 фотографии", "11 фотографий"]);
});
