"""What is asked of the pictures: label sets side by side, categories of classes, groups, and how small is too small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...classify.prompts import DEFAULT_PACK, PromptSet, check_labels, clean_label, pack
from ...classify.typed import format_labels, parse_labels, parse_names
from ...errors import BadInput
from .groups import Bins

MOST_SETS = 20
MOST_CATEGORIES = 50
MOST_LABELS = 500
SMALL = 30  # pictures; a group with fewer is greyed and not tested
NAME_LIMIT = 80


@dataclass(frozen=True)
class LabelSet:
    """Classes that compete for each picture, under a name."""

    name: str
    labels: tuple[str, ...]
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, name: str, typed: str) -> "LabelSet":
        """Typed as everywhere: man, woman = lady | she. Raises BadInput; one class alone would win every picture."""
        labels, synonyms = parse_labels(typed)
        return cls(_clean_name(name, "label set"), tuple(labels), synonyms)._checked()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "LabelSet":
        """The inverse of `to_json`, checked as if typed; `labels` may also be typed text."""
        labels = data["labels"]
        if isinstance(labels, str):
            return cls.parse(str(data["name"]), labels)
        synonyms = {clean_label(str(k)): tuple(map(str, v)) for k, v in dict(data.get("synonyms", {})).items()}
        return cls(
            _clean_name(str(data["name"]), "label set"), tuple(clean_label(str(one)) for one in labels), synonyms
        )._checked()

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {"name": self.name, "labels": list(self.labels), "synonyms": {k: list(v) for k, v in self.synonyms.items()}}

    @property
    def typed(self) -> str:
        """As one would type it; the inverse of `parse`."""
        return format_labels(self.labels, self.synonyms)

    def edit(self, add: str = "", remove: Sequence[str] = (), rename: Mapping[str, str] | None = None) -> "LabelSet":
        """The set with classes added (typed), taken out and renamed. Raises BadInput for a class that is not there."""
        renamed = {old: clean_label(new) for old, new in (rename or {}).items()}
        for label in (*remove, *renamed):
            if label not in self.labels:
                raise BadInput(f"There is no class “{label}” in {self.name}; choose one of: {', '.join(self.labels)}.")
        labels = [renamed.get(label, label) for label in self.labels if label not in remove]
        synonyms = {label: names for label, names in self.synonyms.items() if label in labels}
        if add.strip():
            added, more = parse_labels(add)
            labels += added
            synonyms |= more
        return replace(self, labels=tuple(labels), synonyms=synonyms)._checked()

    def _checked(self) -> "LabelSet":
        check_labels(self.labels)
        if len(self.labels) < 2:
            raise BadInput(f"{self.name} needs two classes or more; one alone would get every image.")
        if len(self.labels) > MOST_LABELS:
            raise BadInput(f"{self.name} has {len(self.labels)} classes, more than {MOST_LABELS}; use fewer.")
        return self


Categories = Mapping[str, tuple[str, ...]]  # harmful -> (criminal, animal): classes by category


@dataclass(frozen=True)
class Design:
    """One measurement.

    label_sets  the sets, side by side
    by          the columns to group by, crossed
    categories  classes that count together, by name
    bins        where bins of number columns begin
    prompts     how a class name becomes sentences
    small       a group with fewer pictures is greyed and not tested
    reference   the group that the others are tested against; None: each against all other pictures
    """

    label_sets: tuple[LabelSet, ...]
    by: tuple[str, ...]
    categories: Categories = field(default_factory=dict)
    bins: Bins = field(default_factory=dict)
    prompts: PromptSet = field(default_factory=lambda: pack(DEFAULT_PACK))
    small: int = SMALL
    reference: str | None = None

    def __post_init__(self) -> None:
        """Raise BadInput unless it can be measured."""
        names = [one.name for one in self.label_sets]
        if not names:
            raise BadInput('Give at least one label set, such as people="man, woman".')
        if len(names) > MOST_SETS or len(self.categories) > MOST_CATEGORIES:
            raise BadInput(f"At most {MOST_SETS} label sets and {MOST_CATEGORIES} categories fit side by side; use fewer.")
        for kind, some in (("label set", names), ("category", list(self.categories))):
            folded = [name.casefold() for name in some]
            if twice := next((name for name in some if folded.count(name.casefold()) > 1), None):
                raise BadInput(f"There are two of the {kind} “{twice}”; give each a name of its own.")
        if not 1 <= self.small <= 100_000:
            raise BadInput("The smallest group worth testing has between 1 and 100,000 images; 30 is usual.")

    def label_set(self, name: str) -> LabelSet:
        """One of the sets. Raises BadInput."""
        for one in self.label_sets:
            if one.name == name:
                return one
        raise BadInput(f"There is no label set “{name}”; measure again.")

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "label_sets": [one.to_json() for one in self.label_sets],
            "by": list(self.by),
            "categories": {name: list(labels) for name, labels in self.categories.items()},
            "bins": {name: list(begins) for name, begins in self.bins.items()},
            "prompts": self.prompts.to_json(),
            "small": self.small,
            "reference": self.reference,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Design":
        """The inverse of `to_json`. `prompts` may be a pack's name, a set's `labels` typed text. Raises BadInput."""
        try:
            prompts = data.get("prompts", DEFAULT_PACK)
            return cls(
                tuple(LabelSet.from_json(one) for one in data["label_sets"]),
                tuple(map(str, data["by"])),
                {
                    _clean_name(str(name), "category"): parse_category(labels)
                    for name, labels in dict(data.get("categories", {})).items()
                },
                {str(name): tuple(map(float, begins)) for name, begins in dict(data.get("bins", {})).items() if begins},
                pack(prompts) if isinstance(prompts, str) else PromptSet.from_json(prompts),
                int(data.get("small", SMALL)),
                str(data["reference"]) if data.get("reference") else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadInput("That is no design of a bias measurement; load the page again.") from None


def parse_category(labels: str | Sequence[str]) -> tuple[str, ...]:
    """The classes of a category, typed with commas or as a list. Raises BadInput for none."""
    some = parse_names(labels) if isinstance(labels, str) else list(labels)
    cleaned = tuple(dict.fromkeys(clean_label(str(one)) for one in some if str(one).strip()))
    if not cleaned:
        raise BadInput("A category has no classes; name some, or take it out.")
    return cleaned


def _clean_name(name: str, kind: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_LIMIT:
        raise BadInput(f"A {kind} needs a name of at most {NAME_LIMIT} letters.")
    return clean_label(name)
