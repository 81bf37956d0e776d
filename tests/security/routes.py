"""What routes and events an app has, asked of the app itself, and hostile values for what they take."""

import dataclasses
import random
import types
import typing
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from fastapi.routing import APIRoute

NUMBERS = [0, -1, 2**31, 2**63 - 1, 2**63, 2**70, -(2**70), 10**400, 1.5, "1e3", "nan", True]
TEXTS = [
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "../../../../etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://[::1",
        "http://169.254.169.254/",
    ),
    *(
        "<img src=x onerror=alert(1)>",
        "';DROP TABLE image;--",
        "{label.__class__}",
        "{0:>99999999}",
        "%s%n",
        "${7*7}",
        "=1+1",
    ),
    *(
        "\u202egpj.exe",
        "\ud800",
        "\U0001f600" * 300,
        "x" * 100_000,
        "*" * 3000,
        "-" * 3000,
        "2*red - ",
        "999999*red",
        "e\u0301",
    ),
    *(
        "2024-13-99",
        "9999-12-31",
        "0001-01-01",
        "-1",
        "null",
        "[]",
        "NaN",
        "ids:1,2",
        "folder:99999999999999999999",
        "saved:x",
    ),
]
OTHERS = [None, [], {}, [[]], [None], {"a": {"b": 1}}, [1] * 2000, ["x"] * 2000, True, 1e308, -1e308]
HOSTILE = [*NUMBERS, *TEXTS, *OTHERS]
# bodies without a type of their own: the names that the routes look for
WORDS = (
    "design",
    "label_set",
    "row",
    "kind",
    "group",
    "offset",
    "add",
    "remove",
    "rename",
    "captions",
    "bins",
    "label_sets",
)


def api_routes(app: Any) -> list[APIRoute]:
    """Every route of ours."""
    return [route for route in app.routes if isinstance(route, APIRoute)]


def address(route: APIRoute, values: dict[str, Any]) -> str:
    """A route's path with these values in it."""
    path = route.path
    for name, value in values.items():
        path = path.replace("{" + name + "}", quote(_sent(value), safe="", errors="surrogatepass"))
    return path


def query(values: dict[str, Any]) -> str:
    return "&".join(f"{name}={quote(_sent(value), safe='', errors='surrogatepass')}" for name, value in values.items())


def _sent(value: Any) -> str:
    text = str(value)
    return text[:20_000]  # a server refuses longer addresses


def parameters(route: APIRoute) -> tuple[list[str], list[str], list[Any]]:
    """The names in a route's path and in its query, and the types of its body."""
    waiting, paths, queries, bodies = [route.dependant], [], [], []
    while waiting:
        one = waiting.pop()
        waiting += one.dependencies
        paths += [field.name for field in one.path_params]
        queries += [field.name for field in one.query_params]
        bodies += [field.field_info.annotation for field in one.body_params]
    return paths, queries, bodies


def example(kind: Any, known: dict[str, Any]) -> Any:
    """A value of a type that a route would take."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return example(args[0], known)
    if origin in (typing.Union, types.UnionType):
        return example(args[0], known)
    if origin is typing.Literal:
        return args[0]
    if origin is list:
        return [example(args[0], known)]
    if origin is tuple:
        return [example(arg, known) for arg in args]
    if origin is dict or kind is dict:
        return dict.fromkeys(WORDS, "x")
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind, include_extras=True)
        return {name: known.get(name, example(hint, known)) for name, hint in hints.items()}
    return {str: "red", int: 1, float: 0.5, bool: False}.get(kind)


def spoilt(value: Any, dice: random.Random) -> Any:
    """A copy of a body in which one thing, at any depth, is hostile."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        name = dice.choice(list(value))
        return {**value, name: spoilt(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.5:
        place = dice.randrange(len(value))
        return [*value[:place], spoilt(value[place], dice), *value[place + 1 :]]
    return dice.choice(HOSTILE)


def each_spoilt(value: Any) -> Iterator[Any]:
    """Copies of a body in which each field of it is each hostile value in turn."""
    if isinstance(value, dict):
        for name, held in value.items():
            yield from ({**value, name: bad} for bad in (each_spoilt(held) if isinstance(held, dict) else HOSTILE))
    yield from HOSTILE
