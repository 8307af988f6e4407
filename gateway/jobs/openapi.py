"""The routes of jobs in the OpenAPI document."""

from pydantic import BaseModel

from darkroom.contracts.jobs import (
    FILE_FIELD,
    IDEMPOTENCY_HEADER,
    JOBS_ROUTE,
    OPTIONS_OF,
    Job,
    JobList,
    Operation,
    Order,
)
from gateway.openapi_parts import Json, json_content, parameter, reference, session_route

SCHEMAS: tuple[type[BaseModel], ...] = (Job, JobList, Order)


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
