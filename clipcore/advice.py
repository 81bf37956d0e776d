"""Advice on class names before anything is classified: what a CLIP model is known to get wrong, and what to write instead.

Models of this kind match whole sentences loosely: they miss negation, counting and who stands where (Radford et al., 2021,
section 6; Thrush et al., 2022; Hsieh et al., 2023), read a name without knowing which sense is meant (section 3.1.4), and
read only so many tokens. The advice comes from rules and WordNet, so it is quick enough to run while someone types, and
it can be wrong: it is never more than advice. With an encoder it is also seen which classes nearly coincide for this model.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from . import wordnet
from .classifier import Classifier
from .errors import BadInput
from .prompts import DEFAULT_PACK, MAX_LABEL_LENGTH, PromptSet, pack
from .wordnet import senses
from .zeroshot import zero_shot_classifier

if TYPE_CHECKING:
    from .encoder import Encoder

CONTEXT = 77  # tokens that nearly every CLIP model reads, start and end marks included
MAIN = 1 / 4  # how common a meaning must be, beside a name's commonest, to stand for the name
SIMILAR = 0.25  # two classes nearer to each other than this part of the usual distance are said to coincide
ANCHORS = ("dog", "car", "tree", "house", "person", "food", "boat", "flower", "computer", "book", "mountain", "shoe")
MULTILINGUAL = ("xlm", "nllb", "multilingual", "mt5", "siglip2", "i18n")  # in the names of models that read many languages

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


@dataclass(frozen=True)
class Advice:
    """One piece of advice.

    kind         senses, similar, synonym, contains, negation, counting, position, order, leftover, language or too long
    labels       the classes it is about
    sentence     what is wrong and what to do, for a person
    suggestions  names to write in place of the only or the first of `labels`; may be empty
    """

    kind: str
    labels: tuple[str, ...]
    sentence: str
    suggestions: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.sentence


def advise(labels: Sequence[str], prompts: PromptSet | str = DEFAULT_PACK, encoder: "Encoder | None" = None) -> list[Advice]:
    """What to know about these class names before they are used; nothing for most lists.

    Without an encoder it takes milliseconds and embeds nothing; with one the token limit is exact, and classes that nearly
    coincide in its text space are found. Raises BadInput for an unknown pack.
    """
    labels = list(dict.fromkeys(name for label in labels if (name := " ".join(label.split()))))
    prompts = pack(prompts) if isinstance(prompts, str) else prompts
    too_long = list(_too_long(labels, prompts, encoder))
    found = [*too_long, *_leftover(labels), *_negation(labels), *_counting(labels), *_position(labels), *_order(labels)]
    if encoder is None or not any(part in encoder.space.name.lower() for part in MULTILINGUAL):
        found += _language(labels)
    named = [label for label in labels if label not in {name for advice in found for name in advice.labels}]
    found += [*_senses(named, labels), *_same_or_broader(named)]
    if encoder is not None:
        cut = {name for advice in too_long for name in advice.labels}
        known = {pair for advice in found if advice.kind in ("synonym", "order") for pair in [frozenset(advice.labels)]}
        fitting = [label for label in labels if label not in cut and len(label) <= MAX_LABEL_LENGTH]
        found += [advice for advice in _similar(fitting, prompts, encoder) if frozenset(advice.labels) not in known]
    return found


def nearest_per_class(classifier: Classifier, X: np.ndarray, k: int = 6) -> np.ndarray:
    """The k pictures that fit each class best on its own, best first: rows of X [n, dim] as int [n classes, min(k, n)].

    A look at them, before anything is classified, shows what the model takes a name for. Raises BadInput for no pictures.
    """
    if not len(X):
        raise BadInput("There are no pictures to look at; add a folder of pictures first.")
    # by likeness to the class alone: shares would also ask how unlike the other classes a picture is
    scores = classifier.logits(X).T
    k = min(k, len(X))
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable"), 1)


# what is in a name


def _too_long(labels: Sequence[str], prompts: PromptSet, encoder: "Encoder | None") -> Iterator[Advice]:
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
                f"“{_short(label)}” makes a prompt of {exactly}{tokens} tokens, but the model reads only {limit}: say it in "
                "fewer words.",
            )


def _leftover(labels: Sequence[str]) -> Iterator[Advice]:
    found = [label for label in labels if _LEFTOVER.fullmatch(label)]
    if found and len(labels) > 1:
        yield Advice(
            "leftover",
            tuple(found),
            f"{_quoted(found)} has no look of its own, so the model cannot find it: leave it out and use “none of these”.",
        )


def _negation(labels: Sequence[str]) -> Iterator[Advice]:
    for label in labels:
        match = _NEGATION.search(label)
        if match and not _SIGN.search(label) and not _LEFTOVER.fullmatch(label):
            before = label[: match.start()].strip(" ,")
            yield Advice(
                "negation",
                (label,),
                f"The model hardly takes in “{match.group()}” and reads “{_short(label)}” almost as its opposite: name what "
                "such a picture shows instead, or teach it with labelled pictures.",
                (before,) if len(before) > 2 and before not in labels else (),
            )


def _counting(labels: Sequence[str]) -> Iterator[Advice]:
    counted = [label for label in labels if _counts(label)]
    if counted:
        counted = [label for label in labels if label in counted or re.match(r"(one|1|a single)\s", label, re.IGNORECASE)]
        yield Advice(
            "counting",
            tuple(counted),
            f"The model cannot count, so {_quoted(counted)} will be told apart little better than by chance: use names that "
            "look different, such as “a single dog” and “a pack of dogs”, or teach it with labelled pictures.",
        )


def _counts(label: str) -> bool:
    """Whether a name counts things: a number, or a word for one, before a plural."""
    words = label.split()
    return any(
        _NUMBER.fullmatch(number) and _PLURAL.fullmatch(thing)
        for i, number in enumerate(words)
        for thing in words[i + 1 : i + 3]
    )


def _position(labels: Sequence[str]) -> Iterator[Advice]:
    found = [label for label in labels if _POSITION.search(label)]
    if found:
        yield Advice(
            "position",
            tuple(found),
            f"The model hardly sees who is where, so do not rely on {_quoted(found)}: name what is there and cut the "
            "pictures to the part that matters, or teach it with labelled pictures.",
        )


def _order(labels: Sequence[str]) -> Iterator[Advice]:
    by_words: dict[tuple[str, ...], list[str]] = {}
    for label in labels:
        by_words.setdefault(tuple(sorted(label.lower().split())), []).append(label)
    for same in by_words.values():
        if len(same) > 1:
            yield Advice(
                "order",
                tuple(same),
                f"{_quoted(same)} have the same words in another order, which the model hardly tells apart: use other "
                "words, or make them one class.",
            )


def _language(labels: Sequence[str]) -> Iterator[Advice]:
    scripts = [label for label in labels if any(_other_script(c) for c in label)]
    foreign = [label for label in labels if label not in scripts and _is_foreign(label)]
    # A single unknown word is as likely a name that WordNet does not have as a word of another language.
    sure = any(_FOREIGN.search(label) for label in foreign)
    found = scripts + (foreign if sure or 2 * len(foreign) > len(labels) else [])
    if found:
        found = [label for label in labels if label in found]
        yield Advice(
            "language",
            tuple(found),
            f"{_quoted(found)} may not be English, and this model learned from English captions alone: write the names in "
            "English, or choose a model that reads many languages.",
        )


def _other_script(character: str) -> bool:
    return character.isalpha() and not unicodedata.name(character, "LATIN").startswith(("LATIN", "MICRO", "FEMININE"))


def _is_foreign(label: str) -> bool:
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


# what WordNet knows


def _senses(labels: Sequence[str], among: Sequence[str]) -> Iterator[Advice]:
    for label in labels:
        found = senses.several(label) if label.islower() else []  # a capital letter is mostly a name: Jaguar, Apple
        if found:
            # the kind that most of the other classes are of is the likeliest
            others = [m.kind for other in among if other != label for m in senses.main_meanings(other, MAIN)[:1]]
            found.sort(key=lambda sense: -others.count(sense[0]))
            meant = " or ".join(f"{_article(hint)} {hint}" for _, hint in found)
            yield Advice(
                "senses",
                (label,),
                f"“{label}” can be {meant}, and the model is not told which: say what you mean.",
                tuple(f"{label} ({hint})" for _, hint in found),
            )


def _same_or_broader(labels: Sequence[str]) -> Iterator[Advice]:
    """Names for one thing, and classes that contain others."""
    owner: dict[int, list[str]] = {}  # who has a meaning among the main ones of its name
    main = {label: senses.main_meanings(label, MAIN) for label in labels}
    for label, found in main.items():
        for meaning in found:
            owner.setdefault(meaning.row, []).append(label)
    for same in dict.fromkeys(tuple(names) for names in owner.values() if len(names) > 1):
        yield Advice(
            "synonym",
            same,
            f"{_quoted(same)} are names for the same thing: make them one class, written “{' = '.join(same[:2])}”.",
        )
    by_name = {label.lower(): label for label in labels}
    kinds: dict[str, list[str]] = {}
    for label, found in main.items():
        above = [name for meaning in found[:1] for up in wordnet.broader(meaning) for name in owner.get(up.row, ())]
        words = label.lower().split()
        if not found:  # not in WordNet: a red car is a car
            above += [by_name[end] for i in range(1, len(words)) if (end := " ".join(words[i:])) in by_name]
        for name in dict.fromkeys(above):
            if name != label:
                kinds.setdefault(name, []).append(label)
    for name, narrower in kinds.items():
        yield Advice(
            "contains",
            (name, *narrower),
            f"“{name}” contains {_quoted(narrower)}, so such pictures fit both: leave “{name}” out, or write which other "
            "kinds it stands for.",
        )


# what the model says


def _similar(labels: Sequence[str], prompts: PromptSet, encoder: "Encoder") -> Iterator[Advice]:
    """Pairs of classes much nearer to each other than is usual in this list, or, in a short list, among everyday words."""
    if len(labels) < 2:
        return
    templates = PromptSet(prompts.name, prompts.templates)
    anchors = [word for word in ANCHORS if word not in labels] if len(labels) < 5 else []
    kept = {name: texts for name, texts in prompts.class_prompts.items() if name in labels}
    synonyms = {name: names for name, names in prompts.synonyms.items() if name in labels}
    mine = PromptSet(prompts.name, prompts.templates, synonyms, kept)
    rows = [zero_shot_classifier(encoder, labels, mine).weight]
    if anchors:
        rows.append(zero_shot_classifier(encoder, anchors, templates).weight)
    vectors = np.concatenate(rows)
    distances = 1 - vectors @ vectors.T
    usual = float(np.median(distances[np.triu_indices(len(vectors), 1)]))
    near = np.argwhere(np.triu(distances[: len(labels), : len(labels)] < SIMILAR * usual, 1))
    for a, b in sorted(near.tolist(), key=lambda pair: distances[pair[0], pair[1]]):
        yield Advice(
            "similar",
            (labels[a], labels[b]),
            f"“{labels[a]}” and “{labels[b]}” are nearly the same to this model: make them one class, or describe what "
            "looks different.",
        )


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def _quoted(names: Sequence[str]) -> str:
    shown = [f"“{_short(name)}”" for name in names[:4]]
    rest = [f"{len(names) - 4} more"] if len(names) > 4 else []
    *first, last = shown + rest
    return f"{', '.join(first)} and {last}" if first else last


def _short(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:57]}…"
