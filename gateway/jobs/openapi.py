"""The routes of jobs in the OpenAPI document."""

from typing import Any

from pydantic import BaseModel

from darkroom.contracts import problem
from darkroom.contracts.errors import ERROR_OF_CODE
from darkroom.contracts.jobs import (
    FILE_FIELD,
    IDEMPOTENCY_HEADER,
    JOBS_ROUTE,
    OPTIONS_OF,
    SESSION_HEADER,
    SESSION_PARAMETER,
    Job,
    JobList,
    Operation,
    Order,
)

Json = dict[str, Any]

SCHEMAS: tuple[type[BaseModel], ...] = (Job, JobList, Order)
_ERRORS = {
    "take": (400, 401, 404, 408, 415, 422, 429, 500, 503),
    "make": (400, 401, 404, 408, 409, 413, 415, 422, 429, 500, 503),
    "other": (400, 401, 404, 500, 503),
}


def job_paths(schemas: Json) -> Json:
    """The paths under `/api/images`; `schemas` are the document's components."""
    one = f"{JOBS_ROUTE}/{{id}}"
    either = {"oneOf": [reference("Job"), reference("Order")]}
    photo = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
    stream = {"text/event-stream": {"schema": {"type": "string"}}}
    none: Json = {}
    page = [
        parameter("query", "limit", {"type": "integer", "minimum": 1, "maximum": 200}),
        parameter("query", "before", {"type": "string"}, "`next` of the page before"),
    ]
    id_ = [{**parameter("path", "id", {"type": "string", "format": "uuid"}), "required": True}]
    last = [parameter("header", "Last-Event-ID", {"type": "string"})]
    download = [parameter("query", "download", {"type": "string", "enum": ["1"]}, "to save it")]
    return {
        JOBS_ROUTE: {
            "post": _take(schemas, either),
            "get": session_route(
                "The jobs of a session, newest first", json_content(reference("JobList")), page
            ),
        },
        f"{JOBS_ROUTE}/events": {
            "get": session_route("What happens to all jobs of a session", stream, last)
        },
        one: {
            "get": session_route("A job, or an order under its own id", json_content(either), id_),
            "delete": session_route(
                "Delete a job or an order, rows and bytes", none, id_, status="204"
            ),
        },
        f"{one}/events": {
            "get": session_route("What happens to a job or order", stream, id_ + last)
        },
        f"{one}/original": {
            "get": session_route("The photo as it was sent", photo, id_ + download)
        },
        f"{one}/result": {"get": session_route("The photo as it came back", photo, id_ + download)},
    }


def _take(schemas: Json, either: Json) -> Json:
    options: Json = {}
    for model in OPTIONS_OF.values():
        options |= schemas[model.__name__]["properties"]
    form = {
        "type": "object",
        "properties": {
            FILE_FIELD: {"type": "array", "items": {"type": "string", "format": "binary"}},
            "operation": {"type": "string", "enum": [*Operation], "default": Operation.ENHANCE},
            "source": {
                "type": "string",
                "format": "uuid",
                "description": "a job or order to run again, instead of files",
            },
            "webhook": {
                "type": "string",
                "format": "uri",
                "description": "told, with a signature, when all of the order has ended",
            },
            **options,
        },
        "additionalProperties": False,
    }
    key = parameter("header", IDEMPOTENCY_HEADER, {"type": "string", "maxLength": 200})
    route = session_route(
        "Take photos to be worked on later", json_content(either), [key], status="201", kind="take"
    )
    known = {"description": "The key was known", "content": json_content(either)}
    route["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": form}}}
    route["responses"] = {"200": known} | route["responses"]
    return route


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
        "responses": {status: reply, **_problems(kind)},
    }


def parameter(place: str, name: str, schema: Json, description: str = "") -> Json:
    return {
        "name": name,
        "in": place,
        "required": False,
        "description": description,
        "schema": schema,
    }


def _problems(kind: str) -> Json:
    errors = sorted(ERROR_OF_CODE.values(), key=lambda error: error.code)
    return {
        str(status): {
            "description": " ".join(
                f"`{e.code}`: {e.__doc__}" for e in errors if e.status == status
            ),
            "content": {problem.MEDIA_TYPE: {"schema": reference("Problem")}},
        }
        for status in _ERRORS[kind]
    }


def json_content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
