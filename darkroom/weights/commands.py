"""The command line's `darkroom weights list` and `darkroom weights fetch`."""

import os
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from darkroom.weights.download import FetchError
from darkroom.weights.fetching import fetch, state_of
from darkroom.weights.folder import weights_folder
from darkroom.weights.manifest import OFFICIAL

app = typer.Typer(help="DeOldify's official weights, for `colorize`.", no_args_is_help=True)

_out = Console()
_err = Console(stderr=True)


@app.command("list")
def list_() -> None:
    """Show which official weights are here, checked against their digests."""
    folder = weights_folder(os.environ)
    table = Table("model", "state", "MB", "licence", title=str(folder))
    try:
        for official in OFFICIAL.values():
            state, megabytes = state_of(official, folder), official.size_bytes / 1e6
            table.add_row(official.name, state, f"{megabytes:.0f}", official.licence)
    except FetchError as error:
        _fail(error)
    _out.print(table)


@app.command("fetch")
def fetch_(
    name: Annotated[str, typer.Argument(metavar="|".join(OFFICIAL), show_default=False)],
    accept_digest: Annotated[
        bool, typer.Option("--accept-digest", help="Take a file with another SHA-256, and pin it.")
    ] = False,
) -> None:
    """Download official weights, check them and convert them; goes on where it was interrupted."""
    if name not in OFFICIAL:
        raise typer.BadParameter(f"There are {', '.join(OFFICIAL)}.", param_hint="NAME")
    official = OFFICIAL[name]
    _out.print(f"{official.source}\nLicence: {official.licence}", markup=False)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    try:
        with Progress(TextColumn("{task.description}"), *columns, console=_err) as progress:
            bar = progress.add_task(name, total=official.size_bytes)
            path = fetch(
                official,
                weights_folder(os.environ),
                lambda line: progress.console.print(line, markup=False, soft_wrap=True),
                lambda count: progress.update(bar, completed=count),
                accept_digest=accept_digest,
            )
    except FetchError as error:
        _fail(error)
    except ModuleNotFoundError as error:
        _err.print(f"{error}. Converting needs: pip install 'darkroom[serve]'.", markup=False)
        raise typer.Exit(1) from error
    _out.print(f"{path} is ready; model servers find it at their next photo.", soft_wrap=True)


def _fail(error: FetchError) -> None:
    _err.print(str(error), markup=False, soft_wrap=True)
    raise typer.Exit(1) from error
