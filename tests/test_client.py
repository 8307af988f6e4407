"""Tests of `darkroom.client`, most of them by way of `darkroom.blocking`."""

import asyncio
import socket
import subprocess
import sys

import pytest

from darkroom import AsyncDarkroom, Darkroom, Unreachable
from darkroom.contracts.defects import Defect, Enhancer
from darkroom.contracts.errors import OutOfTime, OverCapacity, ServiceError, TooManyPixels
from tests.fake_service import MENDED, FakeService, running_service


@pytest.fixture
def service():
    with running_service() as service:
        yield service


@pytest.fixture
def darkroom(service: FakeService):
    with Darkroom(service.url) as darkroom:
        yield darkroom


def test_mended_photo_comes_with_its_report(darkroom):
    """`enhance` returns the answer's bytes and the report from its header."""
    enhanced = darkroom.enhance(b"a dark photo")

    assert enhanced.photo == MENDED
    assert enhanced.report.diagnosis.found == (Defect.LOW_LIGHT, Defect.NOISY)
    assert [step.enhancer for step in enhanced.report.steps] == [Enhancer.TONE]


def test_nothing_to_mend_is_no_photo(service, darkroom):
    """A 204 is an answer without a photo, with a report all the same."""
    service.found = ()

    enhanced = darkroom.enhance(b"a good photo")

    assert enhanced.photo is None
    assert enhanced.report.steps == ()


def test_photo_may_be_a_file(service, darkroom, tmp_path):
    """A path, as `Path` or as text, stands for the bytes of its file."""
    file = tmp_path / "room.jpg"
    file.write_bytes(b"bytes of the file")

    darkroom.enhance(file)
    darkroom.enhance(str(file))

    assert [photo for _, _, photo in service.received] == [b"bytes of the file"] * 2


def test_photo_of_many_bytes_arrives_whole(service, darkroom):
    """Large photos are sent without a warning and arrive as they are."""
    photo = bytes(range(256)) * (5 << 12)  # 5 MiB

    darkroom.enhance(photo)

    assert service.received[0][2] == photo


def test_options_are_sent_by_name(service, darkroom):
    """What was given is sent, what was not given is left to the service."""
    darkroom.enhance(b"photo", strength=0.5, steps=["restore", Enhancer.TONE], budget_ms=300)
    darkroom.enhance(b"photo")

    assert service.received[0][1] == {
        "strength": "0.5",
        "steps": "restore,tone",
        "budget_ms": "300",
    }
    assert service.received[1][1] == {}


def test_fix_defect_names_the_defect(service, darkroom):
    """`fix_defect` asks its own route for the defect, by name or by member."""
    darkroom.fix_defect(b"photo", Defect.HAZY)
    darkroom.fix_defect(b"photo", "hazy")

    for route, options, _ in service.received:
        assert (route, options) == ("/fix_defect", {"defect_to_fix": "hazy"})


def test_diagnose_returns_all_severities(darkroom):
    """`diagnose` returns the whole diagnosis and the steps it leads to."""
    answer = darkroom.diagnose(b"photo")

    assert answer.diagnosis.severities[Defect.LOW_LIGHT] == 0.75
    assert {step.enhancer for step in answer.steps} == {Enhancer.RESTORE, Enhancer.TONE}


def test_detect_problems_returns_defects(darkroom):
    """`detect_problems` returns members of `Defect`, in the service's order."""
    assert darkroom.detect_problems(b"photo") == [Defect.LOW_LIGHT, Defect.NOISY]


def test_refusal_is_raised_as_the_services_error(service, darkroom):
    """A problem document becomes the error class of its code, with its words."""
    service.refusals[b"huge"] = TooManyPixels("60 megapixels are too many.")

    with pytest.raises(TooManyPixels, match="60 megapixels"):
        darkroom.enhance(b"huge")


def test_refusal_for_the_load_says_when_to_come_again(service, darkroom):
    """The seconds of `Retry-After` are in the error, so that a caller can wait that long."""
    service.refusals[b"photo"] = OverCapacity(retry_after_s=7)

    with pytest.raises(OverCapacity) as refused:
        darkroom.enhance(b"photo")

    assert refused.value.retry_after_s == 7


def test_error_without_a_problem_document_is_raised(service):
    """An answer from something else, a proxy say, is an error that names its status."""
    proxy = f"{service.url}/behind/a/proxy"

    with Darkroom(proxy) as darkroom, pytest.raises(ServiceError, match="404"):
        darkroom.enhance(b"photo")


def test_answer_without_a_report_is_an_error(service, darkroom):
    """A 200 that does not say what was done is not taken for a mended photo."""
    service.tells = False

    with pytest.raises(ServiceError, match="X-Darkroom-Report"):
        darkroom.enhance(b"photo")


def test_nobody_there_is_said_with_the_address():
    """A refused connection is a `ConnectionError` that names the address."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound, not listening: nobody can answer here
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"

        with Darkroom(url) as darkroom, pytest.raises(ConnectionError, match=url):
            darkroom.enhance(b"photo")


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "ftp://somewhere"])
def test_nonsense_for_an_address_is_unreachable(url):
    """A wrong address is the same error, never one of the HTTP library's."""
    with Darkroom(url) as darkroom, pytest.raises(Unreachable):
        darkroom.enhance(b"photo")


def test_slow_service_is_out_of_time(service):
    """No answer within the client's timeout is `OutOfTime`."""
    service.delay_s = 1.0

    with Darkroom(service.url, timeout_s=0.1) as darkroom, pytest.raises(OutOfTime):
        darkroom.enhance(b"photo")


async def test_async_client_carries_many_calls(service):
    """One `AsyncDarkroom` has several photos under way at the same time."""
    service.company = 5
    async with AsyncDarkroom(service.url) as darkroom:
        await asyncio.gather(*(darkroom.enhance(b"photo") for _ in range(5)))

    assert service.most_at_once == 5


def test_client_needs_no_numpy():
    """The bare install, without numpy or torch, is enough for the client and the command line."""
    program = (
        "import sys; from darkroom import Darkroom; import darkroom.cli; "
        "print(sorted({'numpy', 'torch', 'psutil', 'simplejpeg'} & sys.modules.keys()))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.stdout == "[]\n", ended.stderr
