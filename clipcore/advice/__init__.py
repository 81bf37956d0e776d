"""Advice on class names before anything is classified: what a CLIP model is known to get wrong, and what to write instead.

Models of this kind match whole sentences loosely: they miss negation, counting and who stands where (Radford et al., 2021,
section 6; Thrush et al., 2022; Hsieh et al., 2023), read a name without knowing which sense is meant (section 3.1.4), are
poor at whole tasks (section 3.1.5), and read only so many tokens. The advice comes from rules and WordNet, so it is quick
enough to run while someone types, and it can be wrong: it is never more than advice. With an encoder it is also seen which
classes nearly coincide for this model.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..classify.prompts import DEFAULT_PACK, MAX_LABEL_LENGTH, PromptSet, pack
from .care import about_people, unless_of_people
from .limits import known_limits
from .looks import nearest_per_class, similar
from .meanings import same_or_broader, several_senses
from .said import Advice
from .spelling import misspelt
from .wording import counting, language, leftover, negation, order, position, question, too_long

if TYPE_CHECKING:
    from ..encoding.encoder import Encoder

__all__ = ["Advice", "advise", "nearest_per_class", "reads_english_alone"]

MULTILINGUAL = ("xlm", "nllb", "multilingual", "mt5", "siglip2", "i18n")  # in the names of models that read many languages


def reads_english_alone(model: str) -> bool:
    """Whether a model of this name learned from English captions only, as most did."""
    return not any(part in model.lower() for part in MULTILINGUAL)


def advise(labels: Sequence[str], prompts: PromptSet | str = DEFAULT_PACK, encoder: "Encoder | None" = None) -> list[Advice]:
    """What to know about these class names before they are used; nothing for most lists.

    Without an encoder it takes milliseconds and embeds nothing; with one the token limit is exact, and classes that nearly
    coincide in its text space are found. Raises BadInput for an unknown pack.
    """
    labels = list(dict.fromkeys(name for label in labels if (name := " ".join(label.split()))))
    prompts = pack(prompts) if isinstance(prompts, str) else prompts
    too_much = list(too_long(labels, prompts, encoder))
    found = [
        *too_much,
        *leftover(labels),
        *question(labels),
        *negation(labels),
        *counting(labels),
        *position(labels),
        *order(labels),
        *known_limits(labels),
    ]
    if encoder is None or reads_english_alone(encoder.space.name):
        mistyped = {advice.labels[0]: advice for advice in misspelt(labels)}
        foreign = [advice for advice in language(labels) if not mistyped.keys() >= set(advice.labels)]
        among = {name for advice in foreign for name in advice.labels}
        found += [*foreign, *(advice for name, advice in mistyped.items() if name not in among)]
    named = [label for label in labels if label not in {name for advice in found for name in advice.labels}]
    found += [*several_senses(named, labels), *same_or_broader(named)]
    if encoder is not None:
        cut = {name for advice in too_much for name in advice.labels}
        known = {pair for advice in found if advice.kind in ("synonym", "order") for pair in [frozenset(advice.labels)]}
        fitting = [label for label in labels if label not in cut and len(label) <= MAX_LABEL_LENGTH]
        found += [advice for advice in similar(fitting, prompts, encoder) if frozenset(advice.labels) not in known]
    return [*about_people(labels), *unless_of_people(found, labels)]
