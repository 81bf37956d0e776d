"""Writes docs/commands.md, the reference of the command line, from what `--help` says and what `cli.rows` tells of --json.

python -m docs.commands
"""

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import typer

import app
from cli.rows import ROWS

PAGE = Path(__file__).with_name("commands.md")
SHARED = {"--home", "--database", "--model", "--json", "--vectors"}
START = """# The command line

Made from `--help` by `python -m docs.commands`; a test keeps it current. In an installed Sayso, `sayso` stands for
`python app.py`.

Results go to standard output, one JSON object a line with `--json`; everything else goes to standard error. Exit code 0, 1
where a check has failed, 2 with one sentence for bad input, 130 after Ctrl+C. `--version` shows the version,
`--install-completion` teaches your shell the commands and options.
"""


def reference() -> dict[str, Any]:
    """The commands by name, as Click knows them."""
    group: Any = typer.main.get_command(app.commands)
    return dict(group.commands)


def options_of(command: Any) -> list[Any]:
    return [each for each in command.params if each.param_type_name == "option" and each.name != "help"]


def having(option: str) -> list[str]:
    """The commands that share this option."""
    return [name for name, command in reference().items() if option in shared(command)]


def shared(command: Any) -> set[str]:
    """Those of the shared options that a command has; `export --json FILE` is one of its own."""
    return {word for each in options_of(command) for word in each.opts if word != "--json" or each.is_flag} & SHARED


def page() -> str:
    """The whole page."""
    commands = reference()
    parts = [START, *(_shared(option, list(commands)) for option in sorted(SHARED)), ""]
    return "\n".join([*parts, *("\n".join(_section(name, command)) for name, command in commands.items())])


def _shared(option: str, names: list[str]) -> str:
    without = [name for name in names if name not in having(option)]
    return f"- `{option}`: every command but {', '.join(f'`{name}`' for name in without)}."


def _section(name: str, command: Any) -> Iterator[str]:
    hints, common = get_type_hints(command.callback), shared(command)
    yield f"## {name}\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    words = " ".join(_shown(each) for each in arguments)
    yield f"```\npython app.py {name}{' [OPTIONS]' if command.params else ''}{f' {words}' if words else ''}\n```\n"
    rows = [(_called(each), each.help or "") for each in arguments if each.help]
    yield from _table(rows)
    yield from _table(_option(each, hints[each.name]) for each in options_of(command) if not common & set(each.opts))
    if common:
        yield f"Also {', '.join(f'`{word}`' for word in sorted(common))}.\n"
    for kind, fields in ROWS.get(name, {}).items():
        told = (
            f"`{field}` {types.removeprefix('? ')}{' (not always)' * types.startswith('?')}"
            for field, types in fields.items()
        )
        yield f"`--json`, {kind}: {', '.join(told)}.\n"


def _shown(argument: Any) -> str:
    word = _called(argument)
    return f"{word if argument.required else f'[{word}]'}{'...' * (argument.nargs == -1)}"


def _called(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _option(option: Any, annotation: object) -> tuple[str, str]:
    names = " / ".join([*option.opts, *option.secondary_opts])
    kind = "" if option.is_flag else f" {option.metavar or _value(annotation)}"
    facts = ["needed"] * option.required + ["may be repeated"] * bool(option.multiple)
    told = "unless told" in (option.help or "") or option.is_flag or callable(option.default)
    facts += [] if told or option.default in (None, "", []) else [f"{option.default} unless told"]
    text = option.help or ""
    return f"`{names}{kind}`", f"{text} ({'; '.join(facts)})" if facts else text


def _value(annotation: object) -> str:
    words = str(annotation)
    return "NUMBER" if "int" in words or "float" in words else "PATH" if "Path" in words else "TEXT"


def _table(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    cells = [f"| {name} | {' '.join(text.split()).replace('|', chr(92) + '|')} |" for name, text in rows]
    if cells:
        yield "\n".join(["| | |", "|---|---|", *cells, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
