"""Weight-space ensembles of the zero-shot and the fine-tuned model, WiSE-FT (Wortsman et al., 2022, section 3).

Fine-tuning gains on pictures like those it saw and loses on others. The weights half-way between before and after keep most
of the gain and lose less; which point is best is measured on the target and on shifted sets.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from clipcore.classify.classifier import Classifier
from clipcore.errors import BadInput
from clipcore.progress import Step

from ..data.pixels import Pixels
from ..heads.cross_validation import Measured
from .clip import build, encode_pictures, export, side_of
from .finetune import Tuned, Weights
from .initial_weights import Start

ALPHAS = tuple(round(0.1 * i, 1) for i in range(11))
DEFAULT = 0.5  # the paper's recommendation where nothing better is known


def mix(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor], alpha: float) -> Weights:
    """(1 - alpha) of the weights before and alpha of those after; what is not a float is taken from before.

    Raises BadInput if the two are not weights of one architecture, or alpha is outside 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise BadInput("The mixture must lie between 0 (zero-shot) and 1 (fine-tuned).")
    shapes = [{name: weight.shape for name, weight in weights.items()} for weights in (before, after)]
    if shapes[0] != shapes[1]:
        raise BadInput("Only weights of one architecture can be mixed; these are of two.")
    return {
        name: torch.lerp(old.float(), after[name].float(), alpha) if old.is_floating_point() else old.clone()
        for name, old in before.items()
    }


def iter_sweep(
    start: Start,
    head: Classifier,
    tuned: Tuned,
    sets: Mapping[str, Pixels],
    alphas: Sequence[float] = ALPHAS,
    device: str = "cpu",
) -> Generator[Step, None, dict[float, dict[str, Measured]]]:
    """Accuracy of each mixture on each set of labelled pictures: the target, and others as a test of robustness.

    A set may lack classes of the head; a label that the head does not know is BadInput.
    """
    column = {label: i for i, label in enumerate(head.labels)}
    for name, pictures in sets.items():
        if unknown := {str(pair.name) for pair in pictures.pairs} - column.keys():
            raise BadInput(f"The set {name} has the class “{min(unknown)}”, which the head does not; leave it out.")
    truth = {name: np.array([column[str(pair.name)] for pair in pictures.pairs]) for name, pictures in sets.items()}
    model, side = build(start.config).to(device).eval(), side_of(start.config)
    found: dict[float, dict[str, Measured]] = {}
    for i, alpha in enumerate(alphas):
        model.load_state_dict(mix(start.weights, tuned.weights, alpha))
        weight, bias = (part.to(device) for part in mixed_head(head, tuned, alpha))
        found[alpha] = {}
        for name, pictures in sets.items():
            answers = []
            for part in np.array_split(np.arange(len(pictures)), -(-len(pictures) // 256)):
                with torch.no_grad():
                    logits = head.scale * encode_pictures(model, pictures.at(part), side) @ weight.T + bias
                    answers.append(logits.argmax(1).cpu().numpy())
            found[alpha][name] = Measured.of(np.concatenate(answers) == truth[name])
        accuracies = {name: measured.accuracy for name, measured in found[alpha].items()}
        yield Step(i + 1, len(alphas), f"mixture {alpha:g}", accuracies)
    return found


def mixed_head(head: Classifier, tuned: Tuned, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The mixture of the two heads: weight [n labels, dim] and bias [n labels]."""
    before = torch.from_numpy(np.array(head.weight)), torch.from_numpy(np.array(head.bias))
    return torch.lerp(before[0], tuned.head, alpha), torch.lerp(before[1], tuned.bias, alpha)


def write_mixture(start: Start, head: Classifier, tuned: Tuned, alpha: float, out: str | Path) -> Classifier:
    """Write the mixture as a model like any other, `local-dir:OUT/model`, and its head as OUT/classifier.safetensors.

    Where only the head learned there is no other model: the classifier is one of the model that it began with.
    """
    from clipcore import models

    out, space = Path(out), head.space
    if tuned.kept == "tower":
        model = build(start.config)
        model.load_state_dict(mix(start.weights, tuned.weights, alpha))
        export(model, start.config, out / "model", start.tokenizer)
        space = models.load(f"local-dir:{out / 'model'}", device="cpu").space
    weight, bias = (part.numpy() for part in mixed_head(head, tuned, alpha))
    made = replace(head, weight=weight, bias=bias, space=space, kind="fine-tuned", metrics={"mixture": alpha})
    made.save(out / "classifier.safetensors")
    return made
