"""What can be told from the words alone: length, leftovers, negation, counting, places, order, other languages."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .. import wordnet
from ..classify.prompts import PromptSet
from .said import Advice, quoted, short

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

CONTEXT = 77  # tokens that nearly every CLIP model reads, start and end marks included

_NUMBER = re.compile(
    r"\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|many|few|multiple|dozens", re.IGNORECASE
)
_PLURAL = re.compile(r"people|men|women|children|mice|geese|sheep|fish|.*[^s]s", re.IGNORECASE)
_NEGATION = re.compile(r"\b(no|not|without|never|neither|lacking)\b|n't\b|\babsence of\b", re.IGNORECASE)
_SIGN = re.compile(r"\bno\b.*\bsigns?$", re.IGNORECASE)  # a no parking sign is a thing like any other
_POSITION = re.compile(
    r"\b(left of|right of|(to|on) the (left|right)|above|below|beneath|underneath|under(?! (water|construction|repair))|"
    r"behind|in front of|on top of|next to|beside|between|upside down)\b",
    re.IGNORECASE,
)
_LEFTOVER = re.compile(
    r"(all |any|every|some)?\s*(the )?(others?|rest|misc|miscellaneous|unknown|none|nothing|neither)"
    r"( (things?|stuff|objects?|images?|pictures?|classes|of (these|them|the above)))?|(any|every|some)thing else",
    re.IGNORECASE,
)
# Short words of other languages that are no English words: one of them tells the language of a whole name.
_FOREIGN = re.compile(
    r"\b(der|die|das|und|mit|ohne|ein|eine|les|des|une|avec|sans|et|el|los|las|una|con|sin|della|gli|il|che)\b",
    re.IGNORECASE,
)


# German writes things with a capital, as English writes names; these are no names.
_GERMAN = frozenset(
    {"hund", "katze", "vogel", "pferd", "kuh", "baum", "haus", "blume", "fisch", "maus", "schwein", "schaf", "kind", "frau"}
    | {"fahrrad", "strand", "berg", "wald", "himmel", "hochzeit", "kuchen", "apfel", "brot", "tisch", "stuhl", "flugzeug"}
    | {"schiff", "zug", "mädchen", "hase", "bär", "löwe", "affe", "ente", "huhn", "küche", "straße", "garten"}
)


def too_long(labels: Sequence[str], prompts: PromptSet, encoder: "Encoder | None") -> Iterator[Advice]:
    """Names whose prompts have more tokens than the model reads; without it, than nearly every model does."""
    limit = encoder.context_length if encoder else CONTEXT
    for label in labels:
        texts = prompts.texts(label)
        if not texts:
            continue
        longest = max(texts, key=len)
        if len(longest.encode()) + 2 <= limit:
            continue  # no tokenizer makes more tokens than there are bytes
        # without a tokenizer: at least one token for each word or mark, and the start and end marks
        tokens = max(map(encoder.count_tokens, texts)) if encoder else len(re.findall(r"\w+|[^\w\s]", longest)) + 2
        if tokens > limit:
            exactly = "" if encoder else "at least "
            yield Advice(
                "too long",
                (label,),
                f"“{short(label)}” makes a prompt of {exactly}{tokens} tokens, but the model reads only {limit}: say it in "
                "fewer words.",
            )


def leftover(labels: Sequence[str]) -> Iterator[Advice]:
    """Classes such as other or none of these."""
    found = [label for label in labels if _LEFTOVER.fullmatch(label)]
    if found and len(labels) > 1:
        yield Advice(
            "leftover",
            tuple(found),
            f"{quoted(found)} has no look of its own, so the model cannot find it: leave it out and use “none of these”.",
        )


def negation(labels: Sequence[str]) -> Iterator[Advice]:
    """Names that say what is not there."""
    for label in labels:
        match = _NEGATION.search(label)
        if match and not _SIGN.search(label) and not _LEFTOVER.fullmatch(label):
            before = label[: match.start()].strip(" ,")
            yield Advice(
                "negation",
                (label,),
                f"The model hardly takes in “{match.group()}” and reads “{short(label)}” almost as its opposite: name what "
                "such a picture shows instead, or teach it with labelled pictures.",
                (before,) if len(before) > 2 and before not in labels else (),
            )


def question(labels: Sequence[str]) -> Iterator[Advice]:
    """Names that ask."""
    found = [label for label in labels if label.endswith("?")]
    if found:
        yield Advice(
            "question",
            tuple(found),
            f"{quoted(found)} is a question, and the model compares pictures with names: write what each answer looks like, "
            "such as “dog” and “cat”.",
        )


def counting(labels: Sequence[str]) -> Iterator[Advice]:
    """Names that count."""
    counted = [label for label in labels if counts(label)]
    if counted:
        counted = [label for label in labels if label in counted or re.match(r"(one|1|a single)\s", label, re.IGNORECASE)]
        yield Advice(
            "counting",
            tuple(counted),
            f"The model cannot count, so {quoted(counted)} will be told apart little better than by chance: use names that "
            "look different, such as “a single dog” and “a pack of dogs”, or teach it with labelled pictures.",
        )


def counts(label: str) -> bool:
    """Whether a name counts things: a number, or a word for one, before a plural."""
    words = label.split()
    return any(
        _NUMBER.fullmatch(number) and _PLURAL.fullmatch(thing)
        for i, number in enumerate(words)
        for thing in words[i + 1 : i + 3]
    )


def position(labels: Sequence[str]) -> Iterator[Advice]:
    """Names that say where something is."""
    found = [label for label in labels if _POSITION.search(label)]
    if found:
        yield Advice(
            "position",
            tuple(found),
            f"The model hardly sees who is where, so do not rely on {quoted(found)}: name what is there and cut the "
            "pictures to the part that matters, or teach it with labelled pictures.",
        )


def order(labels: Sequence[str]) -> Iterator[Advice]:
    """Names that differ in the order of their words alone."""
    by_words: dict[tuple[str, ...], list[str]] = {}
    for label in labels:
        by_words.setdefault(tuple(sorted(label.lower().split())), []).append(label)
    for same in by_words.values():
        if len(same) > 1:
            yield Advice(
                "order",
                tuple(same),
                f"{quoted(same)} have the same words in another order, which the model hardly tells apart: use other "
                "words, or make them one class.",
            )


def language(labels: Sequence[str]) -> Iterator[Advice]:
    """Names that are not English."""
    scripts = [label for label in labels if any(_other_script(c) for c in label)]
    foreign = [label for label in labels if label not in scripts and is_foreign(label)]
    # A single unknown word is as likely a name that WordNet does not have as a word of another language.
    german = [label for label in labels if label not in scripts and label[:1].isupper() and label.lower() in _GERMAN]
    foreign = [label for label in labels if label in foreign or label in german]
    sure = bool(german) or any(_FOREIGN.search(label) for label in foreign)
    found = scripts + (foreign if sure or 2 * len(foreign) > len(labels) else [])
    if found:
        found = [label for label in labels if label in found]
        yield Advice(
            "language",
            tuple(found),
            f"{quoted(found)} may not be English, and this model learned from English captions alone: write the names in "
            "English, or choose a model that reads many languages.",
        )


def _other_script(character: str) -> bool:
    return character.isalpha() and not unicodedata.name(character, "LATIN").startswith(("LATIN", "MICRO", "FEMININE"))


def is_foreign(label: str) -> bool:
    """Whether most words of a name are unknown. Names with a capital letter may be anything and are not judged."""
    words = re.findall(r"[^\W\d_]+", label)
    if _FOREIGN.search(label) and not all(wordnet.is_english(word) for word in words):
        return True
    judged = [word for word in words if len(word) > 2 and word == word.lower()]
    unknown = [word for word in judged if not wordnet.is_english(_plain(word))]
    return 2 * len(unknown) > len(words)


def _plain(word: str) -> str:
    """Without accents: café as cafe."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
