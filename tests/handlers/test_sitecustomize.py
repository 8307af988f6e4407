import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SITECUSTOMIZE = Path(__file__).parents[2] / "handlers" / "sitecustomize.py"
IS_LOADED = "print('torch._C' in sys.modules)"


@pytest.fixture
def run(tmp_path):
    """Run a program with the module where the worker of an unpacked archive finds it."""
    shutil.copy(SITECUSTOMIZE, tmp_path)

    def running(program):
        command = [sys.executable, "-W", "ignore", "-c", f"import sys; {program}"]
        ended = subprocess.run(
            command, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.split("\n")[:-1]

    return running


def test_torchserves_import_loads_no_torch(run):
    """What the worker imports and answers with bytes leaves torch where it is."""
    answer = "otf.create_predict_response([b'photo'], {0: 'id'}, 'well', 200)"
    program = f"import ts.protocol.otf_message_handler as otf; {answer}; {IS_LOADED}"

    assert run(program) == ["False"]


def test_who_needs_torch_gets_it(run):
    """Put off by a first import, it is whole for a second one, submodules included."""
    program = "import torch; from torch import nn; import torch.nn.functional as F; "
    program += f"print(nn.Linear(3, 2)(F.relu(torch.ones(4, 3))).shape[1]); {IS_LOADED}"

    assert run(program) == ["2", "True"]


def test_no_garbage_is_looked_for_while_a_worker_imports(run):
    """Until a handler is ready, and looks for it again, the collector rests."""
    assert run("import gc; print(gc.isenabled())") == ["False"]
