"""Whether memory is what was missing."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is what numpy, torch or OpenVINO raise when memory runs out.

    OpenVINO wraps what its allocator throws in a RuntimeError of its own; torch's own error is one.
    """
    text = str(error).lower()
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "alloc" in text)
    )
