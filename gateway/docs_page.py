"""The OpenAPI document as one self-contained page: no script, nothing loaded from elsewhere."""

from html import escape
from typing import Any

Json = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
h2 { border-top: 1px solid #8886; padding-top: 1.5rem }
h2 code { font-size: 1rem }
pre { background: #8882; padding: .75rem; overflow-x: auto; border-radius: .4rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0 }
summary { cursor: pointer }
"""


def docs_page(document: Json) -> str:
    """HTML of the whole document."""
    title = escape(document["info"]["title"])
    parts = [
        f"<h1>{title} {escape(document['info']['version'])}</h1>",
        f"<p>{escape(document['info']['description'])} "
        'The same for machines: <a href="openapi.json">openapi.json</a>.</p>',
    ]
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            parts.append(_route(path, method, route))
    parts.append("<h2>Shapes</h2>")
    parts += [_shape(name, s) for name, s in document["components"]["schemas"].items()]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><body>{''.join(parts)}</body></html>"
    )


def _route(path: str, method: str, route: Json) -> str:
    parts = [
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p>{escape(route['summary'])}.</p>",
    ]
    if "requestBody" in route:
        parts.append(
            f"<pre>curl --fail-with-body -F image=@photo.jpg -o better.jpg HOST{path}</pre>"
        )
    if route.get("parameters"):
        rows = [(p["name"], _kind(p["schema"])) for p in route["parameters"]]
        parts.append(_table(("Option, in the query or the form", "Value"), rows))
    replies = [(status, reply["description"]) for status, reply in route["responses"].items()]
    parts.append(_table(("Status", "Reply"), replies))
    return "".join(parts)


def _shape(name: str, schema: Json) -> str:
    rows = [(field, _kind(kind)) for field, kind in schema.get("properties", {}).items()]
    described = f"<p>{escape(schema.get('description', ''))}</p>"
    body = _table(("Field", "Value"), rows) if rows else f"<p>{escape(_kind(schema))}</p>"
    anchor = escape(name, quote=True)
    return f'<details id="{anchor}"><summary>{escape(name)}</summary>{described}{body}</details>'


def _kind(schema: Json) -> str:
    """A JSON schema in a few words."""
    if "$ref" in schema:
        words = str(schema["$ref"]).rpartition("/")[2]
    elif "enum" in schema:
        words = "one of " + ", ".join(str(value) for value in schema["enum"])
    elif "anyOf" in schema:
        words = " or ".join(_kind(option) for option in schema["anyOf"])
    elif schema.get("type") == "array":
        words = "list of " + _kind(schema.get("items", {}))
    else:
        words = str(schema.get("type", "any"))
    if "minimum" in schema and "maximum" in schema:
        words += f" {schema['minimum']}…{schema['maximum']}"
    if "default" in schema and schema["default"] is not None:
        value = schema["default"]
        words += f", default {','.join(value) if isinstance(value, list | tuple) else value}"
    if "description" in schema and "enum" not in schema:
        words += f": {schema['description']}"
    return words


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td><code>{escape(left)}</code></td><td>{escape(right)}</td></tr>"
        for left, right in rows
    )
    return f"<table><tr><th>{escape(head[0])}</th><th>{escape(head[1])}</th></tr>{lines}</table>"
