"""What the processes that run the networks hold."""

from pathlib import Path

import pytest
import torch

from handlers.archives import ARCHIVES

pytestmark = pytest.mark.stack


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a GPU torch runs the networks")
@pytest.mark.parametrize("name", ARCHIVES)
def test_a_worker_on_a_processor_holds_no_torch(cluster, name):
    """Ready to answer and warmed up, it has OpenVINO's library mapped and none of torch's."""
    maps = Path(f"/proc/{cluster.worker(name).pid}/maps").read_text()

    assert "libopenvino.so" in maps
    assert "libtorch" not in maps
