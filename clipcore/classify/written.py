"""Prompts as other programs write them, brought to our way: `{}` for the class name, Python lists, descriptors of classes.

a photo of a {}.   {c}  {0}  {name}  {class}  <class>  [CLASS]  %s       the place of the name, which is {label} here
['a photo of a {}.', ...]     lambda c: f'a photo of a {c}.',            lists, as in the notebooks of CLIP and open_clip
{"tench": ["A tench is a fish ...", ...], ...}                           sentences for each class, as CuPL writes them
{"tench": ["a long body", "which has fins", ...], ...}                   descriptors, as WaffleCLIP reads them
"""

import json
import re

_WORDS = r"(?:c|0|label|labels?_?name|class|class_?(?:name|label)|cls|name|category|object)"
_PLACE = re.compile(rf"\{{\s*{_WORDS}?\s*\}}|<\s*{_WORDS}\s*>|\[\s*{_WORDS}\s*\]|%s", re.IGNORECASE)
_LAMBDA = re.compile(r"^lambda\s+\w+\s*:\s*f?(?=[\"'])")
_QUOTED = re.compile(r"""^(["'])(.*)\1\s*,?$""")


def place_of_name(template: str) -> str:
    """A template with {label} where the class name goes, if it has no {label} and says the place in another way."""
    return template if "{label}" in template else _PLACE.sub("{label}", template)


def template_lines(text: str) -> list[str]:
    """The templates in a text: one a line, or a list of Python or JSON."""
    bare = text.strip()
    if bare[:1] == "[" and bare[-1:] == "]":
        try:
            listed = json.loads(bare)
            if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
                return listed
        except (ValueError, RecursionError):
            pass
        text = bare[1:-1].replace("',", "',\n").replace('",', '",\n')
    return [_unquoted(line.strip()) for line in text.splitlines()]


def _unquoted(line: str) -> str:
    found = _QUOTED.match(_LAMBDA.sub("", line))
    return found[2] if found else line


def is_descriptions(text: str) -> bool:
    """Whether a text is the JSON of sentences for single classes, and not templates."""
    return bool(re.match(r'\s*\{\s*"', text))


def sentence(label: str, told: str) -> str:
    """What is told of a class as a sentence: a descriptor (Menon & Vondrick, 2023) is put behind the class's name."""
    if told[:1] != told[:1].lower() or told.endswith(".") or label.casefold() in told.casefold():
        return told
    first = told.split(" ", 1)[0].lower()
    if first in ("it", "they", "its", "their"):
        return told
    if first in ("which", "with", "that"):
        return f"{label}, {told}"
    if first in ("a", "an", "used"):
        return f"{label}, which is {told}"
    if first in ("has", "is", "are", "often", "typically", "usually", "may", "can", "lives", "comes"):
        return f"{label}, which {told}"
    return f"{label}, which has {told}"
