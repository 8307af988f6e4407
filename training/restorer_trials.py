"""Trials of the restorer: held-out photos get the flaws that its bounds are stated for.

Each flaw of `BOUNDS` is laid on exactly as named, and taken out by the code that serves: tiles at
full size, OpenVINO in bfloat16.
"""

import time

import cv2
import numpy as np

from darkroom.contracts.defects import Defect
from darkroom.imaging.metrics import psnr
from darkroom.imaging.photo import Pixels
from darkroom.imaging.tiles import TILE_PX, apply_correction
from darkroom.inference.restore import Restorer, told_vector
from darkroom.inference.tiled import Work, correct_photos
from training.degradations import compression
from training.degradations.lens import WIDEST_PX, disc, stroke
from training.degradations.light import to_linear, to_srgb
from training.degradations.recipe import to_pixels
from training.degradations.sensor import severity_of

SIGMAS = (10, 25, 50)  # of noise, of 255
BLUR = 0.4  # severity of both blurs
BOUNDS = {  # gain in PSNR, dB
    "noise 10": 5.0,
    "noise 25": 8.0,
    "noise 50": 10.0,
    "jpeg 10": 1.2,
    "jpeg 20": 1.0,
    "jpeg 40": 0.8,
    "defocus": 1.5,
    "motion": 1.5,
}
NLM_STRENGTHS = (0.4, 0.7, 1.0)  # of the noise's deviation; the best on average counts
Told = dict[Defect, float]


def damage(clean: Pixels, flaw: str, seed: int) -> tuple[Pixels, Told]:
    """One flaw of `BOUNDS` and its severity: noise and quality exactly as named."""
    rng = np.random.default_rng(seed)
    kind, _, amount = flaw.partition(" ")
    if kind == "noise":
        noisy = clean + rng.normal(0, int(amount), clean.shape)
        return to_pixels((noisy / 255).astype(np.float32)), {Defect.NOISY: severity_of(int(amount))}
    if kind == "jpeg":
        quality = int(amount)
        damaged = compression.expand(compression.compress(clean, quality))
        return damaged, {Defect.JPEG_ARTIFACTS: compression.severity_of(quality)}
    radius = 0.5 + (WIDEST_PX - 0.5) * BLUR
    kernel = disc(radius) if kind == "defocus" else stroke(3 * radius, rng)
    linear = to_linear(np.asarray(clean, np.float32) / np.float32(255))
    blurred = cv2.filter2D(linear, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    return to_pixels(to_srgb(np.asarray(blurred, np.float32))), {Defect.BLUR: BLUR}


def restore(restorer: Restorer, pixels: Pixels, told: Told) -> Pixels:
    """As the handler does at full size."""
    done = correct_photos(restorer, [Work(pixels, told_vector(told))], TILE_PX, 4)
    return apply_correction(pixels, done.canvases[0].steps, 1.0)


def detail(pixels: Pixels) -> float:
    """Mean strength of the gradient: what a plastic wall has lost."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.magnitude(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1)).mean())


def gains_of(restorer: Restorer, flaw: str, photos: list[Pixels]) -> dict[str, float]:
    """Means over the photos: PSNR before, gain told the severity and told only the defect, detail.

    `detail_kept` is `detail` of the restored photo over that of the clean one.
    """
    rows = []
    for seed, clean in enumerate(photos):
        damaged, told = damage(clean, flaw, seed)
        before = psnr(damaged, clean)
        restored = restore(restorer, damaged, told)
        unsaid = restore(restorer, damaged, dict.fromkeys(told, 1.0))
        rows.append(
            (
                before,
                psnr(restored, clean) - before,
                psnr(unsaid, clean) - before,
                detail(restored) / detail(clean),
            )
        )
    names = ("input_psnr_db", "gain_db", "gain_untold_db", "detail_kept")
    return dict(zip(names, np.mean(rows, axis=0).round(3).tolist(), strict=True))


def against_nlm(restorer: Restorer, sigma: int, photos: list[Pixels]) -> dict[str, float]:
    """Gains of both over the noisy photo and their mean CPU seconds, photo by photo in turn."""
    rows = []
    for seed, clean in enumerate(photos):
        noisy, told = damage(clean, f"noise {sigma}", seed)
        before, row = psnr(noisy, clean), []
        start = time.process_time()
        restored = restore(restorer, noisy, told)
        row += [psnr(restored, clean) - before, time.process_time() - start]
        for share in NLM_STRENGTHS:
            start = time.process_time()
            rival = cv2.fastNlMeansDenoisingColored(noisy, None, share * sigma, share * sigma)
            row += [psnr(np.asarray(rival, np.uint8), clean) - before, time.process_time() - start]
        rows.append(row)
    ours, our_s, *rivals = np.mean(rows, axis=0).tolist()
    best = max(rivals[::2])
    return {
        "gain_db": round(ours, 2),
        "cpu_s": round(our_s, 3),
        "nlm_gain_db": round(best, 2),
        "nlm_cpu_s": round(rivals[2 * rivals[::2].index(best) + 1], 3),
    }


def harm_to_clean(restorer: Restorer, photos: list[Pixels]) -> dict[str, float]:
    """PSNR of clean photos against themselves, told what a wrong diagnosis might tell."""
    results: dict[str, float] = {}
    for name, severity in (("told 0", 0.0), ("told 0.15", 0.15), ("told 0.3", 0.3)):
        told = dict.fromkeys((Defect.NOISY, Defect.BLUR, Defect.JPEG_ARTIFACTS), severity)
        values = [min(99.0, psnr(restore(restorer, clean, told), clean)) for clean in photos]
        results[name] = round(float(np.mean(values)), 2)
        results[f"{name}, worst"] = round(float(np.min(values)), 2)
    return results
