import pytest

from darkroom.contracts.errors import ERROR_OF_CODE, ReplicaUnavailable
from darkroom.contracts.problem import Problem


@pytest.mark.parametrize("error", list(ERROR_OF_CODE.values()))
def test_error_survives_the_wire(error):
    """A model server's error is raised again in the gateway: same class, same message."""
    sent = Problem.of(error("because"), "id-1")
    received = Problem.model_validate_json(sent.model_dump_json())

    assert received.request_id == "id-1"
    assert received.status == error.status
    assert type(received.to_error()) is error
    assert str(received.to_error()) == "because"


def test_unknown_code_is_a_failed_replica():
    """A newer model server may know codes that we do not: that is its failure, not the client's."""
    problem = Problem(title="Teapot", status=418, code="teapot", detail="short and stout")

    assert type(problem.to_error()) is ReplicaUnavailable
