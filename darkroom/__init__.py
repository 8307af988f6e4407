"""Darkroom finds what is wrong with a photo and mends it within one second.

`from darkroom import Darkroom` is the client; it is read on first use, so that model servers and
the gateway, which share this package, do not load an HTTP client they never call.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from darkroom.blocking import Darkroom
    from darkroom.client import AsyncDarkroom, Enhanced, Unreachable

__all__ = ["AsyncDarkroom", "Darkroom", "Enhanced", "Unreachable"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from darkroom import blocking, client

    return getattr(blocking if name == "Darkroom" else client, name)
