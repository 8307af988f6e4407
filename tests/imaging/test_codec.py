import dataclasses
import io

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from darkroom.contracts.errors import TooManyPixels
from darkroom.imaging.codec import decode, encode, jpeg_quality
from darkroom.imaging.header import read_header
from darkroom.imaging.metrics import psnr
from darkroom.imaging.photo import Format
from tests.imaging.forge import GPS_SECRET, MAKER_NOTE, forge_exif, forge_profile
from tests.photos import PHOTOS, load_photo, to_bytes
from tests.rooms import draw_room

LIMIT = 1_000_000
ROOM = draw_room(5, 120, 88)
KINDS = ["jpeg", "png", "webp"]


def viewed(payload: bytes) -> np.ndarray:
    """What a viewer other than ours shows."""
    with Image.open(io.BytesIO(payload)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_agrees_with_another_decoder(kind):
    """All three formats give what Pillow gives, chroma interpolation of JPEG apart."""
    payload = to_bytes(ROOM, kind)
    photo = decode(payload, LIMIT)

    assert photo.format == Format(kind)
    assert photo.pixels.shape == (88, 120, 3)
    assert psnr(photo.pixels, viewed(payload)) > 36


@pytest.mark.parametrize("name", PHOTOS)
def test_unchanged_jpeg_stays_what_it_was(name):
    """Decoded and encoded again, a real photo looks the same to a viewer."""
    payload = to_bytes(load_photo(name), quality=90)

    assert psnr(viewed(payload), viewed(encode(decode(payload, LIMIT)))) > 48


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_writable_and_contiguous(kind):
    """Whatever decoded them, pixels can be handed to any kernel."""
    for mode in ("RGB", "L"):
        pixels = decode(to_bytes(Image.fromarray(ROOM).convert(mode), kind), LIMIT).pixels
        assert pixels.flags.c_contiguous
        assert pixels.flags.writeable


def test_png_is_lossless():
    """A PNG comes back with the very same pixels."""
    assert np.array_equal(viewed(encode(decode(to_bytes(ROOM, "png"), LIMIT))), ROOM)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_baked_once(kind, orientation):
    """All eight stored forms of a photo come out upright, and say so."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # orientation → Pillow's transpose
    undo_of = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = Image.fromarray(ROOM)
    if orientation > 1:
        stored = stored.transpose(undo_of.get(orientation, Image.Transpose(undo[orientation])))
    payload = to_bytes(stored, kind, exif=b"Exif\0\0" + forge_exif(orientation))

    photo = decode(payload, LIMIT)
    again = encode(photo)

    assert photo.pixels.shape == ROOM.shape
    assert psnr(photo.pixels, ROOM) > 30
    assert read_header(again).orientation == 1
    assert psnr(viewed(again), ROOM) > 30


@pytest.mark.parametrize("kind", KINDS)
def test_exif_survives_without_gps_and_thumbnail(kind):
    """The camera's data goes back with the photo; where it was taken does not."""
    exif = forge_exif(6, thumbnail=b"a tiny picture" * 20)
    again = encode(decode(to_bytes(ROOM, kind, exif=b"Exif\0\0" + exif), LIMIT))

    assert GPS_SECRET not in again
    assert b"tiny picture" not in again
    with Image.open(io.BytesIO(again)) as image:
        found = image.getexif()
        details = found.get_ifd(ExifTags.IFD.Exif)
        assert found[ExifTags.Base.Make].rstrip("\0") == "Darkroo"
        assert found[ExifTags.Base.Orientation] == 1
        assert details[ExifTags.Base.MakerNote] == MAKER_NOTE
        size = details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight]
        assert size == image.size


@pytest.mark.parametrize("kind", KINDS)
def test_broken_exif_is_dropped(kind):
    """A photo is not refused for its EXIF."""
    photo = decode(to_bytes(ROOM, kind, exif=b"Exif\0\0II*\0\xff\xff\xff\xff"), LIMIT)

    assert photo.exif == b""
    assert encode(photo)


