"""Class names as other programs and people list them, brought to the way that `.typed` reads: one rule for `plain`.

    ['dog', 'cat']  ("dog", "cat")  [dog, cat]  {0: 'dog', 1: 'cat'}      lists of Python, JSON and YAML
    1. dog 2. cat   1) dog, 2) cat  0: dog                                numbers from 0 or 1 on, in a line or in lines
    - dog           * dog           • dog • cat                           bullets
    dog<tab>cat                                                           a row of a spreadsheet; a column is lines

What is not wholly such a list stays as it is.
"""

import re
from itertools import pairwise

_ITEM = re.compile(  # a number perhaps, a name, a comma or the end
    r"""\s*(?:["']?\d+["']?\s*:\s*)?(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")\s*(?:,|\Z)"""
)
_BULLET = re.compile(r"[^\S\n]*(?:[-*+–—][^\S\n]+|[•‣◦▪●][^\S\n]*)")
_DOT = re.compile(r"[•‣◦▪●]")
_NUMBER = re.compile(r"(?<!\S)(\d{1,5})[.):][^\S\n]+(?=\S)")
_OTHER_MARKS = re.compile(r"[,;\n=|，､、；،؛]")
_ESCAPE = re.compile(r"((?:\\u[0-9a-fA-F]{4})+)|\\(.)")
_BRACKETS = {"[": "]", "(": ")", "{": "}"}


def plain(text: str) -> str:
    """The names as `.typed` reads them, for a text that is a list of one of these kinds; else the text as it is."""
    bare = text.strip()
    if bare[:1] in _BRACKETS and len(bare) > 1 and bare[-1] == _BRACKETS[bare[0]]:
        inner = bare[1:-1]
        if (items := _items(inner)) is not None:
            return items
        return inner if bare[0] == "[" and not re.search(r"""[\[\]{}"']""", inner) else text
    if bare[:1] == "'" and (items := _items(bare)) is not None:
        return items
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and all(map(_BULLET.match, lines)):
        return "\n".join(_DOT.sub(",", _BULLET.sub("", line, count=1)) for line in lines)
    if (names := _numbered(text)) is not None:
        return names
    if "\t" in bare and '"' not in bare and not _OTHER_MARKS.search(bare):
        return bare.replace("\t", ",")
    return text


def begins_a_list(name: str) -> bool:
    """Whether a name could be taken for the begin of a list, so that it has to stand in quotes."""
    followed = f"{name} ="  # its other names may come behind it
    return bool(re.match(r"[\[({']", name) or _BULLET.match(followed) or _NUMBER.match(followed))


def _items(text: str) -> str | None:
    """The items of a list, each in quotes; None if not all of it is such items."""
    names, at, text = list[str](), 0, text.rstrip()
    while at < len(text):
        found = _ITEM.match(text, at)
        if found is None:
            return None
        name = _ESCAPE.sub(_unescaped, found[1] if found[2] is None else found[2])
        names.append(f'"{name.replace(chr(34), chr(34) * 2)}"')
        at = found.end()
    return ", ".join(names) if names else None


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:  # JSON writes an emoji as two halves
        return bytes.fromhex(escape[1].replace("\\u", "")).decode("utf-16-be", "replace")
    return " " if escape[2] in "nrt" else escape[2]


def _numbered(text: str) -> str | None:
    """The names behind numbers that count from 0 or 1 on, each in a line or all in one; None if they do not."""
    found = list(_NUMBER.finditer(text))
    if len(found) < 2 or int(found[0][1]) > 1 or text[: found[0].start()].strip():
        return None
    if any(int(after[1]) != int(before[1]) + 1 for before, after in pairwise(found)):
        return None
    ends = [*(number.start() for number in found[1:]), len(text)]
    return "\n".join(text[number.end() : end].strip().rstrip(",;") for number, end in zip(found, ends, strict=True))
