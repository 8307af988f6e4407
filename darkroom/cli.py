"""The command line `darkroom`: the commands of its parts, and those that run a cluster.

Exit status: 0 all went well, 1 some photos failed or the cluster could not start, 2 wrong usage.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from darkroom import jobs_cli, photos_cli
from darkroom.votes import commands as votes
from darkroom.weights import commands as weights

app = typer.Typer(help="Finds what is wrong with a photo and mends it.", no_args_is_help=True)
app.add_typer(photos_cli.app)
app.add_typer(jobs_cli.app, name="jobs")
app.add_typer(votes.app, name="votes")
app.add_typer(weights.app, name="weights")

_err = Console(stderr=True)


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
    with _failures_in_a_line():
        from darkroom.cluster.up import run_cluster

        asyncio.run(run_cluster(host, port, model_store, _say))


@app.command()
def scale(
    wanted: Annotated[
        list[str], typer.Argument(metavar="NAME=COUNT", help="Such as tone=3.", show_default=False)
    ],
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the cluster.")] = 9000,
) -> None:
    """Run more or fewer replicas of a model server, beside `darkroom up`."""
    counts: dict[str, int] = {}
    for word in wanted:
        name, _, count = word.partition("=")
        if not count.isdecimal():
            raise typer.BadParameter(f"{word} is not NAME=COUNT.", param_hint="NAME=COUNT")
        counts[name] = int(count)
    with _failures_in_a_line():
        from darkroom.cluster.scaling import ask_to_scale

        asyncio.run(ask_to_scale(port, counts, _say))


def main() -> None:
    app()


@contextlib.contextmanager
def _failures_in_a_line() -> Iterator[None]:
    """Whatever keeps a cluster from running is said in a line, and ends the command."""
    try:
        from darkroom.cluster.servers import ClusterError  # the bare install has no cluster
    except ModuleNotFoundError as error:
        message = f"{error}. The cluster needs: pip install 'darkroom[serve,gateway]'."
        _err.print(message, markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    try:
        yield
    except ClusterError as error:
        _err.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody reads any more: the cluster runs on
        typer.echo(line)


if __name__ == "__main__":
    main()
