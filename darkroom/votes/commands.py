"""The command line's `darkroom votes`: put folders to the vote and read what came of it."""

import asyncio
import os
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import quote

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from darkroom.client import DEFAULT_URL
from darkroom.contracts.errors import ServiceError
from darkroom.contracts.votes import Ballots, VoteRequest
from darkroom.many import for_each, photos_in
from darkroom.votes.client import AsyncVotes

app = typer.Typer(help="Let people say which of two versions is better.", no_args_is_help=True)

AT_ONCE = 4  # uploads
Answer = TypeVar("Answer")
_out, _err = Console(), Console(stderr=True)

Name = Annotated[str, typer.Argument(metavar="NAME", show_default=False)]
Url = Annotated[str, typer.Option(envvar="DARKROOM_URL", help="Address of the service.")]
Session = Annotated[
    str,
    typer.Option(
        envvar="DARKROOM_SESSION",
        default_factory=lambda: own_session(os.environ),
        show_default="a secret kept for this user",
        help="Whose votes these are.",
    ),
]


@app.command()
def new(
    name: Name,
    folders: Annotated[list[str], typer.Argument(metavar="[LABEL=]FOLDER…", show_default=False)],
    session: Session,
    url: Url = DEFAULT_URL,
) -> None:
    """Put variants to the vote: a folder is a variant, equal file names are one photo.

    Run it again after an interruption. Photos that are not in every folder are left out.
    """
    variants = _variants(folders)
    photos = _common_photos(variants)
    try:
        request = VoteRequest(name=name, variants=tuple(variants), photos=tuple(photos))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = first["loc"][0] if first["loc"] else "vote"
        raise typer.BadParameter(f"{where}: {first['msg']}") from error
    _done(url, session, lambda votes: _send(votes, request, variants))
    _out.print(f"{url.rstrip('/')}/compare?vote={quote(name, safe='')}", soft_wrap=True)


@app.command("list")
def list_(session: Session, url: Url = DEFAULT_URL) -> None:
    """Show the open votes."""
    table = Table("vote", "made")
    table.add_column("pairs", justify="right")
    for vote in _done(url, session, lambda votes: votes.open()):
        table.add_row(escape(vote.name), f"{vote.created_at:%Y-%m-%d %H:%M}", str(vote.pairs))
    _out.print(table)


@app.command()
def report(
    name: Name,
    session: Session,
    url: Url = DEFAULT_URL,
    out: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for the report with its plot.")
    ] = None,
) -> None:
    """Say which variant is stronger, how sure that is, and how far people agree."""
    ballots = _done(url, session, lambda votes: votes.ballots(name))
    if not ballots.ballots:
        _fail("Nobody has judged a pair yet.")
    try:
        _tell(ballots, out)
    except ModuleNotFoundError as error:
        _fail(f"{error}. Reports need: pip install 'darkroom[votes]'.")


@app.command()
def delete(name: Name, session: Session, url: Url = DEFAULT_URL) -> None:
    """Delete a vote with its photos and all that was judged."""
    _done(url, session, lambda votes: votes.delete(name))


def own_session(environment: Mapping[str, str]) -> str:
    """The secret under which this user's votes are made, readable by the user alone."""
    home = Path(environment.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    file = home / "darkroom" / "session"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(secrets.token_urlsafe(24))
    except FileExistsError:
        pass
    return file.read_text().strip()


def _variants(folders: Sequence[str]) -> dict[str, Path]:
    """Folder by label; a folder's own name is its label where none is given."""
    variants: dict[str, Path] = {}
    for given in folders:
        label, _, folder = given.rpartition("=") if not Path(given).is_dir() else ("", "", given)
        path = Path(folder)
        if not path.is_dir():
            raise typer.BadParameter(f"{folder} is no folder.", param_hint="FOLDER…")
        label = label or path.resolve().name
        if label in variants:
            message = f"Two folders are called {label}; give one another label: LABEL=FOLDER."
            raise typer.BadParameter(message, param_hint="FOLDER…")
        variants[label] = path
    if len(variants) < 2:
        raise typer.BadParameter("A vote needs two folders or more.", param_hint="FOLDER…")
    return variants


def _common_photos(variants: dict[str, Path]) -> list[str]:
    names = [{file.name for file in photos_in(folder)} for folder in variants.values()]
    common = set.intersection(*names)
    if not common:
        raise typer.BadParameter("No photo is in all of them.", param_hint="FOLDER…")
    if left_out := len(set.union(*names)) - len(common):
        _err.print(f"{left_out} photos are not in every folder and are left out.")
    return sorted(common)


async def _send(votes: AsyncVotes, request: VoteRequest, variants: dict[str, Path]) -> None:
    vote = await votes.make(request)
    if not vote.missing:  # made by an earlier run
        return
    versions = [(variant, photo) for photo in request.photos for variant in variants]

    async def upload(version: tuple[str, str]) -> None:
        variant, photo = version
        await votes.upload(request.name, photo, variant, variants[variant] / photo)

    await for_each(versions, upload, at_once=AT_ONCE, label="photos", console=_err)


def _tell(ballots: Ballots, out: Path | None) -> None:
    from darkroom.votes.report import report_on
    from darkroom.votes.writing import agreement_in_words, sides_in_words, write_report

    found = report_on(ballots)
    table = Table("variant", title=escape(found.name))
    for column in ("strength", "95 % interval", "preferred", "no difference"):
        table.add_column(column, justify="right")
    for each in found.strengths:
        interval = f"{each.low:+.2f} … {each.high:+.2f}"
        preferred = f"{each.preferred} of {each.judged}"
        table.add_row(
            escape(each.variant),
            f"{each.strength:+.2f}",
            interval,
            preferred,
            str(each.no_difference),
        )
    _out.print(table)
    _out.print(f"{found.ballots} ballots of {found.voters} voters.")
    _out.print(sides_in_words(found))
    _out.print(agreement_in_words(found))
    if out is not None:
        write_report(found, out)
        _out.print(f"Written to {out}.", markup=False, soft_wrap=True)


def _done(
    url: str, session: str, work: Callable[[AsyncVotes], Coroutine[Any, Any, Answer]]
) -> Answer:
    """What the work comes to; a failure is said, and ends the command."""

    async def run() -> Answer:
        async with AsyncVotes(url, session=session) as votes:
            return await work(votes)

    try:
        return asyncio.run(run())
    except (ServiceError, OSError) as error:
        _fail(str(error))
    except ExceptionGroup as group:  # of uploads; the first tells enough
        _fail(str(group.exceptions[0]))


def _fail(message: str) -> NoReturn:
    _err.print(message, markup=False, soft_wrap=True)
    raise typer.Exit(1)
