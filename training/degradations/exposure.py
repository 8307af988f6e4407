"""Light on the sensor: too little (`low_light`), too much or stray (`glaring`)."""

import cv2
import numpy as np

from training.degradations.light import (
    LUMA,
    Picture,
    beyond_white,
    brightness_around,
    smooth_field,
    to_linear,
    to_srgb,
)
from training.degradations.sensor import sensor_noise

STOPS = 5.0  # underexposure at severity 1


def low_light(srgb: Picture, severity: float, rng: np.random.Generator) -> tuple[Picture, float]:
    """Expose `STOPS` × severity stops too short, with the shot and read noise that brings.

    Real dark photos are not a clean photo times a constant. Lamps and windows were brighter than
    white and stay bright; against the light only the room is dark, not the window that the camera
    was exposed for; the light falls off across the room; cameras lift the shadows a little. Each
    varies at random. Returns the picture and the noise's standard deviation in 8-bit sRGB levels.
    """
    if severity <= 0:
        return srgb, 0.0
    height, width = srgb.shape[:2]
    linear = to_linear(srgb)
    stops: Picture = np.full((height, width), STOPS * severity, np.float32)
    if rng.random() < 0.4:  # against the light
        stops *= 1 - np.float32(rng.uniform(0.3, 0.9)) * brightness_around(linear)
    if rng.random() < 0.5:  # falloff across the room
        stops *= 1 + np.float32(rng.uniform(0, 0.35)) * (smooth_field(rng, height, width, 2) - 0.5)
    if rng.random() < 0.6:
        linear = beyond_white(linear, rng)
    exposed = linear * np.exp2(-stops)[..., None]
    # ISO: part of the missing light was amplified away.
    gain = 2.0 ** rng.uniform(0, 0.6 * STOPS * severity)
    noisy, sigma = sensor_noise(exposed, rng, electrons=rng.uniform(6e3, 2e4) / gain, read=2.5)
    lift = rng.uniform(0.85, 1.15)  # camera's own tone curve
    return np.clip(to_srgb(noisy), 0, 1) ** np.float32(lift), sigma


def glaring(srgb: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Overexpose up to 0.8 stops and veil with stray light around one or two bright sources.

    The veil is additive in linear light and falls off with distance (as scattering in a lens or on
    a dusty pane does); what passes white is lost.
    """
    if severity <= 0:
        return srgb
    height, width = srgb.shape[:2]
    linear = to_linear(srgb) * np.float32(2.0 ** (rng.uniform(0.3, 0.8) * severity))
    luminance = cv2.GaussianBlur(linear @ LUMA, (0, 0), 0.04 * max(height, width))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    for source in range(int(rng.integers(1, 3))):
        if source == 0 and rng.random() < 0.7:  # a window or lamp in the picture
            y, x = np.unravel_index(int(luminance.argmax()), luminance.shape)
        else:  # the sun just outside
            y, x = rng.uniform(-0.1, 0.5) * height, rng.uniform(-0.1, 1.1) * width
        radius = rng.uniform(0.25, 0.6) * max(height, width)
        distance = np.hypot(rows - y, columns - x) / radius
        veil = severity * rng.uniform(0.35, 0.7) / (1 + distance**2)
        colour = 1 + rng.uniform(-0.08, 0.08, 3).astype(np.float32)
        linear = linear + veil.astype(np.float32)[..., None] * colour
    return to_srgb(linear)
