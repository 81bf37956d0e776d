"""What WordNet 3.0 knows of nouns that can be pictured: their meanings, what is a kind of what, and which words are English.

Made by `python -m clipcore.wordnet` (see there for the files). WordNet is Princeton University's, used under the licence in
LICENSE beside this file. Read on the first question, in less than a tenth of a second.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
# Endings of plurals and what stands in their place in the singular (WordNet's morphy, for nouns).
_PLURALS: tuple[tuple[str, str], ...]
_PLURALS = (("ves", "f"), ("ves", "fe"), ("ies", "y"), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"))
_PLURALS += (("shes", "sh"), ("men", "man"), ("s", ""), ("people", "person"), ("mice", "mouse"), ("geese", "goose"))
_ENDINGS = (
    ("ing", ""),
    ("ing", "e"),
    ("ed", ""),
    ("ed", "e"),
    ("er", ""),
    ("er", "e"),
    ("est", ""),
    ("est", "e"),
    ("ly", ""),
)


@dataclass(frozen=True)
class Meaning:
    """One thing that can be pictured. `names` with the usual one first, `counts` how often each was seen in tagged texts;
    `parents` are the rows of what it is a kind of."""

    row: int
    kind: str
    names: tuple[str, ...]
    counts: tuple[int, ...]
    parents: tuple[int, ...]

    def count(self, name: str) -> int:
        """How often `name`, in small letters, was seen with this meaning."""
        return max((c for n, c in zip(self.names, self.counts, strict=True) if n.lower() == name), default=0)


def meanings(name: str) -> list[Meaning]:
    """What a noun can stand for, in the singular or plural; no meanings if WordNet does not know it or it cannot be seen."""
    lines, rows = _nouns()
    return [_meaning(lines[row], row) for form in _forms(name) for row in rows.get(form, ())]


def lemma(name: str) -> str:
    """The noun in the singular and small letters, if WordNet has it; else the name in small letters."""
    _, rows = _nouns()
    return next((form for form in _forms(name) if form in rows), name.lower()).replace("_", " ")


def broader(meaning: Meaning) -> Iterator[Meaning]:
    """What the meaning is a kind of, nearest first."""
    lines, _ = _nouns()
    seen, ring = {meaning.row}, list(meaning.parents)
    while ring:
        above = [_meaning(lines[row], row) for row in dict.fromkeys(ring) if row not in seen]
        seen.update(found.row for found in above)
        yield from above
        ring = [row for found in above for row in found.parents]


def is_english(word: str) -> bool:
    """Whether WordNet knows the word, a plural or other form of it, or the two words that it is made of."""
    known = words()
    word = word.lower()
    if word in known or any(form in known for form in _forms(word)):
        return True
    for end, instead in _ENDINGS:
        stem = word.removesuffix(end)
        if stem != word and len(stem) > 2 and (stem + instead in known or (stem[-1] == stem[-2] and stem[:-1] in known)):
            return True
    halves = ((word[:i], word[i:]) for i in range(4, len(word) - 3))  # smart + phone; shorter halves are mostly chance
    return any(first in known and (second in known or second.removesuffix("s") in known) for first, second in halves)


def named(identifier: str) -> tuple[str, str] | None:
    """What WordNet 3.0 calls the meaning n01440764, and what tells it from others of that name (may be empty).

    None for what is no id. Such ids are the folders' names in ImageNet.
    """
    return _ids().get(int(identifier.removeprefix("n")))


def _forms(name: str) -> list[str]:
    name = "_".join(name.lower().split())
    singulars = [name.removesuffix(end) + instead for end, instead in _PLURALS if name.endswith(end) and len(name) > 3]
    return [name, *dict.fromkeys(singulars)]


def _meaning(line: str, row: int) -> Meaning:
    kind, parents, said = line.split("\t")
    names, counts = zip(
        *((name, int(count or 0)) for name, _, count in (n.partition("=") for n in said.split(" "))), strict=True
    )
    return Meaning(row, kind, names, counts, tuple(int(p) for p in parents.split(",") if p))


@cache
def _nouns() -> tuple[list[str], dict[str, list[int]]]:
    """The lines of nouns.tsv, and the rows in which each name stands."""
    lines = _lines("nouns.tsv.gz")
    rows: dict[str, list[int]] = {}
    for row, line in enumerate(lines):
        for name in line[line.rindex("\t") + 1 :].split(" "):
            rows.setdefault(name.partition("=")[0].lower(), []).append(row)
    return lines, rows


@cache
def _ids() -> dict[int, tuple[str, str]]:
    """Usual name and what tells it apart, by the id's number."""
    found: dict[int, tuple[str, str]] = {}
    number = 0
    for line in _lines("ids.tsv.gz"):
        step, name, *apart = line.split("\t")
        number += int(step)
        found[number] = name.replace("_", " "), "".join(apart).replace("_", " ")
    return found


@cache
def words() -> frozenset[str]:
    """Every single English word that WordNet knows, and the function words."""
    # WordNet has only nouns, verbs, adjectives and adverbs
    return frozenset(_lines("words.txt.gz")) | frozenset((_HERE / "function_words.txt").read_text().split())


def _lines(name: str) -> list[str]:
    return gzip.decompress((_HERE / name).read_bytes()).decode().split("\n")
