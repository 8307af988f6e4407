"""The command line: `darkroom enhance`, `colorize`, `diagnose`, `votes`, `weights`, `up`.

Exit status: 0 all went well, 1 some photos failed or the cluster could not start, 2 wrong usage.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from darkroom import jobs_cli
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
from darkroom.votes import commands as votes
from darkroom.weights import commands as weights

app = typer.Typer(help="Finds what is wrong with a photo and mends it.", no_args_is_help=True)
app.add_typer(jobs_cli.app, name="jobs")
app.add_typer(votes.app, name="votes")
app.add_typer(weights.app, name="weights")

Photos = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, metavar="FILE…", show_default=False)
]
Url = Annotated[str, typer.Option(envvar="DARKROOM_URL", help="Address of the service.")]
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Photos sent at the same time.")]
BudgetMs = Annotated[
    int | None, typer.Option(min=50, max=60_000, help="Time for one answer, in ms.")
]

TRIES = 5  # of a photo that the service has no room for

_out = Console()
_err = Console(stderr=True)


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
    jobs: Jobs = 4,
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
            await asyncio.to_thread(_write, targets[file], result)
        return enhanced

    outcomes = asyncio.run(_each(files, url, jobs, mend))
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
    jobs: Jobs = 2,
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
            await asyncio.to_thread(_write, targets[file], coloured.photo)
        return coloured

    outcomes = asyncio.run(_each(files, url, jobs, give))
    _out.print(colorize_table(outcomes))
    _leave(outcomes)


@app.command()
def diagnose(
    files: Photos,
    url: Url = DEFAULT_URL,
    budget_ms: BudgetMs = None,
    jobs: Jobs = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show how severe each of the nine defects is; those found are marked."""

    async def look(darkroom: AsyncDarkroom, file: Path) -> DiagnoseAnswer:
        return await darkroom.diagnose(file, budget_ms=budget_ms)

    outcomes = asyncio.run(_each(files, url, jobs, look))
    if as_json:
        print(json.dumps([document_of(outcome) for outcome in outcomes], indent=2))
    else:
        _out.print(diagnose_table(outcomes))
    _leave(outcomes)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the service.")] = 9000,
    host: Annotated[str, typer.Option(help="Address it listens on.")] = "127.0.0.1",
    model_store: Annotated[
        Path | None,
        typer.Option(
            exists=True, file_okay=False, resolve_path=True, help="Folder with the archives."
        ),
    ] = None,
) -> None:
    """Run the whole cluster on this machine until Ctrl-C."""
    try:
        from darkroom.cluster.servers import ClusterError
        from darkroom.cluster.up import run_cluster
    except ModuleNotFoundError as error:
        _err.print(f"{error}. The cluster needs: pip install 'darkroom[serve,gateway]'.")
        raise typer.Exit(1) from error
    try:
        asyncio.run(run_cluster(host, port, model_store, _say))
    except ClusterError as error:
        _err.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


@app.command()
def scale(
    wanted: Annotated[
        list[str], typer.Argument(metavar="NAME=COUNT…", help="Such as tone=3.", show_default=False)
    ],
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the cluster.")] = 9000,
) -> None:
    """Run more or fewer replicas of a model server, beside `darkroom up`."""
    from darkroom.cluster.scaling import ask_to_scale
    from darkroom.cluster.servers import ClusterError

    counts: dict[str, int] = {}
    for word in wanted:
        name, _, count = word.partition("=")
        if not count.isdecimal():
            raise typer.BadParameter(f"{word} is not NAME=COUNT.", param_hint="NAME=COUNT…")
        counts[name] = int(count)
    try:
        asyncio.run(ask_to_scale(port, counts, _say))
    except ClusterError as error:
        _err.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def main() -> None:
    app()


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads any more: the cluster runs on
        typer.echo(line)


def _targets(files: Sequence[Path], out: Path) -> dict[Path, Path]:
    """Where each result goes.

    Raises:
        BadParameter: a result would overwrite a photo given here or another result.
    """
    targets = {file: out / file.name for file in files}
    if len(set(targets.values())) < len(files):
        raise typer.BadParameter("Two of the files have the same name.", param_hint="FILE…")
    for target in targets.values():
        if target.exists() and any(target.samefile(file) for file in files):
            message = f"{target} would be overwritten; choose another folder."
            raise typer.BadParameter(message, param_hint="--out")
    out.mkdir(parents=True, exist_ok=True)
    return targets


def _write(target: Path, photo: bytes) -> None:
    """Write a file that is whole or absent, whatever happens meanwhile."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    unfinished.write_bytes(photo)
    unfinished.replace(target)


async def _each(
    files: Sequence[Path],
    url: str,
    jobs: int,
    work: Callable[[AsyncDarkroom, Path], Awaitable[Answer]],
) -> list[Outcome[Answer]]:
    """Do the work for every file, at most `jobs` at a time; the outcomes in the files' order."""
    places = asyncio.Semaphore(jobs)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    async with AsyncDarkroom(url) as darkroom:
        with Progress(*columns, console=_err, transient=True) as progress:
            bar = progress.add_task("photos", total=len(files))

            async def one(file: Path) -> Outcome[Answer]:
                async with places:
                    began = time.monotonic()
                    answer, failure = None, None
                    try:
                        answer = await _once_there_is_room(lambda: work(darkroom, file))
                    except (ServiceError, OSError) as error:
                        failure = error
                    progress.advance(bar)
                    return Outcome(file, (time.monotonic() - began) * 1000, answer, failure)

            return await asyncio.gather(*map(one, files))


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


if __name__ == "__main__":
    main()
