"""The OpenAPI document, made from the contracts: what it says is what is checked."""

from functools import cache
from importlib.metadata import version

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from darkroom.contracts import headers
from darkroom.contracts.adjust import AdjustOptions
from darkroom.contracts.options import (
    ColorizeOptions,
    DiagnoseOptions,
    EnhanceOptions,
    FixDefectOptions,
)
from darkroom.contracts.problem import Problem
from darkroom.contracts.report import DiagnoseAnswer, Report
from darkroom.imaging.header import Format
from gateway.jobs.openapi import SCHEMAS as JOB_SCHEMAS
from gateway.jobs.openapi import job_paths
from gateway.openapi_parts import Json, problems, reference
from gateway.readiness import Readiness
from gateway.reading import PHOTO_FIELD
from gateway.votes.openapi import GIVEN as VOTE_ANSWERS
from gateway.votes.openapi import TAKEN as VOTE_REQUESTS
from gateway.votes.openapi import vote_paths

_PHOTO: Json = {"type": "string", "format": "binary"}
_MEDIA_TYPES = [photo_format.media_type for photo_format in Format]
_ERRORS_OF_PHOTOS = (400, 408, 413, 415, 422, 429, 500, 503, 504)


@cache
def openapi_document() -> Json:
    """This service after OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Darkroom",
            "version": version("darkroom"),
            "description": "Finds what is wrong with a photo and mends it within one second.",
        },
        "paths": {
            **_mending_paths(),
            **_finding_paths(),
            **job_paths(_schemas()),
            **vote_paths(),
            **_service_paths(),
        },
        "components": {"schemas": _schemas()},
    }


def _mending_paths() -> Json:
    """What answers with a photo."""
    unchanged = _reply("Nothing needs mending", report=True)
    return {
        "/enhance_image": _photo_route(
            "Find what is wrong with a photo and mend it",
            EnhanceOptions,
            {"200": _photo_reply(), "204": unchanged},
        ),
        "/fix_defect": _photo_route(
            "Mend one named defect", FixDefectOptions, {"200": _photo_reply()}
        ),
        "/adjust": _photo_route(
            "Turn exposure, contrast, colour and tilt by hand",
            AdjustOptions,
            {"200": _photo_reply()},
        ),
        "/colorize": _photo_route(
            "Give a photo the colours that are likely for it",
            ColorizeOptions,
            {"200": _photo_reply()},
        ),
    }


def _finding_paths() -> Json:
    """What answers with what is wrong."""
    names = {"type": "array", "items": reference("Defect")}
    return {
        "/detect_problems": _photo_route(
            "Name what is wrong with a photo, worst first",
            DiagnoseOptions,
            {"200": _json_reply("Names of defects", names)},
        ),
        "/diagnose": _photo_route(
            "The severity of every defect, and the plan it leads to",
            DiagnoseOptions,
            {"200": _json_reply("The diagnosis", reference("DiagnoseAnswer"))},
        ),
    }


def _service_paths() -> Json:
    """What answers about the service itself."""
    return {
        "/healthz": _plain_route("The process lives", "text/plain"),
        "/readyz": _readyz(),
        "/metrics": _plain_route("Counts and times for Prometheus", "text/plain"),
        "/openapi.json": _plain_route("This document", "application/json"),
        "/docs": _plain_route("This document to read", "text/html"),
    }


@cache
def _schemas() -> Json:
    taken: tuple[type[BaseModel], ...] = (
        DiagnoseOptions,
        EnhanceOptions,
        FixDefectOptions,
        AdjustOptions,
        ColorizeOptions,
        *VOTE_REQUESTS,
    )
    given: tuple[type[BaseModel], ...] = (
        DiagnoseAnswer,
        Problem,
        Readiness,
        Report,
        *JOB_SCHEMAS,
        *VOTE_ANSWERS,
    )
    _, definitions = models_json_schema(
        [(model, "validation") for model in taken] + [(model, "serialization") for model in given],
        ref_template="#/components/schemas/{model}",
    )
    return dict(definitions["$defs"])


def _photo_route(summary: str, options: type[BaseModel], replies: Json) -> Json:
    schema = _schemas()[options.__name__]
    needed = schema.get("required", ())
    form = {
        "type": "object",
        "properties": {PHOTO_FIELD: _PHOTO, **schema["properties"]},
        "required": [PHOTO_FIELD],  # options may be in the query instead
        "additionalProperties": False,
    }
    post = {
        "summary": summary,
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,  # it may be in the form instead
                "description": "needed, here or in the form" if name in needed else "",
                "style": "form",
                "explode": False,
                "schema": field,
            }
            for name, field in schema["properties"].items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": form},
                **{media_type: {"schema": _PHOTO} for media_type in _MEDIA_TYPES},
            },
        },
        "responses": {**replies, **problems(_ERRORS_OF_PHOTOS)},
    }
    return {"post": post}


def _photo_reply() -> Json:
    content = {media_type: {"schema": _PHOTO} for media_type in _MEDIA_TYPES}
    return {**_reply("The photo, in the format it came in", report=True), "content": content}


def _json_reply(description: str, schema: Json) -> Json:
    content = {"application/json": {"schema": schema}}
    return {**_reply(description, report=True), "content": content}


def _reply(description: str, *, report: bool = False) -> Json:
    if not report:
        return {"description": description}
    told = {
        headers.REPORT: {
            "description": "what was found and done, as JSON",
            "content": {"application/json": {"schema": reference("Report")}},
        },
        "Server-Timing": {"schema": {"type": "string"}},
        headers.REQUEST_ID: {"schema": {"type": "string"}},
    }
    return {"description": description, "headers": told}


def _plain_route(summary: str, media_type: str) -> Json:
    reply = {**_reply(summary), "content": {media_type: {}}}
    return {"get": {"summary": summary, "responses": {"200": reply}}}


def _readyz() -> Json:
    content = {"application/json": {"schema": reference("Readiness")}}
    get = {
        "summary": "Every model server has just mended a tiny photo",
        "responses": {
            "200": {"description": "The cluster is ready", "content": content},
            "503": {"description": "At least one model server is not", "content": content},
        },
    }
    return {"get": get}