@pytest.mark.parametrize("kind", KINDS)
def test_profile_is_used_up(kind):
    """Pixels change with the profile, and the result, being sRGB, carries none."""
    plain = decode(to_bytes(ROOM, kind), LIMIT)
    photo = decode(to_bytes(ROOM, kind, icc_profile=forge_profile()), LIMIT)

    assert 15 < psnr(photo.pixels, plain.pixels) < 40
    with Image.open(io.BytesIO(encode(photo))) as image:
        assert "icc_profile" not in image.info


def test_profile_in_several_segments_is_joined():
    """A JPEG cuts a profile over 64 kB into numbered pieces."""
    profile = forge_profile().ljust(150_000, b"\0")
    photo = decode(to_bytes(ROOM, icc_profile=profile), LIMIT)

    assert psnr(photo.pixels, decode(to_bytes(ROOM), LIMIT).pixels) < 40


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_grey_goes_back_with_one_channel(kind):
    """Grey is three equal channels inside and one outside."""
    photo = decode(to_bytes(Image.fromarray(ROOM).convert("L"), kind), LIMIT)

    assert photo.grey
    assert np.ptp(photo.pixels, axis=2).max() == 0
    assert read_header(encode(photo)).channels == 1


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_coloured_grey_goes_back_in_colour(kind):
    """A grey photo that has been given colours keeps them."""
    photo = decode(to_bytes(Image.fromarray(ROOM).convert("L"), kind), LIMIT)

    again = encode(dataclasses.replace(photo, pixels=ROOM))

    assert read_header(again).channels == 3
    assert psnr(viewed(again), ROOM) > 30


def test_grey_jpeg_with_profile_is_converted_as_grey():
    """A grey JPEG is not mistaken for RGB when its profile is applied."""
    grey = Image.fromarray(ROOM).convert("L")
    photo = decode(to_bytes(grey, icc_profile=forge_profile(b"GRAY", 1.0)), LIMIT)

    assert photo.grey
    assert photo.pixels.mean() > np.asarray(grey).mean() + 20


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_goes_back_unchanged(kind, mode):
    """Alpha is kept apart from the colours and returns to the last bit."""
    image = Image.fromarray(ROOM).convert(mode)
    ramp = np.linspace(0, 255, 88 * 120).astype(np.uint8).reshape(88, 120)
    image.putalpha(Image.fromarray(ramp))
    photo = decode(to_bytes(image, kind, **({"exact": True} if kind == "webp" else {})), LIMIT)

    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, ramp)
    with Image.open(io.BytesIO(encode(photo))) as again:
        assert np.array_equal(np.asarray(again.convert("RGBA"))[:, :, 3], ramp)


def test_cmyk_comes_back_as_rgb():
    """Ink is converted to light, whether stored as it is or inverted as Adobe does."""
    payload = to_bytes(Image.fromarray(ROOM).convert("CMYK"))
    photo = decode(payload, LIMIT)

    assert psnr(photo.pixels, ROOM) > 30
    assert photo.alpha is None
    assert read_header(encode(photo)).channels == 3


def test_16_bit_grey_is_scaled():
    """The upper byte stays: full range remains full range."""
    ramp = np.linspace(0, 65535, 48).astype(np.uint16).reshape(6, 8)
    photo = decode(to_bytes(Image.fromarray(ramp), "png"), LIMIT)

    assert np.abs(photo.pixels[:, :, 0] - ramp / 257).max() < 1


def test_16_bit_colour_is_scaled():
    """The same for RGB, which Pillow cannot write: OpenCV did."""
    ramp = np.linspace(0, 65535, 144).astype(np.uint16).reshape(6, 8, 3)
    photo = decode(cv2.imencode(".png", ramp[:, :, ::-1])[1].tobytes(), LIMIT)

    assert np.abs(photo.pixels - ramp / 257).max() < 1


