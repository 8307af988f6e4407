"""Bad input through the real cluster: its status and code, and the next good photo is served."""

import io
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from darkroom import Darkroom
from darkroom.contracts.errors import (
    MalformedRequest,
    OutOfTime,
    PayloadTooLarge,
    ServiceError,
    TooManyPixels,
    UnknownDefect,
    UnknownOption,
    UnreadablePhoto,
    UnsupportedPhoto,
)
from tests.end_to_end.pictures import PATIENT_MS, darken, read
from tests.imaging.forge import declare_size, png_of_one_colour
from tests.photos import load_photo, to_bytes

pytestmark = pytest.mark.stack


def animated_webp() -> bytes:
    frames = [Image.new("RGB", (8, 6), (40 * n, 90, 120)) for n in range(4)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.fixture
def good_photo(darkroom: Darkroom):
    """A photo that must be mended after whatever a test has sent."""
    photo = to_bytes(darken(load_photo("coffee"), stops=3))
    yield photo
    mended = darkroom.enhance(photo, budget_ms=PATIENT_MS).photo
    assert mended is not None, "the next good photo is not served"
    assert read(mended).shape == (400, 600, 3)


BAD_PHOTOS = {
    "zero bytes": (b"", UnsupportedPhoto),
    "text": (b"this is no picture", UnsupportedPhoto),
    "html": (b"<html><img src=x></html>", UnsupportedPhoto),
    "gif": (b"GIF89a" + bytes(50), UnsupportedPhoto),
    "pdf": (b"%PDF-1.7\n" + bytes(100), UnsupportedPhoto),
    "jpeg of three bytes": (b"\xff\xd8\xff", UnreadablePhoto),
    "png without data": (to_bytes(load_photo("chelsea"), "png")[:60], UnreadablePhoto),
    "claims 65500×65500": (
        declare_size(to_bytes(load_photo("chelsea")), 65_500, 65_500),
        TooManyPixels,
    ),
    "bomb of 9000×9000": (png_of_one_colour(9000, 9000), TooManyPixels),
    "over the byte limit": (b"\xff\xd8\xff" + bytes(33 << 20), PayloadTooLarge),
}


@pytest.mark.usefixtures("good_photo")
@pytest.mark.parametrize("case", BAD_PHOTOS)
def test_bad_photo_is_refused_by_its_code(darkroom, case):
    """What is no photo for us gets the status and code of the design."""
    payload, error = BAD_PHOTOS[case]

    with pytest.raises(error) as raised:
        darkroom.enhance(payload, budget_ms=PATIENT_MS)

    assert raised.type is error


@pytest.mark.usefixtures("good_photo")
@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_truncated_photo_is_unreadable(darkroom, kind, share):
    """A file that ends too early is 422 wherever it ends; the model server says so for itself."""
    photo = to_bytes(darken(load_photo("coffee"), stops=3), kind)

    with pytest.raises((UnreadablePhoto, UnsupportedPhoto)) as raised:
        darkroom.enhance(photo[: int(share * len(photo))], budget_ms=PATIENT_MS)

    assert raised.value.status == 422


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (7, 7), (1, 20_000), (20_000, 1)], ids=lambda n: str(n)
)
def test_photo_of_an_odd_size_is_answered(darkroom, good_photo, width, height):  # noqa: ARG001
    """The smallest and the thinnest photos are photos: they come back at their size, or 204."""
    photo = to_bytes(Image.new("RGB", (width, height), (20, 18, 16)), "png")

    mended = darkroom.enhance(photo, budget_ms=PATIENT_MS).photo

    assert mended is None or read(mended).shape == (height, width, 3)


@pytest.mark.parametrize("level", [0, 255], ids=["black", "white"])
def test_photo_without_any_drawing_is_answered(darkroom, level):
    """All black and all white are photos too."""
    photo = to_bytes(Image.new("RGB", (80, 60), (level, level, level)))

    mended = darkroom.enhance(photo, budget_ms=PATIENT_MS).photo

    assert mended is None or read(mended).shape == (60, 80, 3)


@pytest.mark.usefixtures("good_photo")
def test_animation_is_refused(darkroom):
    """An animated picture is no photo: 422, and no frame of it is mended."""
    with pytest.raises(UnreadablePhoto):
        darkroom.enhance(animated_webp(), budget_ms=PATIENT_MS)


def test_bad_photo_among_fifteen_good_ones_fails_alone(darkroom):
    """Sixteen at the same moment: fifteen are mended, one is 422."""
    good = to_bytes(darken(load_photo("coffee"), stops=3))

    def send(number: int) -> int:
        try:
            sent = good[:-2000] if number == 7 else good
            return 200 if darkroom.enhance(sent, budget_ms=PATIENT_MS).photo else 204
        except ServiceError as error:
            return error.status

    with ThreadPoolExecutor(16) as threads:
        statuses = list(threads.map(send, range(16)))

    assert statuses == [422 if number == 7 else 200 for number in range(16)]


@pytest.mark.usefixtures("good_photo")
def test_unknown_defect_is_refused(darkroom):
    """A defect that does not exist is 400 with its own code."""
    with pytest.raises(UnknownDefect):
        darkroom.fix_defect(to_bytes(load_photo("coffee")), "dust")


@pytest.mark.usefixtures("good_photo")
@pytest.mark.parametrize("options", [{"strength": 2}, {"steps": ["sharpen"]}, {"budget_ms": 1}])
def test_unknown_option_is_refused(darkroom, options):
    """An option's value outside its range is 400."""
    with pytest.raises(UnknownOption):
        darkroom.enhance(to_bytes(load_photo("coffee")), **options)


@pytest.mark.usefixtures("good_photo")
def test_form_without_a_photo_is_refused(cluster):
    """A form whose field has another name than `image` is 400."""
    form = (
        b'--line\r\nContent-Disposition: form-data; name="photo"; filename="x"\r\n\r\n'
        + to_bytes(load_photo("coffee"))
        + b"\r\n--line--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=line"}
    request = urllib.request.Request(f"{cluster.url}/enhance_image", form, kind)

    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=30)

    with raised.value as reply:
        assert (reply.status, MalformedRequest.code.encode() in reply.read()) == (400, True)


@pytest.mark.usefixtures("good_photo")
def test_impossible_budget_is_out_of_time(darkroom):
    """Twenty megapixels in 50 ms cannot be: 504, soon, and the worker is free for the next."""
    photo = to_bytes(darken(load_photo("coffee"), stops=3).repeat(9, axis=0).repeat(9, axis=1))

    with pytest.raises(OutOfTime):
        darkroom.enhance(photo, budget_ms=50)
