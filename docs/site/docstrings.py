"""Our docstrings are plain text; the generator reads reStructuredText. This is the way from one to the other."""

import re

MARKS = re.compile(r"([*|\\]|_(?=\W|$))")


def as_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring: what is indented or drawn stays as it stands, the rest is text with `code` in it."""
    found: list[str] = []
    for block in blocks(lines):
        if any(line.startswith((" ", "├", "│", "└", ">>>")) for line in block):
            found += ["::", "", *(f"    {line}" for line in block), ""]
        else:
            found += [*map(text, block), ""]
    return found


def blocks(lines: list[str]) -> list[list[str]]:
    """Runs of lines between empty ones. An indented run goes on over an empty line."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line.rstrip())
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def text(line: str) -> str:
    """A line in which nothing but `code` has a meaning."""
    parts = re.split(r"(`[^`]+`)", line)
    return "".join(f"`{part}`" if index % 2 else MARKS.sub(r"\\\1", part) for index, part in enumerate(parts))
