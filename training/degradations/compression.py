"""The encoder (`jpeg_artifacts`): one JPEG, or a chain of them as portals make it."""

import cv2
import numpy as np

from darkroom.imaging.photo import Pixels

BEST_QUALITY, WORST_QUALITY = 90.0, 5.0  # at severity 0 and 1 (libjpeg's scale)


def quality_of(severity: float) -> int:
    """Quality on libjpeg's scale, geometric: 50 at 0.2, 21 at 0.5, 9 at 0.8, 5 at 1."""
    return round(float(BEST_QUALITY * (WORST_QUALITY / BEST_QUALITY) ** severity))


def severity_of(quality: float) -> float:
    spread = np.log(WORST_QUALITY / BEST_QUALITY)
    return float(np.clip(np.log(max(quality, 1) / BEST_QUALITY) / spread, 0, 1))


def compress(pixels: Pixels, quality: int, subsampled: bool = True) -> bytes:
    """Encode as baseline JPEG, chroma halved both ways where `subsampled`."""
    layout = (
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420 if subsampled else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    )
    done, payload = cv2.imencode(
        ".jpg",
        cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, layout],
    )
    assert done
    return payload.tobytes()


def expand(payload: bytes) -> Pixels:
    decoded = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR_RGB)
    return np.asarray(decoded, np.uint8)
