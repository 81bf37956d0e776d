"""Class names as they are typed, in every field and every command, and written back: one rule, both ways.

Names stand between commas, semicolons (Chinese, Japanese and Arabic ones too) or line breaks. `dog = puppy | hound` gives a
name other names. A name with one of these marks in it is put in double quotes, as in a CSV table: "tench, Tinca tinca", and
a quote in it is doubled. Quotes within a name are letters like any other. Lists as programs and people write them are
understood too, see `.pasted`. The page's script, ui/static/shared/typed.js, has the same rule.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from .pasted import begins_a_list, plain
from .prompts import check_labels, clean_label

_MARKS = r",;\n，､、；،؛"
_QUOTED = r'\s*"((?:[^"]|"")*)"[^\S\n]*'
_NAME = re.compile(rf"{_QUOTED}(?=[{_MARKS}=]|\Z)|[^{_MARKS}=]*")  # up to what begins the other names, or the next name
_OTHER = re.compile(rf"{_QUOTED}(?=[{_MARKS}|]|\Z)|[^{_MARKS}|]*")
_QUOTES_NEEDED = re.compile(rf'[{_MARKS}=|]|^\s*"')


def parse_labels(text: str) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The names in order, and the other names by name. Raises BadInput for none, empty, repeated or endless names."""
    labels: list[str] = []
    synonyms: dict[str, tuple[str, ...]] = {}
    for label, others in _entries(text):
        labels.append(clean_label(label))
        names = dict.fromkeys(clean_label(other) for other in others if other.strip())
        names.pop(labels[-1], None)
        if names:
            synonyms[labels[-1]] = tuple(names)
    check_labels(labels)
    return labels, synonyms


def parse_names(text: str) -> list[str]:
    """The names alone, in order, each once, their other names left out. Raises BadInput for an empty or endless one."""
    return list(dict.fromkeys(clean_label(label) for label, _ in _entries(text)))


def format_labels(labels: Iterable[str], synonyms: Mapping[str, Sequence[str]] | None = None, between: str = ", ") -> str:
    """The inverse of `parse_labels`; `between` is a comma or a line break."""
    synonyms = synonyms or {}
    typed = [
        f"{quoted(label)} = {' | '.join(map(quoted, synonyms[label]))}" if synonyms.get(label) else quoted(label)
        for label in labels
    ]
    return between.join(typed)


def quoted(name: str) -> str:
    """A name as it is typed: in quotes where it would be taken for several."""
    needed = _QUOTES_NEEDED.search(name) or begins_a_list(name)
    return f'"{name.replace(chr(34), chr(34) * 2)}"' if needed else name


def _entries(text: str) -> Iterable[tuple[str, list[str]]]:
    """Each name as typed with its other names; where nothing stands between two marks there is no name."""
    at, text = 0, plain(text)
    while at < len(text):
        start, names, other = at, list[str](), False
        while True:
            found = (_OTHER if other else _NAME).match(text, at)
            assert found is not None  # both may be empty
            names.append(found[0] if found[1] is None else found[1].replace('""', '"'))
            at = found.end()
            if text[at : at + 1] not in ("=", "|"):
                break
            at, other = at + 1, True
        if text[start:at].strip():
            yield names[0], names[1:]
        at += 1
