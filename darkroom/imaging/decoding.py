"""From a photo's bytes to its pixels.

JPEG goes through libjpeg-turbo (simplejpeg), twice as fast as Pillow and strict about damage; PNG,
WebP and the rarest kinds of JPEG through Pillow, which is only ever shown the format that the
header promised.
"""

import io
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from darkroom.contracts.errors import TooManyPixels, UnreadablePhoto
from darkroom.imaging import jpeg, metadata
from darkroom.imaging.colour import to_srgb
from darkroom.imaging.header import Format, Header, check_limits, read_header
from darkroom.imaging.photo import Photo, Pixels

_Samples = NDArray[np.uint8]  # (H, W, C): 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA or CMYK

# Beyond Pillow's own limit a photo is refused, whatever limit an operator has set.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

_TURNS: dict[int, Callable[[_Samples], NDArray[Any]]] = {  # what undoes an EXIF orientation
    2: lambda samples: cv2.flip(samples, 1),
    3: lambda samples: cv2.rotate(samples, cv2.ROTATE_180),
    4: lambda samples: cv2.flip(samples, 0),
    5: lambda samples: cv2.transpose(samples),
    6: lambda samples: cv2.rotate(samples, cv2.ROTATE_90_CLOCKWISE),
    7: lambda samples: cv2.flip(cv2.transpose(samples), -1),
    8: lambda samples: cv2.rotate(samples, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
_TURBO_SPACES = {1: "RGB", 3: "RGB", 4: "CMYK"}  # what to ask for, by channels stored


def decode(
    payload: bytes,
    max_pixels: int,
    min_side: int | None = None,
    room: Callable[[int], _Samples | None] | None = None,
) -> Photo:
    """Decode a JPEG, PNG or WebP file: upright, sRGB, 8 bits a channel.

    Grey is repeated over three channels, CMYK is converted, of 16 bits the upper 8 stay, palettes
    and 1-bit pictures are expanded, alpha is kept apart. With `min_side` a JPEG may come back at a
    reduced size, straight from its DCT coefficients, with both sides still at least that long.
    `room` gives memory for so many samples, or None: a JPEG at full size is decoded into it, and
    its pixels stay there unless they have to be turned or converted.

    Damaged files are refused even where a viewer would show half a picture: nobody should get
    grey stripes back as a success.

    Raises:
        UnsupportedPhoto: the content is neither JPEG, PNG nor WebP.
        TooManyPixels: more than `max_pixels` (full size).
        UnreadablePhoto: broken, truncated or animated.
    """
    header = read_header(payload)
    check_limits(header, max_pixels)
    found = metadata.read_metadata(payload, header.format)
    if header.format is Format.JPEG and header.channels in _TURBO_SPACES:
        space = _space(header, bool(found.profile))
        taken = room(header.pixels * 3) if room and space == "RGB" and not min_side else None
        samples = _decode_turbo(payload, header, space, min_side or 0, taken)
    else:
        samples = _decode_pillow(payload, header)
    inks = header.format is Format.JPEG and samples.shape[2] == 4
    has_alpha = samples.shape[2] in (2, 4) and not inks
    alpha = np.ascontiguousarray(samples[:, :, -1]) if has_alpha else None
    colours = np.ascontiguousarray(samples[:, :, :-1]) if has_alpha else samples
    pixels = _upright(to_srgb(colours, found.profile), header.orientation)
    pixels = np.require(pixels, requirements=["C", "W"])  # Pillow's arrays are read-only
    alpha = None if alpha is None else _upright(alpha, header.orientation)
    return _photo(payload, header, found, pixels, alpha)


def decoded_before(payload: bytes, samples: NDArray[np.uint8]) -> Photo:
    """What `decode` makes of a file without alpha, from the pixels that it made of it before.

    `samples` are those in a row: height × width × 3.

    Raises:
        UnreadablePhoto: these are not as many as the file has.
    """
    header = read_header(payload)
    width, height = header.upright_size
    if samples.size != height * width * 3:
        raise UnreadablePhoto
    found = metadata.read_metadata(payload, header.format)
    return _photo(payload, header, found, samples.reshape(height, width, 3), None)


def _photo(
    payload: bytes,
    header: Header,
    found: metadata.Metadata,
    pixels: Pixels,
    alpha: NDArray[np.uint8] | None,
) -> Photo:
    coding = jpeg.read_coding(payload) if header.format is Format.JPEG else jpeg.Coding((), None)
    return Photo(
        pixels=pixels,
        format=header.format,
        alpha=alpha,
        exif=found.exif,
        grey=header.channels < 3,
        subsampling=coding.subsampling or "420",
        quantisation=coding.quantisation,
    )


def _space(header: Header, has_profile: bool) -> str:
    """What to decode a JPEG to; grey becomes RGB, unless a profile of its own is to be applied."""
    return "GRAY" if has_profile and header.channels == 1 else _TURBO_SPACES[header.channels]


def _decode_turbo(
    payload: bytes, header: Header, space: str, min_side: int, room: _Samples | None
) -> _Samples:
    side = min(min_side, header.width, header.height)
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(payload)
        if (width, height) != (header.width, header.height):
            raise UnreadablePhoto
        samples: _Samples = simplejpeg.decode_jpeg(
            payload,
            space,
            # Chroma doubled plainly: 8 % faster, and encoding averages it back to what it was. A
            # photo that is decoded and encoded again stays 52 dB from itself, smoothly 46-48 dB.
            fastupsample=True,
            min_height=side,
            min_width=side,
            buffer=room,
        )
    except ValueError as error:
        if "subsampling" in str(error):  # 4:1:0 and other rarities, which the turbo API leaves out
            return _decode_pillow(payload, header)
        raise UnreadablePhoto from error
    return 255 - samples if header.channels == 4 else samples  # Adobe stores ink upside down


def _decode_pillow(payload: bytes, header: Header) -> _Samples:
    if header.format is Format.PNG:
        payload = metadata.keep_pixel_chunks(payload)
    try:
        with Image.open(io.BytesIO(payload), formats=[header.format.name]) as image:
            if image.size != (header.width, header.height):
                raise UnreadablePhoto
            return _samples_of(image)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise TooManyPixels from error
    except (UnreadablePhoto, MemoryError):
        raise
    except Exception as error:  # on hostile bytes Pillow raises nearly anything
        raise UnreadablePhoto from error


def _samples_of(image: Image.Image) -> _Samples:
    if image.mode.startswith("I"):  # 16-bit grey; Pillow itself cuts 16-bit RGB to the upper byte
        return (np.asarray(image) >> 8).astype(np.uint8)[:, :, None]
    grey = image.mode in ("1", "L", "LA")
    alpha = "A" in image.mode or "transparency" in image.info
    if image.mode != "CMYK":
        image = image.convert(("LA" if alpha else "L") if grey else ("RGBA" if alpha else "RGB"))
    return np.atleast_3d(np.asarray(image))


def _upright(samples: _Samples, orientation: int) -> _Samples:
    """Undo an EXIF orientation, 1…8."""
    turn = _TURNS.get(orientation)
    return samples if turn is None else np.asarray(turn(samples), np.uint8)
