"""What commands over many photos share: which files count, how many at once, how one is written."""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

Item = TypeVar("Item")
Result = TypeVar("Result")

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def photos_in(folder: Path) -> list[Path]:
    """The photos that lie in a folder itself, told by their suffix, in the order of their names."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)


async def for_each(
    items: Collection[Item],
    work: Callable[[Item], Awaitable[Result]],
    *,
    at_once: int,
    label: str,
    console: Console,
) -> list[Result]:
    """Do the work for every item, at most `at_once` at a time, while a bar on `console` grows.

    Returns the results in the items' order.

    Raises:
        ExceptionGroup: the work raised, for one item or several; the rest is cancelled.
    """
    places = asyncio.Semaphore(at_once)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(label, total=len(items))

        async def one(item: Item) -> Result:
            async with places:
                result = await work(item)
                progress.advance(bar)
                return result

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


def write_whole(target: Path, content: bytes, *, private: bool = False) -> None:
    """Write a file that is whole or absent, whatever happens meanwhile.

    A private one can be read by its owner alone.
    """
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if private:
        unfinished.touch(mode=0o600)
    unfinished.write_bytes(content)
    unfinished.replace(target)
