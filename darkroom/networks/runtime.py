"""How networks run in service: OpenVINO on a processor, torch on a GPU.

Small networks are bound by overhead in eager torch: OpenVINO runs them about five times as fast on
one thread, and there is one runtime for all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    import openvino

Arrays = tuple[np.ndarray, ...]
Compiled = Callable[..., Arrays]  # arrays in, arrays out; the first dimension is the batch


def compile_network(
    network: nn.Module,
    example: Arrays,
    device: str,
    converted: Path | None = None,
    *,
    any_side: bool = False,
    bfloat16: bool = False,
) -> Compiled:
    """Prepare `network` for `device` ("cpu" or "cuda").

    `example` has one array for each argument of `forward`, with a batch of 1; later calls may bring
    any batch and, of the rest, the same shapes and types; on a processor a batch is computed one by
    one, which is 15 % faster than leaving its size open. Where the file `converted` exists, it is
    what `convert_network` made of this network: reading it spares 4 s and 110 MB.

    `any_side` lets later calls also bring pictures, (N, C, H, W), of other heights and widths: the
    first of each size takes some tenths of a second, the others no longer than with a fixed size.
    `bfloat16` is for the GPU; on a processor OpenVINO takes it by itself where there are units for.
    """
    if device.startswith("cuda"):
        return _with_torch(network, device, torch.bfloat16 if bfloat16 else torch.float32)
    # Imported here: a GPU image needs no OpenVINO.
    import openvino

    if converted is not None and converted.is_file():
        model = _shaped(openvino.Core().read_model(converted), example, any_side)
    else:
        model = _convert(network, example, any_side)
    compiled = _with_openvino(model)
    return compiled if any_side else _one_by_one(compiled)


def convert_network(
    network: nn.Module, example: Arrays, target: Path, *, any_side: bool = False
) -> None:
    """Write `network` as OpenVINO reads it: `target` (.xml), and its weights beside it (.bin).

    The weights stay float16 as they are stored in ours: nothing is lost, and equal networks give
    equal files.
    """
    import openvino

    openvino.save_model(_convert(network, example, any_side), target, compress_to_fp16=True)


def _with_torch(network: nn.Module, device: str, precision: torch.dtype) -> Compiled:
    network = network.to(device).eval()
    reduced = precision is not torch.float32

    @torch.inference_mode()
    def run(*arrays: np.ndarray) -> Arrays:
        with torch.autocast("cuda", precision, enabled=reduced):
            outputs = network(*(torch.from_numpy(array).to(device) for array in arrays))
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return tuple(output.float().cpu().numpy() for output in outputs)

    return run


def _convert(network: nn.Module, example: Arrays, any_side: bool) -> openvino.Model:
    import openvino

    tensors = tuple(torch.from_numpy(array) for array in example)
    with warnings.catch_warnings():
        # OpenVINO traces; torch announces the end of tracing, torch.export takes 10 s a network.
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        model = openvino.convert_model(network.eval(), example_input=tensors)
    return _shaped(model, example, any_side)


def _shaped(model: openvino.Model, example: Arrays, any_side: bool) -> openvino.Model:
    shapes = [(-1, a.shape[1], -1, -1) if any_side else (1, *a.shape[1:]) for a in example]
    model.reshape({port: [*shape] for port, shape in zip(model.inputs, shapes, strict=True)})
    return model


def _with_openvino(model: openvino.Model) -> Compiled:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()

    def run(*arrays: np.ndarray) -> Arrays:
        results = request.infer(arrays)
        return tuple(np.array(results[port]) for port in compiled.outputs)

    return run


def _one_by_one(compiled: Compiled) -> Compiled:
    def run(*arrays: np.ndarray) -> Arrays:
        rows = range(len(arrays[0]))
        answers = [compiled(*(array[row : row + 1] for array in arrays)) for row in rows]
        return tuple(np.concatenate(outputs) for outputs in zip(*answers, strict=True))

    return run
