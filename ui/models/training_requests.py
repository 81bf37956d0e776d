"""What is asked for in the Models tab to make a model, checked, as the payloads of jobs."""

from pathlib import Path
from typing import Any

from clipcore import BadInput

from ..measure.sets import checked_path
from ..studio import Studio
from .jobs import HELD_OUT, LABELS, tune_plan
from .training_folders import new_training

FROM_LABELS, FROM_PATH = "My labels in the library", "Labelled images on this computer"


def finetune_asked(
    studio: Studio,
    source: str,
    path: str,
    model: str,
    layers: str,
    epochs: float,
    prompts: str,
    shifts: str,
    rate: str = "",
    held_out: float = HELD_OUT,
) -> dict[str, Any]:
    """A fine-tuning, all but its name. Raises BadInput where something is missing or cannot be used."""
    from clipcore.models import is_here

    if source == FROM_LABELS:
        data = LABELS
        if len(set(studio.library.examples().labels)) < 2:
            raise BadInput("Fine-tuning needs labelled images of two classes. Label some on the board first.")
    else:
        data = str(Path(checked_path(path)).expanduser().absolute())
    if not is_here(model.strip()):
        raise BadInput(f"The model {model.strip() or 'to begin with'} is not on this computer; get it first, above.")
    others = [str(Path(checked_path(line)).expanduser().absolute()) for line in (shifts or "").splitlines() if line.strip()]
    asked = {
        "model": model.strip(),
        "data": data,
        "shifts": others,
        "layers": layers,
        "epochs": int(epochs),
        "pack": prompts,
        "rate": _rate(rate),
        "held_out": held_out,
    }
    tune_plan(asked, data)  # so that a mistake is said before anything waits for its turn
    return asked


def _rate(typed: str | None) -> float | None:
    if not (typed or "").strip():
        return None
    try:
        return float(str(typed).strip().replace(",", "."))
    except ValueError:
        raise BadInput("The learning rate must be a number such as 0.00003. Empty, one is chosen.") from None


def finetune_payload(studio: Studio, name: str, *asked: Any) -> dict[str, Any]:
    """A fine-tuning as a job; `asked` as for `finetune_asked`. Raises BadInput."""
    found = finetune_asked(studio, *asked)
    return {"name": new_training(studio, name or "").name, **found}


def pretrain_asked(studio: Studio, data: str, recipe: str, minutes: float | None, model: str = "") -> dict[str, Any]:
    """A training on captions, all but its name, of a model from nothing unless one is named. Raises BadInput where
    something is missing."""
    from clipcore.models import is_here
    from training.data.pairs import find_sources

    if not (data or "").strip():
        raise BadInput("Type where the images are: a folder, a table with captions, or .tar files.")
    path = Path(data.strip()).expanduser().absolute()
    find_sources(path)
    if not minutes or minutes <= 0:
        raise BadInput("Say for how many minutes to train; 30 is a beginning.")
    if (model := (model or "").strip()) and not is_here(model):
        raise BadInput(f"The model {model} is not on this computer; get it first, above.")
    return {"data": str(path), "minutes": float(minutes), **({"model": model} if model else {"recipe": recipe})}


def pretrain_payload(studio: Studio, name: str, *asked: Any) -> dict[str, Any]:
    """A training on captions as a job; `asked` as for `pretrain_asked`. Raises BadInput."""
    found = pretrain_asked(studio, *asked)
    return {"name": new_training(studio, name or "").name, **found}
