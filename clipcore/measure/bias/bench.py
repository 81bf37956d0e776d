"""Pictures embedded once, asked again and again: every question here is a matrix product, and only new words are encoded."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from ...classify.prompts import PromptSet
from ...classify.zeroshot import zero_shot_classifier
from ...errors import BadInput
from .answered import Answered
from .design import Design, LabelSet
from .groups import Facts, Groups, group
from .stress import Stress, Sweep, stress, sweep
from .tables import Table, members, rows_of, tabulate
from .whatif import Change, change

if TYPE_CHECKING:
    from ...encoding.encoder import Encoder

KEPT = 24  # label sets whose answers are remembered


class Bench:
    """n pictures as vectors [n, dim] of the encoder's space, with what is known of each. Threads may share it."""

    def __init__(self, encoder: "Encoder", embeddings: np.ndarray, facts: Facts) -> None:
        """Raise BadInput if there are no pictures, or facts of another number of them."""
        if not len(embeddings):
            raise BadInput("There are no images to measure on; name a folder that holds some.")
        if any(len(values) != len(embeddings) for values in facts.columns.values()):
            raise BadInput(f"The groups do not go with the {len(embeddings):,} images; load them again.")
        self.encoder, self.embeddings, self.facts = encoder, embeddings, facts
        self._answers: OrderedDict[object, Answered] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.embeddings)

    def answers(self, label_set: LabelSet, prompts: PromptSet) -> Answered:
        """What a set says of every picture. Raises BadInput for prompts that the model cannot read."""
        sentences = {label: prompts.class_prompts[label] for label in label_set.labels if label in prompts.class_prompts}
        own = PromptSet(prompts.name, prompts.templates, label_set.synonyms, sentences)
        key = (label_set.labels, *(tuple(own.texts(label)) for label in label_set.labels))
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        classifier = zero_shot_classifier(self.encoder, label_set.labels, own)
        logits = classifier.logits(self.embeddings)  # the guess is read from these: shares near one are all alike
        answered = Answered(classifier, classifier.shares(self.embeddings), logits.argmax(1))
        with self._lock:
            self._answers[key] = answered
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        return answered

    def groups(self, design: Design) -> Groups:
        """The groups that a design asks for. Raises BadInput."""
        return group(self.facts, design.by, design.bins)

    def table(self, design: Design, label_set: LabelSet, groups: Groups | None = None) -> Table:
        """One label set by groups."""
        guess = self.answers(label_set, design.prompts).guess
        groups = groups or self.groups(design)
        return tabulate(label_set.name, label_set.labels, guess, groups, design.categories, design.small, design.reference)

    def measure(self, design: Design) -> list[Table]:
        """Every label set by groups."""
        groups = self.groups(design)
        return [self.table(design, label_set, groups) for label_set in design.label_sets]

    def cell(self, design: Design, label_set: str, row: str, kind: str = "class", of: str | None = None) -> np.ndarray:
        """The pictures of a group (None: of all groups) that got a class or category, the surest first, int [m]."""
        asked = design.label_set(label_set)
        answered = self.answers(asked, design.prompts)
        rows = rows_of(asked.labels, design.categories)
        at = next((i for i, one in enumerate(rows) if (one.name, one.kind) == (row, kind)), None)
        if at is None:
            raise BadInput(f"There is no {kind} “{row}” in {label_set}; measure again.")
        those = self.groups(design).rows(of)
        those = those[members(rows, asked.labels)[at][answered.guess[those]]]
        return those[np.argsort(-answered.shares[those].max(1), kind="stable")]

    def what_if(
        self,
        design: Design,
        label_set: str,
        add: str = "",
        remove: Sequence[str] = (),
        rename: Mapping[str, str] | None = None,
    ) -> Change:
        """What moves if classes are added (typed), taken out or renamed. Raises BadInput."""
        before = design.label_set(label_set)
        after = before.edit(add, remove, rename)
        return change(
            design,
            self.groups(design),
            (before, self.answers(before, design.prompts)),
            (after, self.answers(after, design.prompts)),
            rename or {},
        )

    def sweep(self, design: Design, label_set: str) -> Sweep:
        """Which labels reach which threshold, by group. Raises BadInput."""
        asked = design.label_set(label_set)
        shares = self.answers(asked, design.prompts).shares
        return sweep(asked, shares, self.groups(design), design.categories)

    def stress(self, design: Design, label_set: str, captions: Sequence[str]) -> Stress:
        """How many pictures a near-miss caption draws away, each caption beside the set by itself. Raises BadInput."""
        asked = design.label_set(label_set)
        answered = self.answers(asked, design.prompts)
        return stress(self.encoder, asked, answered, self.embeddings, self.groups(design), captions)
