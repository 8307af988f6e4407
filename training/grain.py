"""The half of the defect classifier that sees noise, blur and compression.

It is a small dense network over numbers, so the photos are measured once and the network goes over
those measurements again and again: minutes, where the other half takes an hour.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from darkroom.imaging.texture import cut_patches, texture_of
from darkroom.imaging.views import IN_PATCHES, evidence_of
from darkroom.networks.defects import DefectNetwork
from training.degradations import degrade, draw_recipe
from training.loop import fit
from training.photos import endless, read_pixels
from training.samples import as_photo, jitter, severity_loss, shallow_focus

POOL = 16_000  # degraded photos
SHALLOW = 0.15  # of them sharp in one place only
EPOCHS, BATCH, RATE, DECAY = 50, 64, 2e-3, 1e-3


def measure_texture(
    photos: tuple[Path, ...], rng: np.random.Generator, count: int = POOL
) -> tuple[Tensor, Tensor, Tensor]:
    """Degrade and measure: texture (N, 8, 32), evidence (N, 3), true severities (N, 3)."""
    textures, evidences, severities = [], [], []
    paths = endless(photos, rng)
    for _ in range(count):
        # Mostly defects of this half; the others too, since darkness and haze change textures.
        recipe = draw_recipe(rng, IN_PATCHES) if rng.random() < 0.7 else draw_recipe(rng)
        clean = jitter(read_pixels(next(paths)), rng)
        if rng.random() < SHALLOW:
            clean = shallow_focus(clean, rng)
        degraded = degrade(clean, recipe)
        photo = as_photo(degraded, rng)
        textures.append(texture_of(cut_patches(photo.pixels)))
        evidences.append(evidence_of(photo.quantisation))
        severities.append([degraded.severities[defect] for defect in IN_PATCHES])
    arrays = (textures, evidences, severities)
    texture, evidence, truth = (torch.from_numpy(np.asarray(a, np.float32)) for a in arrays)
    return texture, evidence, truth


def train_grain(network: DefectNetwork, pool: tuple[Tensor, Tensor, Tensor], epochs: int) -> float:
    """Fit the half of `network` that sees texture; returns the last epoch's mean loss."""
    texture, evidence, truth = pool
    network.texture_mean.copy_(texture.mean(dim=(0, 1)))
    network.texture_spread.copy_(texture.std(dim=(0, 1)) + 1e-3)
    parts = (network.texture, network.grain, network.grain_head)

    def loss_of(index: Tensor) -> Tensor:
        logits = network.grain_head(network.see_grain(texture[index], evidence[index]))
        return severity_loss(logits, truth[index])

    return fit(parts, loss_of, len(truth), epochs, BATCH, RATE, DECAY)
