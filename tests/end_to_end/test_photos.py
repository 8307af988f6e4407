"""Real photos through the real cluster."""

import http.client

import pytest

from darkroom.cluster.servers import PROJECT
from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.headers import REPORT
from darkroom.contracts.report import Report
from darkroom.imaging.metrics import psnr
from tests.end_to_end.pictures import PATIENT_MS, add_noise, darken, luma, read
from tests.photos import PHOTOS, load_photo, to_bytes
from tests.rooms import draw_room

pytestmark = pytest.mark.stack

GOOD_DB = 38.0  # a change below this can be seen
ROOMS = (1, 2, 3)
# What is meant to be dark or warm cannot be told from what is not: these are no good photos.
AT_DUSK, BY_LAMPLIGHT = "rocket", "coffee"
NOT_PLAIN = (AT_DUSK, BY_LAMPLIGHT)


@pytest.mark.parametrize("name", [name for name in PHOTOS if name != AT_DUSK])
def test_dark_photo_comes_back_brighter(darkroom, name):
    """Three stops too dark: the answer's brightness is at least half-way back."""
    original = load_photo(name)
    dark = to_bytes(darken(original, stops=3))

    mended = darkroom.enhance(dark, budget_ms=PATIENT_MS).photo

    assert mended is not None
    before, after = luma(read(dark)), luma(read(mended))
    assert abs(after - luma(original)) < 0.5 * abs(before - luma(original))


@pytest.mark.parametrize("seed", ROOMS)
def test_dark_room_comes_back_closer_to_the_original(darkroom, seed):
    """A dark room comes back at least 6 dB nearer to what it was before it was darkened."""
    original = draw_room(seed, 1280, 960)
    dark = to_bytes(darken(original, stops=3))

    mended = darkroom.enhance(dark, budget_ms=PATIENT_MS).photo

    assert mended is not None
    assert psnr(read(mended), original) > psnr(read(dark), original) + 6


@pytest.mark.parametrize("name", ["astronaut", "chelsea"])
def test_dark_noisy_photo_is_lit_by_what_its_noise_told(darkroom, name):
    """Restored and lit it is 1 dB nearer to the original than after the better of both steps."""
    original = load_photo(name)
    photo = to_bytes(add_noise(darken(original, stops=2), levels=12), "png")

    whole = darkroom.enhance(photo, budget_ms=PATIENT_MS)
    alone = [
        darkroom.enhance(photo, steps=(step,), budget_ms=PATIENT_MS).photo
        for step in (Enhancer.RESTORE, Enhancer.TONE)
    ]

    restored, toned = whole.report.steps
    assert (restored.enhancer, toned.enhancer) == (Enhancer.RESTORE, Enhancer.TONE)
    assert toned.by.notes["map"] == "foreseen"
    best_alone = max(psnr(read(mended), original) for mended in alone)
    assert psnr(read(whole.photo), original) > best_alone + 1


@pytest.mark.parametrize("name", [n for n in PHOTOS if n not in NOT_PLAIN])
def test_good_photo_is_left_alone(darkroom, name):
    """A good photo gets 204, or an answer that cannot be told from it."""
    photo = to_bytes(load_photo(name), quality=95)

    mended = darkroom.enhance(photo, budget_ms=PATIENT_MS).photo

    assert mended is None or psnr(read(mended), read(photo)) >= GOOD_DB


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_answer_has_the_format_and_size_of_the_photo(darkroom, kind):
    """JPEG, PNG and WebP come back as they were sent, at their full size."""
    picture = darken(load_photo("coffee"), stops=3)

    mended = darkroom.enhance(to_bytes(picture, kind), budget_ms=PATIENT_MS).photo

    assert mended is not None
    starts = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG", "webp": b"RIFF"}
    assert mended.startswith(starts[kind])
    assert read(mended).shape == picture.shape


def test_large_photo_is_mended_at_full_size(darkroom):
    """Twelve megapixels go through and come back with all of them."""
    dark = darken(draw_room(4, 4000, 3000), stops=3)

    mended = darkroom.enhance(to_bytes(dark), budget_ms=PATIENT_MS).photo

    assert mended is not None
    assert read(mended).shape == (3000, 4000, 3)
    assert luma(read(mended)) > luma(dark) + 20


@pytest.mark.parametrize("defect", ["low_light", "hazy", Defect.POOR_WHITE_BALANCE])
def test_named_defect_is_mended(darkroom, defect):
    """`/fix_defect` answers with a photo, by the enhancer of that defect alone."""
    dark = to_bytes(darken(load_photo("chelsea"), stops=3))

    fixed = darkroom.fix_defect(dark, defect, budget_ms=PATIENT_MS)

    assert read(fixed.photo).shape == load_photo("chelsea").shape
    assert [(s.enhancer, s.defects) for s in fixed.report.steps] == [
        (Enhancer.TONE, (Defect(defect),))
    ]


def test_diagnosis_of_a_dark_photo_names_its_darkness(darkroom):
    """`/diagnose` gives all nine severities; low light is over its threshold and gets a step."""
    answer = darkroom.diagnose(
        to_bytes(darken(load_photo("coffee"), stops=3)), budget_ms=PATIENT_MS
    )

    assert set(answer.diagnosis.severities) == set(Defect)
    assert Defect.LOW_LIGHT in answer.diagnosis.found
    assert Enhancer.TONE in [step.enhancer for step in answer.steps]
    assert (answer.width, answer.height) == (600, 400)


def test_problems_are_listed_worst_first(darkroom):
    """`/detect_problems` lists what `/diagnose` finds, in its order."""
    photo = to_bytes(darken(load_photo("coffee"), stops=3))

    problems = darkroom.detect_problems(photo, budget_ms=PATIENT_MS)

    assert tuple(problems) == darkroom.diagnose(photo, budget_ms=PATIENT_MS).diagnosis.found


def test_report_tells_the_whole_story(darkroom):
    """The report names models, versions and weights, and its times add up."""
    photo = to_bytes(darken(load_photo("coffee"), stops=3))

    report = darkroom.enhance(photo, budget_ms=PATIENT_MS).report

    manifest = (PROJECT / "model-store" / "manifest.toml").read_text()
    models = [report.diagnosed_by, *(step.by for step in report.steps)]
    assert [model.model for model in models] == ["defects", "tone"]
    assert all(model.weights_sha256 in manifest for model in models)
    assert all(model.stages.decode_ms > 0 and model.version for model in models)
    assert report.steps[0].by.notes["pixels"] == "shared"  # it has not decoded the photo again
    assert report.steps[0].by.stages.encode_ms > 0
    assert report.steps[0].by.stages.apply_ms > 0
    hops = report.diagnose_ms + sum(step.ms for step in report.steps)
    assert sum(model.stages.total_ms for model in models) < hops < report.total_ms
    assert report.budget_ms == PATIENT_MS
    assert report.request_id


def test_plain_http_shows_report_and_times(cluster):
    """Without our client: the photo as body, the report and `Server-Timing` as headers."""
    connection = http.client.HTTPConnection("127.0.0.1", cluster.port, timeout=60)
    photo = to_bytes(darken(load_photo("coffee"), stops=3))
    connection.request("POST", f"/enhance_image?budget_ms={PATIENT_MS}", photo)
    reply = connection.getresponse()
    mended = reply.read()
    connection.close()

    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/jpeg")
    assert read(mended).shape == (400, 600, 3)
    assert Report.model_validate_json(reply.headers[REPORT]).steps
    assert [word.partition(";")[0] for word in reply.headers["Server-Timing"].split(", ")] == [
        "defects",
        "tone",
        "total",
    ]
