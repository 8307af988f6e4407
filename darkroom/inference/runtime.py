"""How networks run in service: OpenVINO on a processor, torch on a GPU.

Small networks are bound by overhead in eager torch: OpenVINO runs them about five times as fast on
one thread, and there is one runtime for all of them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino

Arrays = tuple[np.ndarray, ...]
Network = Callable[..., Arrays]  # arrays in, arrays out; the first dimension is the batch

_CONVERTER = "openvino.tools.ovc"


def load_network(
    weights: Path, device: str, shapes: Sequence[tuple[int, ...]] | None = None
) -> Network:
    """Prepare the network whose weights these are for `device` ("cpu" or "cuda").

    A processor takes the network converted ahead of time, which lies beside the weights (.xml and
    .bin, written by `darkroom.networks.serving.convert`); where it is missing, it is converted now:
    that needs torch, 4 s and 110 MB. `shapes` are those of its inputs where they are to be others
    than those it was converted with. A batch is computed one by one on a processor, which is 15 %
    faster than leaving its size open.

    Raises:
        WrongWeights: torch was needed, and the file belongs to no network or is damaged.
    """
    # Imported where they are needed: a processor needs no torch, a GPU no OpenVINO.
    if device.startswith("cuda"):
        from darkroom.networks.serving import load_with_torch

        return load_with_torch(weights, device)
    with _without_converter():
        import openvino

    converted = weights.with_suffix(".xml")
    if converted.is_file():
        model = openvino.Core().read_model(converted)
    else:
        from darkroom.networks.serving import to_openvino

        model = to_openvino(weights)
    if shapes is not None:
        model.reshape({port: [*shape] for port, shape in zip(model.inputs, shapes, strict=True)})
    network = _compile(model)
    return _one_by_one(network) if model.input(0).partial_shape[0].is_static else network


@contextmanager
def _without_converter() -> Iterator[None]:
    """Let OpenVINO be imported as where its converter is not installed.

    That takes a third of the time and 5 MB less, and Google is not told of it. Who converts imports
    the converter by its own name.
    """
    if _CONVERTER in sys.modules:
        yield
        return
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_CONVERTER]


def _compile(model: openvino.Model) -> Network:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.compile_model(model, "CPU", settings)
    request, lock = compiled.create_infer_request(), threading.Lock()

    def run(*arrays: np.ndarray) -> Arrays:
        with lock:  # one request: of several threads, each has its turn
            # Put where the network reads them: as arguments they take 0.3 ms longer through Python.
            for index, array in enumerate(arrays):
                tensor = openvino.Tensor(np.ascontiguousarray(array), shared_memory=True)
                request.set_input_tensor(index, tensor)
            results = request.infer(share_outputs=True)
            return tuple(np.array(results[port]) for port in compiled.outputs)

    return run


def _one_by_one(network: Network) -> Network:
    def run(*arrays: np.ndarray) -> Arrays:
        rows = range(len(arrays[0]))
        answers = [network(*(array[row : row + 1] for array in arrays)) for row in rows]
        return tuple(np.concatenate(outputs) for outputs in zip(*answers, strict=True))

    return run
