"""How far two pictures are from each other, and how colourful one is.

All take (H, W, 3) uint8 sRGB. For training and benchmarks: nothing that serves photos imports this,
so scikit-image (typed in part only) stays out of the model servers.
"""

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import mean_squared_error, structural_similarity

from darkroom.imaging.photo import Pixels

_SSIM_SIGMA, _SSIM_WINDOW_PX = 1.5, 11


def psnr(first: Pixels, second: Pixels) -> float:
    """Peak signal-to-noise ratio in dB over all channels; infinite for equal pictures."""
    error = float(mean_squared_error(first, second))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))


def ssim(first: Pixels, second: Pixels) -> float:
    """Mean structural similarity, 1 for equal pictures, with the settings of its paper.

    Wang et al., 2004, doi:10.1109/TIP.2003.819861: Gaussian window of 11 pixels, σ 1.5.

    Raises:
        ValueError: a side is shorter than the window.
    """
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            first,
            second,
            channel_axis=2,
            data_range=255,
            gaussian_weights=True,
            sigma=_SSIM_SIGMA,
            win_size=_SSIM_WINDOW_PX,
            use_sample_covariance=False,
        )
    )


def ciede2000(first: Pixels, second: Pixels) -> float:
    """Mean colour difference ΔE00; about 1 is the least that a viewer notices side by side."""
    differences = deltaE_ciede2000(  # type: ignore[no-untyped-call]
        rgb2lab(first), rgb2lab(second)
    )
    return float(np.mean(differences))


def colourfulness(pixels: Pixels) -> float:
    """Hasler and Süsstrunk's measure (2003, doi:10.1117/12.477378): 0 grey … 109 very vivid."""
    red, green, blue = np.moveaxis(pixels.astype(np.float32), 2, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    spread = np.hypot(*opponents.std(axis=(1, 2)))
    distance = np.hypot(*opponents.mean(axis=(1, 2)))
    return float(spread + 0.3 * distance)
