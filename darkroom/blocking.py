"""The Python client for ordinary programs: each call returns when it is done.

    from darkroom import Darkroom

    with Darkroom("http://127.0.0.1:9000") as darkroom:
        enhanced = darkroom.enhance("kitchen.jpg")
        if enhanced.photo:  # None: there was nothing to mend
            Path("better.jpg").write_bytes(enhanced.photo)

Every refusal is raised as the same `ServiceError` that the service answered with.
"""

import asyncio
import threading
import weakref
from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

from darkroom.client import DEFAULT_URL, AsyncDarkroom, Enhanced, PhotoSource
from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.options import ColorModel
from darkroom.contracts.report import DiagnoseAnswer

Result = TypeVar("Result")


class Darkroom:
    """The service, for ordinary programs. Threads may share one object.

    The calls are those of `AsyncDarkroom`; they run on a loop in a thread of their own, so they
    also work where a loop is running already, as in a notebook.
    """

    def __init__(self, url: str = DEFAULT_URL, timeout_s: float = 60.0) -> None:
        self._client = AsyncDarkroom(url, timeout_s)
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="darkroom", daemon=True)
        thread.start()
        # Runs on close, on collection or at the interpreter's end, whichever comes first.
        self.close = weakref.finalize(self, _close, self._client, self._loop, thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def enhance(
        self,
        photo: PhotoSource,
        *,
        strength: float | None = None,
        steps: Iterable[Enhancer | str] | None = None,
        budget_ms: int | None = None,
    ) -> Enhanced:
        """Find what is wrong with a photo and mend it; see `AsyncDarkroom.enhance`."""
        return self._run(
            self._client.enhance(photo, strength=strength, steps=steps, budget_ms=budget_ms)
        )

    def fix_defect(
        self,
        photo: PhotoSource,
        defect: Defect | str,
        *,
        strength: float | None = None,
        budget_ms: int | None = None,
    ) -> Enhanced:
        """Mend one named defect, found or not."""
        return self._run(
            self._client.fix_defect(photo, defect, strength=strength, budget_ms=budget_ms)
        )

    def colorize(
        self,
        photo: PhotoSource,
        *,
        model: ColorModel | str | None = None,
        render_factor: int | None = None,
        strength: float | None = None,
        budget_ms: int | None = None,
    ) -> Enhanced:
        """Give a photo the colours that are likely for it; see `AsyncDarkroom.colorize`."""
        return self._run(
            self._client.colorize(
                photo,
                model=model,
                render_factor=render_factor,
                strength=strength,
                budget_ms=budget_ms,
            )
        )

    def diagnose(self, photo: PhotoSource, *, budget_ms: int | None = None) -> DiagnoseAnswer:
        """The severity of all nine defects and the steps they lead to."""
        return self._run(self._client.diagnose(photo, budget_ms=budget_ms))

    def detect_problems(self, photo: PhotoSource, *, budget_ms: int | None = None) -> list[Defect]:
        """The defects found, worst first."""
        return self._run(self._client.detect_problems(photo, budget_ms=budget_ms))

    def _run(self, call: Coroutine[Any, Any, Result]) -> Result:
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C above all: the call must not live on without its caller
            future.cancel()
            raise


def _close(
    client: AsyncDarkroom, loop: asyncio.AbstractEventLoop, thread: threading.Thread
) -> None:
    asyncio.run_coroutine_threadsafe(client.close(), loop).result(timeout=5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=5)
    loop.close()
