"""The contract with TorchServe itself: its own loader, service and context around our handler."""

import inspect
import json
import warnings
from importlib import import_module

import pytest

from darkroom.contracts.headers import MODEL
from handlers.archives import ARCHIVES
from tests.handlers.fakes import FakeHandler, a_body

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from ts.context import Context
    from ts.service import Service
    from ts.utils.util import list_classes_from_module


class NoMetrics:
    request_ids: dict[int, str] | None = None

    def add_time(self, name, value):
        pass


@pytest.fixture
def service(archive):
    handler = FakeHandler()
    context = Context(
        "fake",
        archive.system_properties["model_dir"],
        archive.manifest,
        2,
        None,
        "0.12.0",
        model_yaml_config=archive.model_yaml_config,
    )
    handler.initialize(context)
    service = Service("fake", "", None, handler.handle, None, 2, metrics_cache=NoMetrics())
    service.set_cl_socket(None)
    return service


def a_request(number, body):
    part = {"name": "body", "value": body, "contentType": "application/octet-stream"}
    headers = [{"name": b"X-Request-ID", "value": b"r"}]
    return {"requestId": f"id-{number}".encode(), "parameters": [part], "headers": headers}


def test_torchserve_takes_a_batch_with_a_status_for_each_slot(service):
    """Through its own service a good and a bad photo get 200 and 415, each with its headers."""
    reply = service.predict([a_request(0, a_body()["body"]), a_request(1, bytearray(b"?"))])

    assert int.from_bytes(reply[:4]) == 200  # of the batch: not "Prediction failed"
    good, bad = (service.context.get_response_status(index)[0] for index in range(2))
    assert (good, bad) == (200, 415)
    assert service.context.get_response_content_type(0) == "image/jpeg"
    assert json.loads(service.context.get_response_headers(0)[MODEL])["model"] == "fake"
    assert b"unsupported_photo" in reply


@pytest.mark.parametrize("archive_name", ARCHIVES)
def test_an_entry_file_has_exactly_one_class(archive_name):
    """TorchServe refuses an entry file with more; it must have `initialize` and `handle`."""
    module = import_module(f"handlers.{ARCHIVES[archive_name].entry.removesuffix('.py')}")

    (handler,) = list_classes_from_module(module)

    assert not inspect.isabstract(handler)
    assert callable(handler.initialize)
    assert callable(handler.handle)
