"""The error tree: one class for each thing that can go wrong, with its status and code.

ServiceError 500 internal
├── MalformedRequest 400 malformed_request
│   ├── UnknownOption 400 unknown_option
│   └── UnknownDefect 400 unknown_defect
├── NoSession 401 no_session
├── NotFound 404 not_found
│   └── NotFinished 404 not_finished
├── MethodNotAllowed 405 method_not_allowed
├── SlowRequest 408 slow_request
├── NameTaken 409 name_taken
├── PayloadTooLarge 413 payload_too_large
│   └── PhotoTooLarge 422 photo_too_large
├── UnsupportedPhoto 415 unsupported_photo
│   └── UnsupportedEncoding 415 unsupported_encoding
├── UnreadablePhoto 422 unreadable_photo
│   └── TooManyPixels 422 too_many_pixels
├── KeyReused 422 key_reused
├── ForbiddenAddress 422 forbidden_address
├── OverCapacity 429 over_capacity
├── NoReplica 503 no_replica
│   ├── ReplicaUnavailable 503 replica_unavailable
│   └── EnhancerMissing 503 enhancer_missing
├── JobsUnavailable 503 jobs_unavailable
├── ModelMissing 503 model_missing
├── OutOfMemory 503 out_of_memory
└── OutOfTime 504 out_of_time
"""

from collections.abc import Iterator


class ServiceError(Exception):
    """The service could not finish this photo."""

    status = 500  # HTTP status of the reply
    code = "internal"  # stable word in the JSON body; clients may branch on it

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)  # the docstring is the default message


class MalformedRequest(ServiceError):
    """The request does not have the documented shape."""

    status, code = 400, "malformed_request"


class UnknownOption(MalformedRequest):
    """An option is unknown or its value is not allowed."""

    code = "unknown_option"


class UnknownDefect(MalformedRequest):
    """There is no defect of this name."""

    code = "unknown_defect"


class NoSession(ServiceError):
    """Jobs need a session: 1 to 128 of A-Z a-z 0-9 . _ ~ : - in the header X-Session-ID."""

    status, code = 401, "no_session"


class NotFound(ServiceError):
    """There is nothing here."""

    status, code = 404, "not_found"


class NotFinished(NotFound):
    """This job has no result, at least not yet."""

    code = "not_finished"


class MethodNotAllowed(ServiceError):
    """This route does not take this method."""

    status, code = 405, "method_not_allowed"


class SlowRequest(ServiceError):
    """The request took too long to arrive."""

    status, code = 408, "slow_request"


class NameTaken(ServiceError):
    """There is something else of this name already."""

    status, code = 409, "name_taken"


class PayloadTooLarge(ServiceError):
    """The request has more bytes than the service takes."""

    status, code = 413, "payload_too_large"


class PhotoTooLarge(PayloadTooLarge):
    """A photo has more bytes than the service takes, or the order has too many."""

    status, code = 422, "photo_too_large"  # 422, as the clients of these routes expect


class UnsupportedPhoto(ServiceError):
    """This is not a JPEG, PNG or WebP picture."""

    status, code = 415, "unsupported_photo"


class UnsupportedEncoding(UnsupportedPhoto):
    """Compressed or transfer-encoded request bodies are not taken: send the photo's own bytes."""

    code = "unsupported_encoding"


class UnreadablePhoto(ServiceError):
    """The bytes cannot be read as a picture."""

    status, code = 422, "unreadable_photo"


class TooManyPixels(UnreadablePhoto):
    """The picture has more pixels than the service takes."""

    code = "too_many_pixels"


class KeyReused(ServiceError):
    """This Idempotency-Key was used for another request."""

    status, code = 422, "key_reused"


class ForbiddenAddress(ServiceError):
    """Webhooks go to public addresses over http or https only."""

    status, code = 422, "forbidden_address"


class OverCapacity(ServiceError):
    """The service is at its capacity; try again later."""

    status, code = 429, "over_capacity"

    def __init__(self, message: str = "", retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NoReplica(ServiceError):
    """No healthy replica of a model server can be reached."""

    status, code = 503, "no_replica"


class ReplicaUnavailable(NoReplica):
    """A model server failed on this photo."""

    code = "replica_unavailable"


class EnhancerMissing(NoReplica):
    """No model server that mends this defect is part of this cluster."""

    code = "enhancer_missing"


class JobsUnavailable(ServiceError):
    """Jobs cannot be taken or looked up at the moment."""

    status, code = 503, "jobs_unavailable"


class ModelMissing(ServiceError):
    """The weights of this model are not here."""

    status, code = 503, "model_missing"


class OutOfMemory(ServiceError):
    """There is not enough memory for this photo at the moment."""

    status, code = 503, "out_of_memory"


class OutOfTime(ServiceError):
    """The photo could not be finished within its time budget."""

    status, code = 504, "out_of_time"


def _descendants(error: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield error
    for child in error.__subclasses__():
        yield from _descendants(child)


ERROR_OF_CODE: dict[str, type[ServiceError]] = {
    error.code: error for error in _descendants(ServiceError)
}
