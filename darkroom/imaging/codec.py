"""Between a photo's bytes and its pixels, both ways: what all others import of them."""

from darkroom.imaging.decoding import decode, decoded_before
from darkroom.imaging.encoding import encode, jpeg_quality

__all__ = ["decode", "decoded_before", "encode", "jpeg_quality"]
