"""The road of a photo through a model server; an entry file adds the network.

    handle(batch)
    ├── `Slot.read`   each request: budget, step, header, limits, pixels
    ├── `look`        each good slot: what the network is to see of its photo
    ├── `find`        all good slots in one call: the network
    ├── `apply`       each good slot: what was found, on its photo at full size
    └── reply         a photo, JSON or a problem document for each slot

A slot that fails is refused alone, and there are always as many replies as requests. With several
threads the stages of a batch overlap (`handlers/overlapping.py`). Nothing here imports TorchServe:
any server that passes bodies as a list of mappings and a `Context` can run it.
"""

import gc
import hashlib
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import cv2
from pydantic import BaseModel

from darkroom.contracts.errors import ServiceError
from darkroom.contracts.headers import MODEL, SHARED
from darkroom.contracts.problem import MEDIA_TYPE, Problem
from darkroom.contracts.report import ModelReply
from darkroom.imaging.codec import encode
from darkroom.imaging.kernels import load_kernels
from darkroom.imaging.photo import Photo
from darkroom.inference.memory import give_back_freed
from handlers.judging import WEIGHTS as JUDGE
from handlers.judging import load_judge
from handlers.overlapping import Overlap, threads_of
from handlers.slot import Slot, timed
from handlers.warming import WarmingContext, warming_photos

log = logging.getLogger(__name__)

Seen = TypeVar("Seen")
Found = TypeVar("Found")

_LEFT_ALONE = (HTTPStatus.NO_CONTENT.value, HTTPStatus.NO_CONTENT.phrase)


class RefusedArchive(RuntimeError):
    """The archive is not what its build made: the server must not start with it."""


class ReplyContext(Protocol):
    """Headers of the requests and of the replies of one batch."""

    def get_all_request_header(self, idx: int) -> Mapping[str, Any]: ...

    def set_response_status(self, code: int, phrase: str, idx: int) -> None: ...

    def set_response_content_type(self, idx: int, value: str) -> None: ...

    def set_response_header(self, idx: int, key: str, value: str) -> None: ...


class ArchiveContext(Protocol):
    """What the archive says of itself, and where it was unpacked."""

    system_properties: Mapping[str, Any]  # model_dir, gpu_id
    manifest: Mapping[str, Any]  # model: modelName, modelVersion, serializedFile
    model_yaml_config: Mapping[str, Any]  # handler: sha256 of each file by name