@pytest.mark.parametrize(("mode", "grey"), [("1", True), ("P", False)])
def test_few_colours_are_expanded(mode, grey):
    """1-bit pictures are grey, palettes are colour."""
    image = Image.fromarray(ROOM).convert(mode)
    photo = decode(to_bytes(image, "png"), LIMIT)

    assert photo.grey is grey
    assert np.array_equal(photo.pixels, np.asarray(image.convert("RGB")))


def test_transparent_palette_has_alpha():
    """A palette with a transparent entry gives alpha, without a warning."""
    image = Image.fromarray(ROOM).convert("P")
    photo = decode(to_bytes(image, "png", transparency=image.getpixel((0, 0))), LIMIT)

    assert photo.alpha is not None
    assert photo.alpha[0, 0] == 0
    assert photo.alpha.max() == 255


@pytest.mark.parametrize(("quality", "expected"), [(40, 85), (88, 88), (99, 95)])
def test_jpeg_keeps_its_quality_within_bounds(quality, expected):
    """A result is coded like its source, but never coarsely and never without end."""
    photo = decode(to_bytes(ROOM, quality=quality), LIMIT)

    assert jpeg_quality(photo) == expected
    assert jpeg_quality(decode(encode(photo), LIMIT)) == expected


@pytest.mark.parametrize(("pillow", "name"), [(0, "444"), (1, "422"), (2, "420")])
def test_jpeg_keeps_its_subsampling(pillow, name):
    """Fine chroma stays fine."""
    again = encode(decode(to_bytes(ROOM, subsampling=pillow), LIMIT))

    assert decode(again, LIMIT).subsampling == name


def test_rare_subsampling_is_decoded():
    """Chroma factors that the fast decoder does not know are left to Pillow, not refused."""
    payload = bytearray(
        to_bytes(np.full((48, 64, 3), 128, np.uint8), subsampling=0, progressive=True)
    )
    frame = payload.index(b"\xff\xc2")
    # On a flat picture every block is the same single bit, so the factors may be changed by hand.
    payload[frame + 11 : frame + 20 : 3] = b"\x22\x21\x11"

    photo = decode(bytes(payload), LIMIT)

    assert np.abs(photo.pixels.astype(int) - 128).max() <= 1


@pytest.mark.parametrize(("side", "size"), [(400, (400, 600)), (200, (200, 300)), (60, (100, 150))])
def test_jpeg_is_decoded_at_reduced_size(side, size):
    """The DCT gives small versions directly, never smaller than asked for."""
    photo = load_photo("coffee")
    small = decode(to_bytes(photo), LIMIT, min_side=side).pixels

    assert min(small.shape[:2]) >= side
    assert small.shape[0] <= size[0]
    reference = Image.fromarray(photo).resize(small.shape[1::-1], Image.Resampling.BOX)
    assert psnr(small, np.asarray(reference)) > 28


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 7), (1, 20_000), (20_000, 1)])
def test_extreme_shapes_pass(kind, width, height):
    """The smallest and the thinnest photos go through (a WebP side ends at 16 383)."""
    width, height = (min(side, 16_383) if kind == "webp" else side for side in (width, height))
    again = encode(decode(to_bytes(draw_room(6, width, height), kind), LIMIT))

    assert decode(again, LIMIT).pixels.shape == (height, width, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_declared_pixels_are_limited(kind):
    """One pixel over the limit is one too many."""
    with pytest.raises(TooManyPixels):
        decode(to_bytes(ROOM, kind), 88 * 120 - 1)


def test_decoding_does_not_depend_on_a_pillow_limit(monkeypatch):
    """Pillow's own alarm, which is a warning by default, becomes our error."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for kind in ("png", "webp"):
        with pytest.raises(TooManyPixels):
            decode(to_bytes(ROOM, kind), LIMIT)


def test_srgb_profile_does_not_slow_a_jpeg_down():
    """With the commonest profile the decoder's own buffer is what comes back."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    payload = to_bytes(ROOM, icc_profile=profile)

    assert np.array_equal(decode(payload, LIMIT).pixels, decode(to_bytes(ROOM), LIMIT).pixels)
