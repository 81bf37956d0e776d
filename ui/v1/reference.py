"""The API described: OpenAPI for programs, and the same as a page for people. The page is plain HTML, made here: the usual
ones are scripts from other hosts."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

ABOUT = (
    "Pictures in, answers out; and what else a program may want of a library. "
    "“python app.py tokens add” makes a token where one is needed. Send it as “Authorization: Bearer …”. "
    "A mistake is answered with {“error”: a sentence}."
)
STYLE = """
:root { color-scheme: light dark; --soft: #6664; --quiet: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; text-transform: capitalize; }
details { border: 1px solid var(--soft); border-radius: .5rem; margin: .5rem 0; padding: 0 .9rem; }
summary { cursor: pointer; padding: .6rem 0; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace; }
code, pre { font: 14px/1.45 ui-monospace, monospace; } pre { overflow: auto; padding: .7rem; background: var(--quiet); }
table { border-collapse: collapse; display: block; overflow: auto; }
th, td { text-align: left; vertical-align: top; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--soft); }
"""


def add_reference(app: FastAPI) -> None:
    """Hang the description of all that begins with /api/v1 on the app."""
    made: dict[str, Any] = {}

    def described() -> dict[str, Any]:
        if not made:
            routes = [route for route in app.routes if isinstance(route, APIRoute) and route.path.startswith("/api/v1/")]
            made.update(get_openapi(title="Sayso", version="1", summary="HTTP API", description=ABOUT, routes=routes))
            made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            made["security"] = [{}, {"token": []}]
        return made

    @app.get("/api/openapi.json")
    def openapi() -> dict[str, Any]:
        return described()

    @app.get("/api/docs")
    def page() -> HTMLResponse:
        return HTMLResponse("".join(_page(described())))


def _page(described: dict[str, Any]) -> Iterator[str]:
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sayso: HTTP API</title><style>{STYLE}</style>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"><main><h1>Sayso: HTTP API</h1>'
    yield f'<p>{escape(ABOUT)} For programs: <a href="/api/openapi.json">OpenAPI</a>.</p>'
    operations = [(path, way, one) for path, ways in described["paths"].items() for way, one in ways.items()]
    for tag in dict.fromkeys(one["tags"][0] for _, _, one in operations):
        yield f"<h2>{escape(tag)}</h2>"
        for path, way, one in operations:
            if one["tags"][0] == tag:
                yield from _operation(described, path, way, one)
    yield "</main></html>"


def _operation(described: dict[str, Any], path: str, way: str, one: dict[str, Any]) -> Iterator[str]:
    yield f"<details><summary><b>{way.upper()}</b> <code>{escape(path)}</code> {escape(one['summary'])}</summary>"
    yield f"<p>{_marked(one['description'])}</p>" if one.get("description") else ""
    rows = [(each["name"], each["in"], each["schema"], each.get("description", "")) for each in one.get("parameters", ())]
    for content in one.get("requestBody", {}).get("content", {}).values():
        body = _resolved(described, content["schema"])
        yield f"<p>{_marked(body['description'])}</p>" if body.get("description") else ""
        for name, field in body.get("properties", {}).items():
            rows.append((name, "body", field, field.get("description", "")))
    if rows:
        yield "<table><tr><th>Field<th>In<th>Type<th>What it is"
        for name, place, schema, about in rows:
            yield f"<tr><td><code>{escape(name)}</code><td>{place}<td>{escape(_type(schema))}<td>{_marked(about)}"
        yield "</table>"
    for content in one.get("requestBody", {}).get("content", {}).values():
        for name, example in content.get("examples", {}).items():
            yield f"<p>Example, {escape(name)}:</p><pre>{escape(json.dumps(example['value'], indent=1))}</pre>"
    for status, answer in one["responses"].items():
        if status.startswith("2"):
            schema = answer.get("content", {}).get("application/json", {}).get("schema")
            shape = json.dumps(_example(described, schema), indent=1, ensure_ascii=False) if schema else "a file"
            yield f"<p>Answer {status}:</p><pre>{escape(shape)}</pre>"
    yield "</details>"


def _marked(text: str) -> str:
    """A docstring as HTML: what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _resolved(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return described["components"]["schemas"][name] if name else schema


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("type") or schema.get("$ref", "any").rpartition("/")[2])


def _example(described: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A value of the form: the examples where there are any, else the name of the type."""
    schema = _resolved(described, schema)
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("type") == "array":
        return [_example(described, schema["items"], depth + 1)]
    if schema.get("type") == "object" and "properties" in schema and depth < 5:
        return {name: _example(described, field, depth + 1) for name, field in schema["properties"].items()}
    return _type(schema)
