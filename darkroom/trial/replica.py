"""One replica of a model server, as a trial asks it."""

import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import ValidationError

from darkroom.contracts.diagnosis import Diagnosis
from darkroom.contracts.errors import ServiceError
from darkroom.contracts.headers import MODEL
from darkroom.contracts.report import ModelReply
from darkroom.imaging.codec import decode
from darkroom.imaging.photo import Pixels
from darkroom.trial.samples import Sample

_TIMEOUT_S = 30.0  # beyond what a photo takes behind others on a very busy machine
_MAX_PIXELS = 4_000_000


class NoAnswer(Exception):
    """The replica did not answer this photo, or not as a model server should."""


@dataclass(frozen=True)
class Answer:
    """What a replica made of a photo, and what it says of its own work."""

    by: ModelReply
    result: Pixels | Diagnosis


class Replica:
    """A model server at an address."""

    def __init__(self, model: str, url: str) -> None:
        self.url = url
        self._path = f"/predictions/{model}"
        self._understood = _diagnosis if model == "defects" else _pixels
        self._address = urlsplit(url)

    def ask(self, sample: Sample) -> Answer:
        """Send a photo. Raises `NoAnswer`."""
        try:
            status, told, body = self._post(sample)
            by = ModelReply.model_validate_json(told)
            if status in (200, 204):  # 204: the photo was left alone
                return Answer(by, self._understood(body if status == 200 else sample.payload))
        except (OSError, http.client.HTTPException, ValidationError, ServiceError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
        raise NoAnswer(f"status {status}")

    def _post(self, sample: Sample) -> tuple[int, str, bytes]:
        """Status, what the reply says of its work, and body."""
        host, port = self._address.hostname or "", self._address.port
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
        try:
            connection.request("POST", self._path, sample.payload, sample.headers)
            reply = connection.getresponse()
            return reply.status, reply.getheader(MODEL, ""), reply.read()
        finally:
            connection.close()


def _diagnosis(body: bytes) -> Diagnosis:
    return Diagnosis.model_validate_json(body)


def _pixels(body: bytes) -> Pixels:
    return decode(body, _MAX_PIXELS).pixels
