"""`darkroom jobs submit`: a folder of photos through the queue, interrupted as often as you like.

What has been handed over is kept in OUT/.darkroom-jobs.json before it is sent, so that the same
command after an interruption sends nothing twice and fetches what is missing.
"""

import asyncio
import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from darkroom.client import DEFAULT_URL
from darkroom.contracts.defects import Defect
from darkroom.contracts.errors import NotFound, OverCapacity, ServiceError
from darkroom.contracts.jobs import Job, Operation
from darkroom.jobs import AsyncJobs
from darkroom.many import for_each, photos_in, write_whole

app = typer.Typer(help="Photos worked on in the background.", no_args_is_help=True)

STATE = ".darkroom-jobs.json"
LATER_S = 5.0  # at least, before a photo is sent again to a queue that was full
_out, _err = Console(), Console(stderr=True)


class Sent(BaseModel):
    """A photo handed over, or about to be."""

    key: str  # its Idempotency-Key
    job: UUID | None = None
    is_fetched: bool = False


class State(BaseModel):
    """What an interrupted run leaves to the next."""

    session: str
    sent: dict[str, Sent] = {}  # by what is asked of which file


@dataclass(frozen=True)
class Ending:
    """What became of a file."""

    file: Path
    job: Job | None = None
    problem: str = ""


@app.command()
def submit(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="DIR")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the results.")],
    operation: Annotated[Operation, typer.Option(help="What to do.")] = Operation.ENHANCE,
    url: Annotated[str, typer.Option(envvar="DARKROOM_URL", help="The service.")] = DEFAULT_URL,
    defect: Annotated[Defect | None, typer.Option(help="For fix_defect.")] = None,
    strength: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    model: Annotated[str | None, typer.Option(help="For colorize: its model.")] = None,
    render_factor: Annotated[int | None, typer.Option(help="For colorize.")] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Photos on their way.")] = 8,
) -> None:
    """Send all photos of a folder; each result keeps its name. Run again to go on."""
    if (operation is Operation.FIX_DEFECT) != (defect is not None):
        raise typer.BadParameter("--defect belongs to --operation fix_defect.")
    if out.exists() and out.samefile(folder):
        raise typer.BadParameter("The originals would be overwritten.", param_hint="--out")
    files = photos_in(folder)
    if not files:
        raise typer.BadParameter("There are no photos in it.", param_hint="DIR")
    given = {
        "defect_to_fix": defect,
        "strength": strength,
        "model": model,
        "render_factor": render_factor,
    }
    options = {name: value for name, value in given.items() if value is not None}
    out.mkdir(parents=True, exist_ok=True)
    run = _Run(out, operation, options, _read_state(out))
    try:
        endings = asyncio.run(run.all(files, url, at_once))
    except KeyboardInterrupt:
        _err.print("Interrupted. The same command goes on from here.")
        raise typer.Exit(130) from None
    _out.print(_table(endings))
    counts = Counter("failed" if ending.problem else "done" for ending in endings)
    _out.print(f"{counts['done']} of {len(files)} photos done, {counts['failed']} failed.")
    if counts["failed"]:
        raise typer.Exit(1)


class _Run:
    """One walk through the files."""

    def __init__(
        self, out: Path, operation: Operation, options: dict[str, Any], state: State
    ) -> None:
        self._out = out
        self._operation = operation
        self._options = options
        self._state = state

    async def all(self, files: list[Path], url: str, at_once: int) -> list[Ending]:
        async with AsyncJobs(url, session=self._state.session) as jobs:
            return await for_each(
                files,
                lambda file: self._one(jobs, file),
                at_once=at_once,
                label=self._operation,
                console=_err,
            )

    async def _one(self, jobs: AsyncJobs, file: Path) -> Ending:
        name = self._name(file)
        sent = self._state.sent.setdefault(name, Sent(key=secrets.token_urlsafe(16)))
        try:
            job = await jobs.ended(await self._handed_over(jobs, file, sent))
            if job.error is not None:
                del self._state.sent[name]  # another run may try it anew
                return Ending(file, job, f"{job.error.code}: {job.error.detail}")
            target = self._out / file.name
            if not (sent.is_fetched and target.exists()):
                await asyncio.to_thread(write_whole, target, await jobs.result(job))
                sent.is_fetched = True
            return Ending(file, job)
        except (ServiceError, OSError) as error:
            return Ending(file, problem=str(error))
        finally:
            self._save()

    async def _handed_over(self, jobs: AsyncJobs, file: Path, sent: Sent) -> Job:
        """The job of an earlier run if the service still has it, or a new one."""
        if sent.job is not None:
            try:
                return await jobs.job(sent.job)
            except NotFound:  # too old by now
                sent.key, sent.is_fetched = secrets.token_urlsafe(16), False
        self._save()
        while True:
            try:
                job = await jobs.submit(file, self._operation, self._options, key=sent.key)
            except OverCapacity as error:
                await asyncio.sleep(max(LATER_S, error.retry_after_s))
            else:
                sent.job = job.id
                self._save()
                return job

    def _name(self, file: Path) -> str:
        """The file and what is asked of it: a changed photo or wish is another."""
        stat = file.stat()
        wish = ",".join(f"{name}={value}" for name, value in sorted(self._options.items()))
        return f"{file.resolve()} {stat.st_size} {stat.st_mtime_ns} {self._operation} {wish}"

    def _save(self) -> None:
        state = self._state.model_dump_json().encode()
        write_whole(self._out / STATE, state, private=True)  # it holds the session


def _read_state(out: Path) -> State:
    try:
        return State.model_validate_json((out / STATE).read_bytes())
    except (OSError, ValueError):  # none yet, or not ours
        return State(session=secrets.token_urlsafe(24))


def _table(endings: list[Ending]) -> Table:
    table = Table("photo", "status", "what came of it")
    table.add_column("ms", justify="right")
    for ending in endings:
        name, job = escape(ending.file.name), ending.job
        if ending.problem or job is None:
            table.add_row(name, "[red]failed", escape(ending.problem), "")
            continue
        what = "nothing to mend" if job.changed is False else job.operation.value
        ms = job.timings.working_ms
        table.add_row(name, job.status, what, "" if ms is None else f"{ms:.0f}")
    return table
