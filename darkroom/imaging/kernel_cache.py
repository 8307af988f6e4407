"""Where numba keeps compiled kernels between starts of a model server.

numba files a kernel under the folder of its source. TorchServe unpacks an archive into a new folder
at each start, so nothing would ever be found again: 7 s and 100 MB to compile what 0.2 s load.
The class is named by the environment (`NUMBA_CACHE_LOCATOR_CLASSES`); elsewhere numba's own rules
hold. A changed source is noticed as ever: the index holds a hash of the file's content.
"""

from pathlib import Path

from numba.core.caching import UserProvidedCacheLocator


class KernelCache(UserProvidedCacheLocator):
    """Files kernels in `NUMBA_CACHE_DIR` under their module's name alone."""

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        return Path(py_file).stem
