"""What people type to search, read as a weighted sum: `2*dog + beach - "red car"`.

a dog on a beach         one text, as typed; t-shirt keeps its hyphen
dog + beach              both count alike; a plus or a minus stands between spaces
2*dog - snow             a weight goes before its words; what follows a minus counts against a picture
"black + white"          quoted words are taken as they stand
"""

import re
from dataclasses import dataclass

from clipcore import BadInput

MAX_LENGTH = 300
MAX_TERMS = 16
MAX_WEIGHT = 100.0
_PART = re.compile(r'"([^"]*)"|([^\s"]+)')
_WEIGHT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\*(.*)")


@dataclass(frozen=True)
class Term:
    """A text and how much it counts; below zero it counts against a picture."""

    weight: float
    text: str


def parse_query(typed: str) -> tuple[Term, ...]:
    """The terms of a search, in order. Raises BadInput, in one sentence, for what cannot be meant."""
    typed = re.sub("[“”„]", '"', " ".join(typed.split()))
    if not typed:
        raise BadInput("Type what to look for.")
    if len(typed) > MAX_LENGTH:
        raise BadInput(f"{len(typed)} characters are too many to search for; use a short phrase.")
    if typed.count('"') % 2:
        raise BadInput('A quotation mark has no partner; write quoted words as "red car".')
    terms: list[Term] = []
    sign, weight, words = 1.0, None, list[str]()
    # "2 * dog" is 2*dog; quoted stars stay
    spaced = re.sub(r'("[^"]*")|((?:^|(?<=\s))[\d.]+) ?\* ?', lambda m: m[1] or f"{m[2]}*", typed)
    for quoted, plain in _PART.findall(spaced):
        if plain in ("+", "-", "−", "–"):
            if words or weight is not None:
                terms.append(_term(sign, weight, words))
            elif terms or plain == "+":
                raise BadInput(f"There are no words before the {plain}; write it as in: dog + beach - snow.")
            sign, weight, words = (1.0 if plain == "+" else -1.0), None, []
        elif plain and not words and weight is None and (weighted := _WEIGHT.fullmatch(plain)):
            weight = float(weighted[1])
            words += [weighted[2]] if weighted[2] else []
        elif plain:
            _check_word(plain)
            words.append(plain)
        elif quoted.strip():
            words.append(quoted.strip())
    terms.append(_term(sign, weight, words))
    if len(terms) > MAX_TERMS:
        raise BadInput(f"{len(terms)} parts are more than {MAX_TERMS}; search for fewer things at once.")
    if all(term.weight < 0 for term in terms):
        raise BadInput("A search needs something to look for before what to leave out; write it as in: dog - snow.")
    return tuple(terms)


def _term(sign: float, weight: float | None, words: list[str]) -> Term:
    if not words:
        raise BadInput("A sign or a weight has no words after it; write it as in: 2*dog + beach - snow.")
    if weight is not None and not 0 < weight <= MAX_WEIGHT:
        raise BadInput(f"A weight lies above 0 and is at most {MAX_WEIGHT:.0f}; use a minus for what you do not want.")
    return Term(sign * (1.0 if weight is None else weight), " ".join(words))


def _check_word(word: str) -> None:
    """A sign stuck to a word is most likely a mistake, and would be read as part of the word."""
    if word[0] in "+-−" and len(word) > 1 and word[1] not in "+-−":
        raise BadInput(f"Put a space on both sides of the sign in “{word}”; write dog - snow, or put it in quotes.")
    if "*" in word:
        raise BadInput(f"A weight goes before its words, as in 2*dog, not as in “{word}”; or put it in quotes.")
