"""`darkroom enhance`, `colorize` and `diagnose`: photos through the service while one waits."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from darkroom.cli_tables import (
    Answer,
    Outcome,
    colorize_table,
    diagnose_table,
    document_of,
    enhance_table,
)
from darkroom.client import DEFAULT_URL, AsyncDarkroom, Enhanced
from darkroom.contracts.defects import Enhancer
from darkroom.contracts.errors import OverCapacity, ServiceError
from darkroom.contracts.options import ColorModel
from darkroom.contracts.report import DiagnoseAnswer
from darkroom.many import for_each, write_whole

app = typer.Typer()

Photos = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE", show_default=False)
]
Url = Annotated[str, typer.Option(envvar="DARKROOM_URL", help="Address of the service.")]
AtOnce = Annotated[int, typer.Option(min=1, max=64, help="Photos on their way.")]
BudgetMs = Annotated[
    int | None, typer.Option(min=50, max=60_000, help="Time for one answer, in ms.")
]

TRIES = 5  # of a photo that the service has no room for

_out, _err = Console(), Console(stderr=True)


@app.command()
def enhance(
    files: Photos,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the mended photos.")],
    url: Url = DEFAULT_URL,
    strength: Annotated[float, typer.Option(min=0, max=1, help="0 leaves, 1 mends fully.")] = 1.0,
    steps: Annotated[
        list[Enhancer] | None, typer.Option("--step", help="Enhancer that may run; repeatable.")
    ] = None,
    budget_ms: BudgetMs = None,
    at_once: AtOnce = 4,
    copy_unchanged: Annotated[
        bool, typer.Option("--copy-unchanged", help="Also copy photos with nothing to mend.")
    ] = False,
) -> None:
    """Mend photos; each keeps its name, in another folder."""
    targets = _targets(files, out)

    async def mend(darkroom: AsyncDarkroom, file: Path) -> Enhanced:
        original = await asyncio.to_thread(file.read_bytes)
        enhanced = await darkroom.enhance(
            original, strength=strength, steps=steps, budget_ms=budget_ms
        )
        result = enhanced.photo or (original if copy_unchanged else None)
        if result is not None:
            await asyncio.to_thread(write_whole, targets[file], result)
        return enhanced

    outcomes = asyncio.run(_each(files, url, at_once, mend))
    _out.print(enhance_table(outcomes))
    _leave(outcomes)


@app.command()
def colorize(
    files: Photos,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the coloured photos.")],
    url: Url = DEFAULT_URL,
    model: Annotated[
        ColorModel | None, typer.Option(help="Network; else the best there is for the time.")
    ] = None,
    render_factor: Annotated[
        int | None, typer.Option(min=7, max=45, help="Size at which colours are found.")
    ] = None,
    strength: Annotated[float, typer.Option(min=0, max=1, help="0 leaves, 1 replaces.")] = 1.0,
    budget_ms: BudgetMs = None,
    at_once: AtOnce = 2,
) -> None:
    """Give photos the colours that are likely for them; each keeps its name, in another folder."""
    targets = _targets(files, out)

    async def give(darkroom: AsyncDarkroom, file: Path) -> Enhanced:
        coloured = await darkroom.colorize(
            file,
            model=model,
            render_factor=render_factor,
            strength=strength,
            budget_ms=budget_ms,
        )
        if coloured.photo is not None:
            await asyncio.to_thread(write_whole, targets[file], coloured.photo)
        return coloured

    outcomes = asyncio.run(_each(files, url, at_once, give))
    _out.print(colorize_table(outcomes))
    _leave(outcomes)


@app.command()
def diagnose(
    files: Photos,
    url: Url = DEFAULT_URL,
    budget_ms: BudgetMs = None,
    at_once: AtOnce = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show how severe each of the nine defects is; those found are marked."""

    async def look(darkroom: AsyncDarkroom, file: Path) -> DiagnoseAnswer:
        return await darkroom.diagnose(file, budget_ms=budget_ms)

    outcomes = asyncio.run(_each(files, url, at_once, look))
    if as_json:
        print(json.dumps([document_of(outcome) for outcome in outcomes], indent=2))
    else:
        _out.print(diagnose_table(outcomes))
    _leave(outcomes)


def _targets(files: Sequence[Path], out: Path) -> dict[Path, Path]:
    """Where each result goes.

    Raises:
        BadParameter: a result would overwrite a photo given here or another result.
    """
    targets = {file: out / file.name for file in files}
    if len(set(targets.values())) < len(files):
        raise typer.BadParameter("Two of the files have the same name.", param_hint="FILE")
    for target in targets.values():
        if target.exists() and any(target.samefile(file) for file in files):
            message = f"{target} would be overwritten; choose another folder."
            raise typer.BadParameter(message, param_hint="--out")
    out.mkdir(parents=True, exist_ok=True)
    return targets


async def _each(
    files: Sequence[Path],
    url: str,
    at_once: int,
    work: Callable[[AsyncDarkroom, Path], Awaitable[Answer]],
) -> list[Outcome[Answer]]:
    """Do the work for every file, at most `at_once` at a time; the outcomes in the files' order."""
    async with AsyncDarkroom(url) as darkroom:

        async def one(file: Path) -> Outcome[Answer]:
            began = time.monotonic()
            answer, failure = None, None
            try:
                answer = await _once_there_is_room(lambda: work(darkroom, file))
            except (ServiceError, OSError) as error:
                failure = error
            return Outcome(file, (time.monotonic() - began) * 1000, answer, failure)

        return await for_each(files, one, at_once=at_once, label="photos", console=_err)


async def _once_there_is_room(work: Callable[[], Awaitable[Answer]]) -> Answer:
    """Nobody waits at the other end of a folder: refused for the load, a photo is sent again."""
    for _ in range(TRIES - 1):
        try:
            return await work()
        except OverCapacity as error:
            await asyncio.sleep(error.retry_after_s)
    return await work()


def _leave(outcomes: Sequence[Outcome[Answer]]) -> None:
    """Say what failed and why, and exit accordingly."""
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    for outcome in failed:
        _err.print(f"{outcome.file}: {outcome.error}", markup=False, soft_wrap=True)
    if failed:
        _err.print(f"{len(failed)} of {len(outcomes)} photos failed.")
        raise typer.Exit(1)
