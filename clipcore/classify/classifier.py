"""One small object for every way to classify: a linear head over unit vectors, softmax(scale * X @ W.T + b).

Zero-shot, linear probe, few-shot and blends differ only in how W and b came about. The file is one safetensors file:
tensors `weight` [n, d] and `bias` [n], and everything else as JSON in the header's metadata under the key `sayso`.
Read it without Sayso:

    file = safetensors.safe_open("pets.safetensors", "numpy"); header = json.loads(file.metadata()["sayso"])
    weight, bias = file.get_tensor("weight"), file.get_tensor("bias")
    logits = (header["scale"] * X @ weight.T + bias) / header["decision"]["temperature"]

How likely an answer is right follows from these and the decision's `level` and `odds`: docs/use_classifier.py has it.
Where the dial keeps a promise, `decision.promise` is the share of answers that may be wrong, and `metrics.unseen` what it
was tested on. Names that judge people bring a `notice` along.

The header's `checksum` is the sha256 over the rest of the header and both tensors, so that a damaged file is noticed and
never answers differently in silence.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from ..errors import BadClassifierFile, BadInput
from ..notebook import SHOWN, frame, table
from ..plain import read_plain
from ..space import Space
from .decision import Decision
from .prompts import MAX_TEMPLATES, PromptSet, check_labels, check_template, clean_label
from .sensitive import notice, sensitive

if TYPE_CHECKING:
    from pandas import DataFrame

FORMAT = 1  # of the header; a reader refuses a newer one
LARGEST = 500_000_000  # bytes of a file: 20,000 labels of the largest models
MOST_TEXT = 5_000_000  # letters of all prompts, and of all measurements, in a file from elsewhere
MOST_NAME = 300  # letters of what a file says of its model and its making
MOST_SCORE = 1e30  # float32 ends at 3e38


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a classifier says of one picture. `shares` [n] go with `labels`; print it to see the best one."""

    labels: tuple[str, ...]
    shares: np.ndarray

    @cached_property
    def order(self) -> np.ndarray:
        """Indices of the labels, best first."""
        return np.argsort(-self.shares, kind="stable")

    @property
    def label(self) -> str:
        """The best label."""
        return self.labels[self.order[0]]

    @property
    def score(self) -> float:
        """The best label's share among the labels: a share, not the probability that the answer is right, until the
        classifier was calibrated on labels (`Decision.calibrated`)."""
        return float(self.shares[self.order[0]])

    @property
    def margin(self) -> float:
        """How far the best share lies above the second; 1 where there is only one label."""
        return float(self.shares[self.order[0]] - self.shares[self.order[1]]) if len(self.labels) > 1 else 1.0

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k best labels with their shares, best first."""
        return [(self.labels[i], float(self.shares[i])) for i in self.order[:k]]

    def __str__(self) -> str:
        return f"{self.label} {self.score:.2f}"


class Predictions(Sequence[Prediction]):
    """Predictions for many pictures, kept as one array `shares` [n pictures, n labels]."""

    def __init__(self, labels: tuple[str, ...], shares: np.ndarray) -> None:
        self.labels = labels
        self.shares = shares

    def __len__(self) -> int:
        return len(self.shares)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Predictions(self.labels, self.shares[index])
        return Prediction(self.labels, self.shares[index])

    def __iter__(self) -> Iterator[Prediction]:
        return (Prediction(self.labels, row) for row in self.shares)

    def to_pandas(self) -> "DataFrame":
        """A data frame: for each picture its label, share and margin, and the share of every label in a column."""
        best = {"label": [each.label for each in self], "share": [each.score for each in self]}
        shares = {f"share of {label}": self.shares[:, place] for place, label in enumerate(self.labels)}
        return frame({**best, "margin": [each.margin for each in self], **shares})

    def _repr_html_(self) -> str:
        rows = [
            (i, each.label, ", ".join(f"{label} {share:.0%}" for label, share in each.top(3))) for i, each in _first(self)
        ]
        return table(f"{len(self):,} predictions, {len(self.labels)} labels", ("", "label", "shares"), rows, len(self))


@dataclass(frozen=True, eq=False)
class Classifier:
    """Labels and the linear head that chooses between them, in one embedding space.

    weight      float32 [n labels, dim]; unit rows for a zero-shot head
    bias        float32 [n labels]
    scale       the logit scale: logits are scale * X @ weight.T + bias
    activation  softmax (labels exclude each other) or sigmoid (each label on its own, as SigLIP is trained)
    kind        how it was made: zero-shot, few-shot, linear probe
    metrics     what was measured of it, by name
    decision    how it answers: the dial, thresholds, temperature
    """

    labels: tuple[str, ...]
    weight: np.ndarray
    bias: np.ndarray
    scale: float
    space: Space
    prompts: PromptSet = field(default_factory=PromptSet)
    activation: Literal["softmax", "sigmoid"] = "softmax"
    kind: str = "zero-shot"
    metrics: Mapping[str, Any] = field(default_factory=dict)
    decision: Decision = field(default_factory=Decision)

    def __post_init__(self) -> None:
        """Raise BadInput unless the parts fit together and every number is finite."""
        check_labels(self.labels)
        expected = (len(self.labels), self.space.dim)
        if self.weight.shape != expected or self.bias.shape != expected[:1]:
            raise BadInput(
                f"The head has weights {self.weight.shape} and biases {self.bias.shape}; {expected[0]} labels in a "
                f"space of {expected[1]} dimensions need {expected} and {expected[:1]}."
            )
        if not (np.isfinite(self.weight).all() and np.isfinite(self.bias).all() and np.isfinite(self.scale)):
            raise BadInput("The head's weights are not all finite numbers; train it again with a lower learning rate.")
        reach = abs(self.scale) * float(np.linalg.norm(self.weight, axis=1).max()) + float(np.abs(self.bias).max())
        if not reach / self.decision.temperature < MOST_SCORE:
            raise BadInput("The head's scores would be endless; train it again with a lower learning rate.")
        if self.activation not in ("softmax", "sigmoid"):
            raise BadInput(f"There is no activation {self.activation!r}; use softmax or sigmoid.")
        if len(self.decision.thresholds) not in (0, len(self.labels)):
            raise BadInput(
                f"There are {len(self.decision.thresholds)} thresholds for {len(self.labels)} labels; give one for each."
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Classifier) and self.to_bytes() == other.to_bytes()

    def _repr_html_(self) -> str:
        rows = [("labels", ", ".join(self.labels[:SHOWN]) + (" ..." if len(self.labels) > SHOWN else ""))]
        rows += [("model", self.space.name), ("prompts", f"{self.prompts.name}, {len(self.prompts.templates)} templates")]
        rows += [("answers from", f"{self.decision.sure:.0%}"), ("measured on", f"{self.decision.calibrated:,} labels")]
        rows += [("note", self.notice)] if self.notice else []
        return table(f"{self.kind} classifier, {len(self.labels):,} labels", ("", ""), rows)

    @property
    def notice(self) -> str:
        """What to say of class names that judge people; nothing of others."""
        return notice(sensitive(self.labels))

    def with_decision(self, decision: Decision) -> "Classifier":
        """The same head that answers in another way."""
        return replace(self, decision=decision)

    def logits(self, X: np.ndarray) -> np.ndarray:
        """Scores before the activation, float32 [n, n labels], for vectors X [n, dim] of this classifier's space."""
        X = np.atleast_2d(np.asarray(X, np.float32))
        if X.ndim != 2 or X.shape[1] != self.space.dim:
            raise BadInput(
                f"The vectors have {X.shape[-1]} numbers, but this classifier needs {self.space.dim}; embed the images with "
                f"the model {self.space.name}."
            )
        return self.scale * (X @ self.weight.T) + self.bias

    def shares(self, X: np.ndarray) -> np.ndarray:
        """Scores after temperature and activation, float32 [n, n labels]; rows sum to one under softmax."""
        return self.shares_of(self.logits(X))

    def shares_of(self, logits: np.ndarray) -> np.ndarray:
        """`shares` of what `logits` gave."""
        logits = logits / np.float32(self.decision.temperature)
        if self.activation == "sigmoid":
            return np.exp(-np.logaddexp(0, -logits))  # 1 / (1 + exp(-x)) overflows at a SigLIP model's usual logits
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X: np.ndarray) -> Predictions:
        """A `Prediction` for each row of X [n, dim]."""
        return Predictions(self.labels, self.shares(X))

    def to_bytes(self) -> bytes:
        """The classifier as the bytes of a safetensors file."""
        header = {
            "format": FORMAT,
            "labels": self.labels,
            "scale": float(self.scale),
            "activation": self.activation,
            "kind": self.kind,
            "prompts": self.prompts.to_json(),
            "space": asdict(self.space),
            "metrics": dict(self.metrics),
            "decision": asdict(self.decision),
        }
        if self.notice:  # so that whoever opens the file elsewhere reads it, too
            header["notice"] = self.notice
        arrays = {"weight": self.weight, "bias": self.bias}
        tensors = {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}
        signed = header | {"checksum": _checksum(header, tensors)}
        return save_tensors(tensors, {"sayso": json.dumps(signed)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Classifier":
        """The inverse of `to_bytes`. Raises BadClassifierFile; nothing in the file is ever executed."""
        try:
            tensors = load_tensors(data)
            length = int.from_bytes(data[:8], "little")
            header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["sayso"])
            if header["format"] > FORMAT:
                raise BadClassifierFile("This classifier was made by a newer Sayso; update Sayso to read it.")
            if header.pop("checksum") != _checksum(header, tensors):
                raise ValueError("checksum")
            space = header["space"]
            if not all(isinstance(label, str) for label in header["labels"]):
                raise ValueError("labels")
            return cls(
                labels=tuple(header["labels"]),
                weight=tensors["weight"].astype(np.float32),
                bias=tensors["bias"].astype(np.float32),
                scale=float(header["scale"]),
                activation=header["activation"],
                kind=str(header["kind"]),
                prompts=PromptSet.from_json(header["prompts"]),
                space=Space(str(space["key"]), str(space["name"]), int(space["dim"])),
                metrics=dict(header["metrics"]),
                decision=Decision.from_json(header["decision"]) if "decision" in header else Decision(),
            )
        except BadClassifierFile:
            raise
        except Exception as error:  # a hostile file can bring any reader to raise anything; the sentence is the same
            raise BadClassifierFile("This is not a classifier of Sayso, or it is damaged; save it again.") from error

    @classmethod
    def received(cls, data: bytes) -> "Classifier":
        """`from_bytes` for a file from elsewhere, whose names and texts must be such as can be typed here. Raises
        BadClassifierFile."""
        made = cls.from_bytes(data)
        try:
            for label in made.labels:
                if clean_label(label) != label:
                    raise BadInput("a class name has letters that cannot be seen")
            texts = [text for told in made.prompts.to_json().values() for text in _texts(told)]
            if len(made.prompts.templates) > MAX_TEMPLATES or sum(map(len, texts)) > MOST_TEXT:
                raise BadInput("its prompts are endless")
            for template in made.prompts.templates:
                check_template(template)
            if max(map(len, (made.space.key, made.space.name, made.kind))) > MOST_NAME:
                raise BadInput("the name of its model is endless")
            if len(json.dumps(dict(made.metrics), allow_nan=False)) > MOST_TEXT:
                raise BadInput("its measurements are endless")
        except (BadInput, ValueError, RecursionError, TypeError, AttributeError) as error:
            why = str(error) if isinstance(error, BadInput) else "its measurements are no numbers"
            raise BadClassifierFile(f"This classifier cannot be taken in ({why.rstrip('.')}); have it made anew.") from error
        return made

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file beside its place and rename it, so that a full disk or a crash leaves the old one whole."""
        path = Path(path)
        part = path.with_name(path.name + ".part")
        try:
            part.write_bytes(self.to_bytes())
            os.replace(part, path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise BadInput(
                f"The classifier cannot be written to {path} ({error.strerror}); choose another place."
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Classifier":
        """Read a file that `save` wrote. Raises BadClassifierFile."""
        try:
            return cls.received(read_plain(path, LARGEST))
        except OSError as error:
            raise BadClassifierFile(
                f"The classifier file {path} cannot be read ({error.strerror}); check the path."
            ) from error


def _first(found: Predictions) -> Iterator[tuple[int, Prediction]]:
    """Those that a notebook shows, with their places."""
    return zip(range(SHOWN), found, strict=False)


def _texts(told: Any) -> Iterator[str]:
    """Every text in a part of a prompt set."""
    if isinstance(told, str):
        yield told
    else:
        for text in [*told, *told.values()] if isinstance(told, Mapping) else told:
            yield from _texts(text)


def _checksum(header: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(header).encode())
    for name in ("weight", "bias"):
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()
