"""The OpenAPI document as one self-contained page: no script, nothing loaded from elsewhere."""

from html import escape
from typing import Any

from darkroom.contracts import problem
from gateway.reading import PHOTO_FIELD

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
h2 { border-top: 1px solid #8886; padding-top: 1.5rem }
h2 code { font-size: 1rem }
pre { background: #8882; padding: .75rem; overflow-x: auto; border-radius: .4rem }
table { border-collapse: collapse; width: 100% }
table + table { margin-top: .75rem }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0 }
summary { cursor: pointer }
"""


def docs_page(document: Json) -> str:
    """HTML of the whole document."""
    title, shapes = escape(document["info"]["title"]), document["components"]["schemas"]
    parts = [
        f"<h1>{title} {escape(document['info']['version'])}</h1>",
        f"<p>{escape(document['info']['description'])} "
        'The same for machines: <a href="openapi.json">openapi.json</a>.</p>',
    ]
    errors: dict[str, str] = {}
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            parts.append(_route(path, method, route, shapes))
            errors |= {s: r["description"] for s, r in route["responses"].items() if _is_error(r)}
    parts.append("<h2>Errors</h2><p>Problem documents after RFC 9457, with a stable code.</p>")
    parts.append(_table(("Status", "Codes"), sorted(errors.items())))
    parts.append("<h2>Shapes</h2>")
    parts += [_shape(name, schema, shapes) for name, schema in shapes.items()]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"
    )


def _is_error(reply: Json) -> bool:
    return problem.MEDIA_TYPE in reply.get("content", {})


def _route(path: str, method: str, route: Json, shapes: Json) -> str:
    parts = [
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p>{escape(route['summary'])}.</p>",
    ]
    replies = {s: reply for s, reply in route["responses"].items() if not _is_error(reply)}
    if _takes_a_photo(route):
        parts.append(f"<pre>{escape(_example(path, route, replies, shapes))}</pre>")
    if route.get("parameters"):
        rows = [(p["name"], _option(p, shapes)) for p in route["parameters"]]
        parts.append(_table(("Option, in the query or the form", "Value"), rows))
    parts.append(_table(("Status", "Reply"), [(s, r["description"]) for s, r in replies.items()]))
    return "".join(parts)


def _takes_a_photo(route: Json) -> bool:
    forms = route.get("requestBody", {}).get("content", {}).get("multipart/form-data", {})
    return PHOTO_FIELD in forms.get("schema", {}).get("properties", {})


def _example(path: str, route: Json, replies: Json, shapes: Json) -> str:
    """A command that works: the photo, what else is required, where the answer goes."""
    # OpenAPI's own `required` cannot say "here or in the form": the description does.
    needed = [p for p in route.get("parameters", ()) if p["description"]]
    fields = ["image=@photo.jpg", *(f"{p['name']}={_first(p['schema'], shapes)}" for p in needed)]
    target = " -o better.jpg" if "image/jpeg" in replies["200"]["content"] else ""
    form = " ".join(f"-F {field}" for field in fields)
    return f"curl --fail-with-body {form}{target} HOST{path}"


def _option(parameter: Json, shapes: Json) -> str:
    return "; ".join(filter(None, (_kind(parameter["schema"], shapes), parameter["description"])))


def _first(schema: Json, shapes: Json) -> str:
    named = shapes[str(schema["$ref"]).rpartition("/")[2]] if "$ref" in schema else schema
    return str(named.get("enum", ["…"])[0])


def _shape(name: str, schema: Json, shapes: Json) -> str:
    rows = [(field, _kind(kind, shapes)) for field, kind in schema.get("properties", {}).items()]
    described = f"<p>{escape(schema.get('description', ''))}</p>"
    body = _table(("Field", "Value"), rows) if rows else f"<p>{escape(_kind(schema, shapes))}</p>"
    return f"<details><summary>{escape(name)}</summary>{described}{body}</details>"


def _kind(schema: Json, shapes: Json) -> str:
    """A JSON schema in a few words."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        words = _kind(shapes[name], shapes) if "enum" in shapes[name] else name
    elif "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    elif "anyOf" in schema:
        words = " or ".join(_kind(option, shapes) for option in schema["anyOf"])
    elif schema.get("type") == "array":
        words = "list, each " + _kind(schema.get("items", {}), shapes)
    else:
        words = str(schema.get("type", "any"))
    if "minimum" in schema and "maximum" in schema:
        words += f" {schema['minimum']}…{schema['maximum']}"
    if schema.get("default"):
        value = schema["default"]
        words += f"; default {','.join(value) if isinstance(value, list | tuple) else value}"
    if "description" in schema:
        words += f"; {schema['description']}"
    return words


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td><code>{escape(left)}</code></td><td>{escape(right)}</td></tr>"
        for left, right in rows
    )
    return f"<table><tr><th>{escape(head[0])}</th><th>{escape(head[1])}</th></tr>{lines}</table>"
