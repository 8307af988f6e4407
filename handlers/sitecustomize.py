"""Put off what a model server's worker can do without while it starts.

torch, until something of it is used: on a processor, never. TorchServe's worker imports it for the
tensors that other handlers may answer with; ours answer with bytes. To import it costs 3 s and up
to 200 MB in each worker. And looking for garbage, until the handler is ready (`base`): hardly
anything of what is imported is any, and to look costs a tenth of the imports' time.

Python's `site` imports a module of this name where one is found, and TorchServe puts the folder of
the unpacked archive, in which this one lies, on its worker's path: so it works however the archive
is run. Without it a worker is slower to start, and larger; nothing else.
"""

import gc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class PutOff(MetaPathFinder):
    """Finds torch where it is, once, to be loaded at the first use instead of the first import.

    Not simply a lazy module in `sys.modules`: there the first import would be its first use.
    """

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("torch")
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


sys.meta_path.insert(0, PutOff())
gc.disable()
