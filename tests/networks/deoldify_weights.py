"""Weights for DeOldify's generators that come from their names and shapes alone.

The formula is that of the fixtures made with the original networks (`../shared/golden/deoldify`,
where there is one), so that outputs can be compared without any trained file.
"""

import math
import zlib
from collections.abc import Iterable

import numpy as np
import torch

from darkroom.networks.deoldify.generator import Generator, Variant

SALT = "g2:"
_AROUND = {  # middle and half the range of what is no kernel
    "weight": (1.0, 0.3),
    "bias": (0.0, 0.2),
    "running_mean": (0.3, 0.2),
    "running_var": (1.0, 0.4),
    "gamma": (0.75, 0.25),
    "weight_g": (1.25, 0.25),
}
_AROUND_IN_ENCODER = _AROUND | {"weight": (0.7, 0.3), "running_mean": (0.0, 0.2)}


def _uniform(label: str, count: int) -> np.ndarray:
    stream = np.random.Generator(np.random.PCG64(zlib.crc32(f"{SALT}{label}".encode())))
    return stream.random(count) * 2.0 - 1.0


def _unit(label: str, count: int) -> np.ndarray:
    vector = _uniform(label, count)
    return vector / math.sqrt(math.fsum((vector * vector).tolist()))


def _gain(stem: str, channels_out: int) -> float:
    if stem.startswith("layers.0."):
        return 1.2
    if channels_out == 3:
        return 0.3
    return 0.5 if stem.endswith((".query", ".key")) else 1.75


def a_tensor(key: str, shape: tuple[int, ...]) -> np.ndarray:
    stem, _, name = key.rpartition(".")
    count = math.prod(shape)
    if name == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if name == "weight_u" or (name == "weight_v" and len(shape) == 1):
        return _unit(key, count).astype(np.float32)
    values = _uniform(key, count)
    if len(shape) < 3 or name == "weight_g":
        around = _AROUND_IN_ENCODER if key.startswith("layers.0.") else _AROUND
        middle, half = around[name]
        values = middle + half * values
    else:
        fan_in = count // shape[0]
        values = values * (_gain(stem, shape[0]) * math.sqrt(3.0 / fan_in))
        if name == "weight_orig":  # its spectral norm, as u and v estimate it, is near 1
            unit = np.outer(_unit(f"{stem}.weight_u", shape[0]), _unit(f"{stem}.weight_v", fan_in))
            values = values.reshape(unit.shape) + unit
    return values.reshape(shape).astype(np.float32)


def fill(network: Generator) -> Generator:
    state = ((key, tuple(value.shape)) for key, value in network.state_dict().items())
    filled = {key: torch.from_numpy(np.asarray(a_tensor(key, shape))) for key, shape in state}
    network.load_state_dict(filled, strict=True, assign=True)
    return network.eval()


def a_generator(variant: Variant) -> Generator:
    """With its weights, as its checkpoint has them: spectral norms not yet folded."""
    with torch.device("meta"):
        network = Generator(variant)
    return fill(network)


def listing(entries: Iterable[tuple[str, Iterable[int]]]) -> str:
    """Names and shapes as one text, to compare by its digest."""
    return "\n".join(f"{key} {tuple(shape)}" for key, shape in entries)


def an_input(side: int) -> torch.Tensor:
    values = np.random.Generator(np.random.PCG64(side)).random((1, 3, side, side))
    return torch.from_numpy((values * 4 - 2).astype(np.float32))
