import assert from "node:assert/strict";
import { test } from "node:test";
import { NEUTRAL } from "../src/adjust.ts";
import { DEFECTS } from "../src/contracts.ts";
import { isBusy, type Kept, type Photo } from "../src/photo.ts";
import { Photos } from "../src/photos.ts";
import { FakeBrowser, FakeService, json, mended, photosOnce, REPORT } from "./service.ts";

const severities = Object.fromEntries(DEFECTS.map((defect) => [defect, 0]));
const DIRECTLY = {
  "POST /diagnose": () => json({ diagnosis: { severities, thresholds: severities }, found: [] }),
  "POST /enhance_image": () => mended("better"),
};
const JOB = { id: "j1", status: "completed", changed: true, report: REPORT, error: null };
const BY_JOB = {
  "GET /api/images/j1": () => json({ ...JOB, resultUrl: "/api/images/j1/result" }),
  "GET /api/images/j1/result": () => new Response("better"),
  "DELETE /api/images/j1": () => new Response(null, { status: 204 }),
};

async function opened(browser: FakeBrowser): Promise<Photos> {
  const album = new Photos(browser.tab());
  await album.open();
  return album;
}

function aFile(name: string): File {
  return new File([name], name);
}

/** A photo as an earlier visit left it. */
function left(changed: Partial<Kept>): Kept {
  return {
    id: "p1",
    name: "kitchen.jpg",
    file: aFile("kitchen.jpg"),
    addedAt: 1,
    mode: "enhance",
    phase: "working",
    diagnosis: null,
    found: [],
    results: {},
    strength: 1,
    palette: "lite",
    adjustments: NEUTRAL,
    failure: null,
    job: null,
    ...changed,
  };
}

const allReady = (photos: Photo[]) => photos.length > 0 && photos.every((p) => p.phase === "ready");
const textOf = (photo: Photo | undefined) => photo?.results.enhance?.photo?.text();

test("a reload finds photos and results again and asks for nothing", async () => {
  const browser = new FakeBrowser();
  new FakeService(DIRECTLY);
  const before = await opened(browser);
  before.add([aFile("kitchen.jpg"), aFile("attic.jpg")]);
  await photosOnce(before, allReady);
  const service = new FakeService({});

  const after = (await opened(browser)).current();

  assert.deepEqual(
    after.photos.map(({ name, phase }) => [name, phase]),
    [
      ["kitchen.jpg", "ready"],
      ["attic.jpg", "ready"],
    ],
  );
  assert.equal(await textOf(after.photos[1]), "better");
  assert.equal(after.selected, after.photos[0]?.id);
  assert.deepEqual(service.asked, []);
});

test("what a reload has interrupted is done again", async () => {
  const browser = new FakeBrowser();
  browser.kept.set("p1", left({ phase: "looking" }));
  new FakeService(DIRECTLY);

  const [photo] = await photosOnce(await opened(browser), allReady);

  assert.equal(await textOf(photo), "better");
});

test("a page that goes away takes nothing for failed", async () => {
  const browser = new FakeBrowser();
  const service = new FakeService({});
  const album = await opened(browser);
  album.add([aFile("kitchen.jpg")]);

  album.leave();
  service.breakOff();
  await new Promise(setImmediate);

  assert.deepEqual([...browser.kept.values()].map(isBusy), [true]);
});

test("a job of the last visit is followed, not handed over again, and then deleted", async () => {
  const browser = new FakeBrowser();
  browser.kept.set("p1", left({ phase: "queued", job: "j1" }));
  const service = new FakeService(BY_JOB);

  const [photo] = await photosOnce(await opened(browser), allReady);
  await new Promise(setImmediate);

  assert.equal(await textOf(photo), "better");
  assert.deepEqual(service.asked, Object.keys(BY_JOB));
  assert.equal(browser.kept.get("p1")?.job, null);
});

test("a job that the service has lost is handed over anew", async () => {
  const browser = new FakeBrowser();
  browser.kept.set("p1", left({ phase: "queued", job: "lost" }));
  const service = new FakeService({
    ...BY_JOB,
    "GET /api/images/lost": () => json({ code: "not_found" }, 404),
    "POST /api/images": () => json(JOB, 201),
  });

  await photosOnce(await opened(browser), allReady);

  assert.ok(service.asked.includes("POST /api/images"));
});

test("a photo that is removed leaves neither a job nor anything kept", async () => {
  const browser = new FakeBrowser();
  browser.kept.set("p1", left({ phase: "queued", job: "j1" }));
  const service = new FakeService({ "DELETE /api/images/j1": BY_JOB["DELETE /api/images/j1"] });
  const album = await opened(browser);

  album.remove("p1");

  assert.deepEqual(album.current().photos, []);
  assert.equal(browser.kept.size, 0);
  assert.ok(service.asked.includes("DELETE /api/images/j1"));
});

test("tabs show what others have finished and drop what others remove", async () => {
  const browser = new FakeBrowser();
  new FakeService(DIRECTLY);
  const [one, other] = [await opened(browser), await opened(browser)];

  one.add([aFile("kitchen.jpg")]);
  const [photo] = await photosOnce(other, allReady);
  assert.equal(await textOf(photo), "better");

  other.remove(photo?.id ?? "");
  await photosOnce(one, (photos) => photos.length === 0);
});

test("a tab that waits takes the result that another has", async () => {
  const browser = new FakeBrowser();
  browser.kept.set("p1", left({ phase: "queued", job: "j1" }));
  new FakeService({}); // nobody answers this tab
  const waits = await opened(browser);
  new FakeService(BY_JOB);
  await photosOnce(await opened(browser), allReady);

  const [photo] = await photosOnce(waits, allReady);

  assert.equal(await textOf(photo), "better");
});
