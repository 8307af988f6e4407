"""A model server's handler without a model server: asked in this process, one photo at a time."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from darkroom.contracts.headers import MODEL
from darkroom.contracts.report import ModelReply
from handlers.archives import ARCHIVES
from handlers.base import PhotoHandler
from handlers.trust import sha256_of

PROJECT = Path(__file__).parents[1]


@dataclass
class Context:
    """One request's headers; what the handler says of its reply is kept."""

    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    told: dict[str, str] = field(default_factory=dict)  # headers of the reply

    def get_all_request_header(self, idx: int) -> Mapping[str, str]:  # noqa: ARG002
        return self.headers

    def set_response_status(self, code: int, phrase: str, idx: int) -> None:  # noqa: ARG002
        self.status = code

    def set_response_content_type(self, idx: int, value: str) -> None:  # noqa: ARG002
        self.told["Content-Type"] = value

    def set_response_header(self, idx: int, key: str, value: str) -> None:  # noqa: ARG002
        self.told[key] = value

    @property
    def reply(self) -> ModelReply | None:
        """What the handler says of its work; None where it has refused the photo."""
        return ModelReply.model_validate_json(self.told[MODEL]) if MODEL in self.told else None


class Unserved:
    """The handler of an archive, loaded from the project's own folders."""

    def __init__(self, name: str) -> None:
        module = import_module(f"handlers.{name}_handler")
        handler_type = getattr(module, f"{name.capitalize()}Handler")
        self.handler: PhotoHandler = handler_type()
        with tempfile.TemporaryDirectory() as folder:
            self.handler.initialize(_Unpacked(name, Path(folder)))

    def answer(self, payload: bytes, context: Context) -> bytes:
        """The body of the reply; the rest of it is in the context then."""
        (body,) = self.handler.handle([{"body": payload}], context)
        return body


class _Unpacked:
    """What TorchServe makes of an archive."""

    def __init__(self, name: str, folder: Path) -> None:
        archive = ARCHIVES[name]
        for file in archive.all_weights:
            content = (PROJECT / "model-store" / "weights" / file).read_bytes()
            (folder / file).write_bytes(content)
        self.system_properties: Mapping[str, Any] = {"model_dir": str(folder), "gpu_id": None}
        names = {"modelName": name, "modelVersion": archive.version}
        self.manifest: Mapping[str, Any] = {"model": {**names, "serializedFile": archive.weights}}
        digests = {file: sha256_of(folder / file) for file in archive.all_weights}
        self.model_yaml_config: Mapping[str, Any] = archive.config(digests, "")
