"""A model server's handler without a model server: asked in this process, one photo at a time."""

import json
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from darkroom.contracts.headers import MODEL
from darkroom.contracts.report import ModelReply
from handlers.base import PhotoHandler

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
    """The handler of an archive: its code the project's own, its networks those packed with it."""

    def __init__(self, name: str) -> None:
        module = import_module(f"handlers.{name}_handler")
        handler_type = getattr(module, f"{name.capitalize()}Handler")
        self.handler: PhotoHandler[Any, Any] = handler_type()
        with tempfile.TemporaryDirectory() as folder:
            self.handler.initialize(_Unpacked(name, Path(folder)))

    def answer(self, payload: bytes, context: Context) -> bytes:
        """The body of the reply; the rest of it is in the context then."""
        (body,) = self.handler.handle([{"body": payload}], context)
        return body


class _Unpacked:
    """What TorchServe makes of an archive, which `make archives` has built."""

    def __init__(self, name: str, folder: Path) -> None:
        with zipfile.ZipFile(PROJECT / "model-store" / f"{name}.mar") as archive:
            archive.extractall(folder)
        self.system_properties: Mapping[str, Any] = {"model_dir": str(folder), "gpu_id": None}
        manifest, config = folder / "MAR-INF" / "MANIFEST.json", folder / "model-config.yaml"
        self.manifest: Mapping[str, Any] = json.loads(manifest.read_text())
        self.model_yaml_config: Mapping[str, Any] = yaml.safe_load(config.read_text())
