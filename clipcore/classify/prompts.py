"""Class names and prompts as people type them, checked, and turned into the sentences that the text tower reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BadInput
from ..letters import one_spelling
from ..plain import parsed_json
from .tree import leaf
from .written import is_descriptions, place_of_name, sentence, template_lines

MAX_LABELS = 20_000
MAX_LABEL_LENGTH = 200
MAX_TEMPLATES = 200
MAX_TEMPLATE_LENGTH = 300
DEFAULT_PACK = "seven"
GENERAL = ("bare", "photo", "seven", "imagenet80")  # packs that suit any image
_PACKS = Path(__file__).with_name("packs")

# What each pack is for; the templates lie in packs/NAME.txt, one a line. Most are from the CLIP authors' published
# prompts (Radford et al., 2021, section 3.1.4), written with {label} as the place of the name. Of those that suit only some
# images `.tasks` knows more: names of public sets, and how well they are told apart.
PACKS: Mapping[str, str] = {
    "bare": "the name alone",
    "photo": "one sentence: a photo of a ...",
    "seven": "seven sentences that together do nearly as well as eighty",
    "imagenet80": "the eighty of the CLIP paper; slower only the first time",
    "pets": "breeds of cats and dogs",
    "food": "dishes",
    "satellite": "land seen from above",
    "textures": "materials and patterns",
    "art": "paintings, drawings, sculptures",
    "actions": "what people do: sports, work, play",
    "aircraft": "makes and variants of aircraft",
    "birds": "species of birds",
    "cars": "makes, models and years of cars",
    "counting": "how many things there are",
    "countries": "the country that a picture was taken in",
    "crowds": "how many people there are",
    "digits": "handwritten digits and house numbers",
    "distance": "how far away a car is",
    "emotions": "what a face expresses",
    "flowers": "species of flowers",
    "medical": "tissue, scans, X-rays",
    "memes": "memes, hateful or not",
    "objects": "everyday things and animals",
    "places": "rooms, streets, landscapes",
    "signs": "traffic signs",
    "words": "what a picture of written words says: praise or blame",
}


@dataclass(frozen=True)
class PromptSet:
    """How a class name becomes sentences.

    templates      sentences with {label} where the name goes
    synonyms       other names of a label; each goes through the templates too
    class_prompts  whole sentences for one label, used beside the templates
    """

    name: str = "custom"
    templates: tuple[str, ...] = ("{label}",)
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    class_prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def texts(self, label: str) -> list[str]:
        """Every sentence of one label. `str.replace`, not `str.format`: a template comes from outside."""
        names = (leaf(label), *self.synonyms.get(label, ()))
        texts = [template.replace("{label}", name) for name in names for template in self.templates]
        return [*texts, *self.class_prompts.get(label, ())]

    def with_synonyms(self, synonyms: Mapping[str, Sequence[str]]) -> "PromptSet":
        """The same templates with these other names."""
        named = {label: tuple(names) for label, names in synonyms.items()}
        return PromptSet(self.name, self.templates, named, self.class_prompts)

    def with_descriptions(self, descriptions: Mapping[str, Sequence[str]]) -> "PromptSet":
        """The same templates with these sentences beside them, by label."""
        told = {label: tuple(sentences) for label, sentences in descriptions.items()}
        return PromptSet(self.name, self.templates, self.synonyms, told)

    def among(self, labels: Sequence[str]) -> "PromptSet":
        """The same with sentences for these labels alone, whatever capitals or `_` their names have in a file of many.

        Raises BadInput if there are sentences, and none is for one of the labels.
        """
        told = {_folded(label): sentences for label, sentences in self.class_prompts.items()}
        kept = {label: told[_folded(label)] for label in labels if _folded(label) in told}
        if told and not kept:
            first = next(iter(told))[:60]
            raise BadInput(
                f"None of the {len(told):,} descriptions is of one of these classes; check names such as “{first}”."
            )
        return self.with_descriptions(kept) if told else self

    def to_json(self) -> dict[str, object]:
        """As plain values, for a file's header."""
        return {
            "name": self.name,
            "templates": list(self.templates),
            "synonyms": {label: list(names) for label, names in self.synonyms.items()},
            "class_prompts": {label: list(texts) for label, texts in self.class_prompts.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PromptSet":
        """The inverse of `to_json`."""

        def tuples(key: str) -> dict[str, tuple[str, ...]]:
            return {label: tuple(map(str, texts)) for label, texts in data.get(key, {}).items()}

        return cls(str(data["name"]), tuple(map(str, data["templates"])), tuples("synonyms"), tuples("class_prompts"))


@cache
def pack(name: str) -> PromptSet:
    """A ready-made prompt set by its name, one of `PACKS`."""
    if name not in PACKS:
        raise BadInput(f"There is no prompt pack {name!r}; choose one of {', '.join(PACKS)}.")
    return PromptSet(name, tuple((_PACKS / f"{name}.txt").read_text(encoding="utf-8").splitlines()))


def zero_shot_name(name: str) -> str:
    """What a zero-shot classifier with this pack is called in results."""
    words = {"bare": "bare names", "photo": "one prompt", "seven": "seven prompts", "imagenet80": "eighty prompts"}
    return f"zero-shot with {words.get(name, f'{name} prompts')}"


def parse_templates(text: str, name: str = "custom") -> PromptSet:
    """Templates typed one a line; empty lines and lines that begin with # are passed over. `.written` has other ways.

    A text of sentences for single classes, in JSON, stands beside the templates of the usual pack.
    """
    if is_descriptions(text):
        return PromptSet(name, pack(DEFAULT_PACK).templates).with_descriptions(parse_descriptions(text))
    lines = (place_of_name(one_spelling(line)) for line in template_lines(text))
    templates = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not templates:
        raise BadInput("There is no template; write at least one line such as: a photo of a {label}.")
    if len(templates) > MAX_TEMPLATES:
        raise BadInput(f"{len(templates)} templates are more than {MAX_TEMPLATES}; keep the best ones.")
    for template in templates:
        check_template(template)
    return PromptSet(name, tuple(templates))


def check_template(template: str) -> None:
    """Raise BadInput unless the template has {label} and no other braces."""
    if len(template) > MAX_TEMPLATE_LENGTH:
        raise BadInput(
            f"The template “{template[:40]}…” has {len(template)} characters; keep it under {MAX_TEMPLATE_LENGTH}."
        )
    if "{label}" not in template:
        raise BadInput(f"The template “{template}” has no {{label}}; write {{label}} where the class name goes.")
    if "{" in template.replace("{label}", "") or "}" in template.replace("{label}", ""):
        raise BadInput(f"The template “{template}” has other braces than {{label}}; take them out.")


def parse_descriptions(text: str) -> dict[str, tuple[str, ...]]:
    """Sentences for single classes: JSON, {"label": ["sentence", ...]} as CuPL writes it, with descriptors as WaffleCLIP
    reads them, or lines `label: sentence`.

    Raises BadInput if it is neither.
    """
    found: dict[str, list[str]] = {}
    text = text.lstrip("\ufeff")
    if text.lstrip().startswith("{"):
        try:
            for label, sentences in parsed_json(text).items():
                listed = [sentences] if isinstance(sentences, str) else list(map(str, sentences))
                found[label] = [sentence(clean_label(label), one_spelling(told)) for told in listed if told.strip()]
        except (ValueError, TypeError, AttributeError):
            raise BadInput('The descriptions are no JSON of the form {"label": ["sentence", ...]}; check them.') from None
    else:
        for line in text.splitlines():
            label, colon, words = line.partition(":")
            if line.strip() and not (colon and label.strip() and words.strip()):
                raise BadInput(f"The description “{line.strip()[:60]}” has no class; write it as: class name: sentence.")
            if line.strip():
                found.setdefault(label, []).append(words)
    told = {clean_label(label): [seen for s in sentences if (seen := one_spelling(s))] for label, sentences in found.items()}
    if not any(told.values()):
        raise BadInput("There are no descriptions; write lines such as: sparrow: a small brown bird with a short beak.")
    return {label: tuple(dict.fromkeys(sentences)) for label, sentences in told.items() if sentences}


def _folded(label: str) -> str:
    return one_spelling(label.replace("_", " ")).casefold()


def clean_label(label: str) -> str:
    """A name as it is kept: Unicode NFC, single spaces, nothing unseen. Raises BadInput if empty or too long."""
    label = one_spelling(label)
    if not label:
        raise BadInput("A class name is empty; give every class a name.")
    if len(label) > MAX_LABEL_LENGTH:
        raise BadInput(
            f"The class name “{label[:40]}…” has {len(label)} characters; keep names under {MAX_LABEL_LENGTH} "
            "and put longer descriptions into a template."
        )
    return label


def check_labels(labels: Iterable[str]) -> None:
    """Raise BadInput for no labels, too many, or two that differ at most in capitals."""
    seen: dict[str, str] = {}
    for label in labels:
        folded = label.casefold()
        if folded in seen:
            raise BadInput(f"The class name “{label}” occurs twice; keep it once.")
        seen[folded] = label
    if not seen:
        raise BadInput("There are no class names; type at least one, for example: cat, dog, rabbit.")
    if len(seen) > MAX_LABELS:
        raise BadInput(f"{len(seen)} classes are more than {MAX_LABELS}; use fewer.")
