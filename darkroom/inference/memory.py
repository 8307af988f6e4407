"""Whether memory is what was missing, and handing back what is not."""

import ctypes


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is what numpy, torch or OpenVINO raise when memory runs out.

    OpenVINO wraps what its allocator throws in a RuntimeError of its own; torch's own error is one.
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "alloc" in text)
    )


def give_back_freed() -> None:
    """Hand the system the pages that nothing uses any more; by itself a worker keeps all it had.

    Only where the C library is glibc, whose thresholds tell it to keep them.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
