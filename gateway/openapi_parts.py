"""Parts of the OpenAPI document that photos, jobs and votes describe their routes with."""

from collections.abc import Iterable
from typing import Any

from darkroom.contracts import problem
from darkroom.contracts.errors import ERROR_OF_CODE
from darkroom.contracts.jobs import SESSION_HEADER, SESSION_PARAMETER

Json = dict[str, Any]

# Statuses of the refusals of routes that need a session: by what they do.
_ERRORS = {
    "take": (400, 401, 404, 408, 415, 422, 429, 500, 503),
    "make": (400, 401, 404, 408, 409, 413, 415, 422, 429, 500, 503),
    "other": (400, 401, 404, 500, 503),
}


def session_route(
    summary: str, content: Json, parameters: list[Json], *, status: str = "200", kind: str = "other"
) -> Json:
    """A route that needs the session; `kind` names the refusals it may answer with."""
    session = {"type": "string", "pattern": "^[A-Za-z0-9._~:-]{1,128}$"}
    own = [parameter("header", SESSION_HEADER, session, "whose photos these are; a secret")]
    if status == "200":
        own.append(parameter("query", SESSION_PARAMETER, session, "where no header can be sent"))
    reply: Json = {"description": summary} | ({"content": content} if content else {})
    return {
        "summary": summary,
        "parameters": own + parameters,
        "responses": {status: reply, **problems(_ERRORS[kind])},
    }


def parameter(place: str, name: str, schema: Json, description: str = "") -> Json:
    return {
        "name": name,
        "in": place,
        "required": False,
        "description": description,
        "schema": schema,
    }


def problems(statuses: Iterable[int]) -> Json:
    """One entry for each status, naming the codes it may carry."""
    errors = sorted(ERROR_OF_CODE.values(), key=lambda error: error.code)
    return {
        str(status): {
            "description": " ".join(
                f"`{e.code}`: {e.__doc__}" for e in errors if e.status == status
            ),
            "content": {problem.MEDIA_TYPE: {"schema": reference("Problem")}},
        }
        for status in statuses
    }


def json_content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
