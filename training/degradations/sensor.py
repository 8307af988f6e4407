"""The sensor: shot and read noise, in linear light or measured in 8-bit levels (`noisy`)."""

import cv2
import numpy as np

from training.degradations.light import Picture, to_linear, to_srgb

WORST_SIGMA = 50.0  # standard deviation at severity 1, in 8-bit sRGB levels


def sigma_of(severity: float) -> float:
    """Standard deviation in 8-bit levels: 4.5 at 0.2, 18 at 0.5, 50 at 1."""
    return float(WORST_SIGMA * severity**1.5)


def severity_of(sigma: float) -> float:
    return float(min(1.0, (sigma / WORST_SIGMA) ** (1 / 1.5)))


def sensor_noise(
    linear: Picture, rng: np.random.Generator, electrons: float, read: float
) -> tuple[Picture, float]:
    """Poisson-Gaussian noise (Foi et al. 2008, "Practical Poissonian-Gaussian noise modeling").

    `electrons` is the full-well count that white stands for, `read` the read noise in electrons.
    Returns the noisy picture and the median standard deviation in 8-bit sRGB levels.
    """
    variance = np.maximum(linear, 0) / np.float32(electrons) + np.float32((read / electrons) ** 2)
    deviation = np.sqrt(variance)
    noisy = linear + deviation * rng.standard_normal(linear.shape, dtype=np.float32)
    sampled, spread = linear[::8, ::8], deviation[::8, ::8]
    sigma = 255 * float(np.median(to_srgb(sampled + spread) - to_srgb(sampled)))
    return noisy.astype(np.float32, copy=False), sigma


def noisy(srgb: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Noise of `sigma_of(severity)` 8-bit levels: white, signal-dependent or blotchy in colour."""
    if severity <= 0:
        return srgb
    sigma = np.float32(sigma_of(severity) / 255)
    grain = rng.standard_normal(srgb.shape, dtype=np.float32)
    kind = rng.random()
    if kind < 0.3:  # after demosaicing: correlated between neighbours, stronger in colour
        soft = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 0.9))
        grain = 0.5 * grain + soft * np.float32(0.87 / (soft.std() + 1e-6))
        luma = grain.mean(axis=2, keepdims=True)
        grain = luma * np.float32(1.3) + (grain - luma) * np.float32(rng.uniform(0.8, 1.4))
        grain /= grain.std() + np.float32(1e-6)
    elif kind < 0.6:  # signal-dependent: shot noise as it stands in linear light
        linear = to_linear(srgb)
        shot = np.sqrt(linear + np.float32(0.02))
        slope = np.float32(1) / np.maximum(linear, np.float32(0.01)) ** np.float32(0.55)
        spread = shot * slope
        grain = grain * (spread / np.float32(np.sqrt(np.mean(spread**2))))
    return np.clip(srgb + sigma * grain, 0, 1)


def camera_noise(srgb: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Noise of `sigma_of(severity)` 8-bit levels with the shape that a camera gives it.

    Shot and read noise on the Bayer mosaic, red and blue amplified by the white balance, spread by
    a bilinear demosaicing; then what the camera's own denoising leaves: less grain in the
    luminance, and in colour slow blotches.
    """
    if severity <= 0:
        return srgb
    linear = to_linear(srgb)
    height, width = linear.shape[:2]
    spread = np.sqrt(linear + np.float32(rng.uniform(0.005, 0.05)))
    grain = rng.standard_normal(linear.shape, dtype=np.float32) * spread
    mosaic = np.zeros_like(grain)
    mosaic[::2, ::2, 0] = grain[::2, ::2, 0] * np.float32(rng.uniform(1.2, 2.2))
    mosaic[1::2, 1::2, 2] = grain[1::2, 1::2, 2] * np.float32(rng.uniform(1.2, 2.2))
    mosaic[::2, 1::2, 1], mosaic[1::2, ::2, 1] = grain[::2, 1::2, 1], grain[1::2, ::2, 1]
    colour = np.asarray([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float32) / 4
    green = np.asarray([[0, 1, 0], [1, 4, 1], [0, 1, 0]], np.float32) / 4
    planes = [cv2.filter2D(mosaic[..., k], -1, green if k == 1 else colour) for k in range(3)]
    # The slope of the sRGB curve takes the noise from linear light to levels.
    slope = 1 / np.maximum(linear, np.float32(0.01)) ** np.float32(0.55)
    noise = np.stack(planes, axis=2) * slope
    luma = noise @ np.asarray([0.299, 0.587, 0.114], np.float32)
    chroma = noise - luma[..., None]
    if rng.random() < 0.7:
        luma = np.asarray(cv2.GaussianBlur(luma, (0, 0), rng.uniform(0.3, 1.0)))
        spread_before = chroma.std()
        chroma = np.asarray(cv2.GaussianBlur(chroma, (0, 0), rng.uniform(0.5, 3.0)))
        chroma *= spread_before / (chroma.std() + np.float32(1e-6))
    chroma *= np.float32(rng.uniform(0.3, 1.2))
    noise = luma[..., None] + chroma
    noise *= np.float32(sigma_of(severity) / 255) / (noise.std() + np.float32(1e-6))
    return np.clip(srgb + noise.reshape(height, width, 3), 0, 1)
