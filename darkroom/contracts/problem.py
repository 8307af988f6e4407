"""Errors on the wire: problem documents after RFC 9457."""

from http import HTTPStatus

from pydantic import BaseModel, Field

from darkroom.contracts.errors import ERROR_OF_CODE, ReplicaUnavailable, ServiceError

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel, frozen=True):
    type: str = "about:blank"
    title: str
    status: int
    code: str = Field(description="stable word; clients may branch on it")
    detail: str = ""
    request_id: str = ""

    @classmethod
    def of(cls, error: ServiceError, request_id: str = "") -> "Problem":
        return cls(
            title=HTTPStatus(error.status).phrase,
            status=error.status,
            code=error.code,
            detail=str(error),
            request_id=request_id,
        )

    def to_error(self) -> ServiceError:
        """The error this document stands for; a code we do not know is a replica's failure."""
        return ERROR_OF_CODE.get(self.code, ReplicaUnavailable)(self.detail)