class PhotoHandler(ABC, Generic[Seen, Found]):
    """Answers batches of photos with one network."""

    overlap: Overlap | None = None  # where there are several threads

    @abstractmethod
    def load(self, weights: Path) -> None:
        """Read the network, ready for inference on `self.device` ("cpu" or "cuda:0")."""

    @abstractmethod
    def look(self, slot: Slot) -> Seen:
        """What the network is to see of one photo. Whatever is raised fails this slot only."""

    @abstractmethod
    def find(self, slots: Sequence[Slot], seen: Sequence[Seen]) -> Sequence[Found]:
        """Ask the network about the photos of a batch; one answer for each slot, in order.

        Whatever is raised fails these slots only; of several, each is tried again alone.
        """

    @abstractmethod
    def apply(self, slot: Slot, found: Found) -> Photo | BaseModel:
        """The answer for one photo. Whatever is raised fails this slot only.

        A photo is encoded by the caller in its own format; the slot's own photo, the very object,
        means that it was left alone. With several threads this and `look` run in any of them.
        """

    def encoded(self, slot: Slot) -> None:
        """Called when the answer, a photo, has been encoded."""

    def initialize(self, context: ArchiveContext) -> None:
        """Load the archive and warm everything up; the server is ready when this returns.

        Raises:
            RefusedArchive: the weights are missing or not those that the archive was built with,
                a GPU is required and not there, or a photo does not come through.
            ValueError: `DARKROOM_HANDLER_THREADS` is no number from 1.
        """
        if (threads := threads_of(os.environ)) > 1:
            self.overlap = Overlap(threads, at_once=threads)
        model = context.manifest["model"]
        gpu = context.system_properties.get("gpu_id")
        self.device = "cpu" if gpu is None else f"cuda:{gpu}"
        if gpu is None and os.environ.get("DARKROOM_REQUIRE_GPU", "0") not in ("", "0"):
            raise RefusedArchive("DARKROOM_REQUIRE_GPU is set and there is no GPU")
        self.name, self.version = str(model["modelName"]), str(model["modelVersion"])
        weights = Path(context.system_properties["model_dir"]) / str(model["serializedFile"])
        verified = _verify(weights.parent, context.model_yaml_config["handler"]["sha256"])
        self.weights_sha256 = verified[weights.name]
        cv2.setNumThreads(1)  # its own pool, which OMP_NUM_THREADS does not reach
        self.load(weights)
        self.judge = None if weights.name == JUDGE else load_judge(weights.parent, self.device)
        load_kernels()
        self._warm_up()
        # From here on TorchServe would print two lines for each photo, and Java would parse them.
        logging.getLogger().setLevel(logging.WARNING)
        gc.collect()
        gc.freeze()  # what is loaded by now stays: collections need not look at it again
        gc.enable()  # `sitecustomize` had put them off
        give_back_freed()  # what loading and warming up took: a server without photos needs none

    def handle(self, data: Sequence[Mapping[str, Any]], context: ReplyContext) -> list[bytes]:
        """Answer a batch of requests: as many replies, in the same order."""
        count = len(data)
        slots = [Slot(i, context.get_all_request_header(i), count) for i in range(count)]

        def look(slot: Slot) -> None:
            with slot.own_errors():
                slot.read(_payload(data[slot.index]))
                slot.seen = self.look(slot)

        def finish(slot: Slot) -> bytes:
            try:
                return self._reply(slot, context)
            finally:
                slot.forget()

        if self.overlap is not None and count > 1:
            return self.overlap.run(slots, look, self._find, finish)
        for slot in slots:
            look(slot)
        self._find(slots)
        return [finish(slot) for slot in slots]

    def _find(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            if slot.problem is None:
                with slot.own_errors():
                    slot.check_time()  # which went on while others of the batch were at work
        slots = [slot for slot in slots if slot.problem is None]
        if len(slots) > 1:
            try:
                found = self.find(slots, [slot.seen for slot in slots])
                for slot, answer in zip(slots, found, strict=True):
                    slot.found = answer
            except Exception as error:
                if not isinstance(error, ServiceError):
                    log.exception("a batch failed; its photos go one by one")
                for slot in slots:
                    self._find([slot])
        elif slots:
            with slots[0].own_errors():
                (slots[0].found,) = self.find(slots, [slots[0].seen])

    def _reply(self, slot: Slot, context: ReplyContext) -> bytes:
        body, media_type = b"", ""
        if slot.problem is None:
            with slot.own_errors():
                slot.answer = self.apply(slot, slot.found)
                if slot.answer is not slot.photo:
                    self._judge(slot)
                    body, media_type = _encode(slot)
                    if isinstance(slot.answer, Photo):
                        self.encoded(slot)
                        body = b"" if slot.leave_answer(body) else body
        if slot.shared_reply is not None:
            told = slot.shared_reply.model_dump_json()
            context.set_response_header(slot.index, SHARED, told)
        if slot.problem is not None:
            return _refuse(slot.index, slot.problem, context)
        reply = ModelReply(
            model=self.name,
            version=self.version,
            weights_sha256=self.weights_sha256[:12],
            device=self.device,
            stages=slot.stages,
            took_ms=slot.took_ms,
            cpu_ms=slot.cpu_ms,
            notes=slot.notes,
            severities=slot.severities,
        )
        if slot.answer is slot.photo:
            context.set_response_status(*_LEFT_ALONE, slot.index)
        else:
            context.set_response_content_type(slot.index, media_type)
        context.set_response_header(slot.index, MODEL, reply.model_dump_json())
        return body

    def _judge(self, slot: Slot) -> None:
        asked = slot.step is not None and slot.step.judge
        if asked and self.judge is not None and isinstance(slot.answer, Photo):
            with timed("judge_ms", slot):
                slot.severities = self.judge.severities(slot.answer)

    def _warm_up(self) -> None:
        for payload in warming_photos():
            context = WarmingContext()
            self.handle([{"body": payload}], context)
            if context.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
                raise RefusedArchive(f"{self.name}: a photo to warm up with got {context.status}")


def _verify(folder: Path, recorded: Mapping[str, str]) -> Mapping[str, str]:
    """The digests that the build recorded, if each file in `folder` has its own."""
    for name, digest in recorded.items():
        if not (folder / name).is_file():
            raise RefusedArchive(f"{name} is missing")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise RefusedArchive(f"{name} is not the file that the archive was built with")
    return recorded


def _payload(item: Mapping[str, Any]) -> bytes:
    """The photo's bytes, under the name that TorchServe gives to a body without one.

    A body declared as text or JSON was parsed on the way: it is no photo, as empty bytes are none.
    """
    body = item.get("body")
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


def _encode(slot: Slot) -> tuple[bytes, str]:
    if isinstance(slot.answer, Photo):
        with timed("encode_ms", slot):
            return encode(slot.answer), slot.answer.format.media_type
    if isinstance(slot.answer, BaseModel):
        return slot.answer.model_dump_json().encode(), "application/json"
    raise TypeError(f"no answer: {type(slot.answer).__name__}")


def _refuse(index: int, problem: Problem, context: ReplyContext) -> bytes:
    context.set_response_status(problem.status, problem.title, index)
    context.set_response_content_type(index, MEDIA_TYPE)
    return problem.model_dump_json().encode()
