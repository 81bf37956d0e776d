"""Whether what stands in the fields is what the board shows. Old names must not be saved or exported under new ones."""

from clipcore import BadInput, Classifier, SaysoError, parse_labels, parse_templates
from storage import Run

from ..form_values import selection
from ..progress import said
from ..studio import Studio

NAMES = "The board still shows the old names."
PROMPTS = "The board still shows the answers to the old prompts."
MANY = "The board does not know yet how many classes an image can have."
IMAGES = "The board still shows the images from before."
REMEDY = "Choose Classify to sort again."


def staleness(studio: Studio, run_id: str, typed: str, templates: str, many: bool, source: str) -> str:
    """What the fields say that the board does not show yet, as one sentence; "" if it shows all of it, or there is none."""
    if not run_id or not (typed or "").strip():
        return ""
    try:
        run = studio.library.runs.get(run_id)
    except SaysoError:  # the board says so itself
        return ""
    return _about_words(run.classifier, typed, templates, many) or _about_images(studio, run, source)


def describe(studio: Studio, run_id: str, *fields: object) -> str:
    """`staleness` for the page, with what to do."""
    sentence = staleness(studio, run_id, *fields)  # type: ignore[arg-type]
    return said(f"{sentence} {REMEDY}") if sentence else ""


def require_shown(studio: Studio, run_id: str, typed: str, templates: str, many: bool) -> None:
    """Raise BadInput where the board's classifier is not the one whose names stand in the field."""
    if not run_id or not (typed or "").strip():
        return
    if sentence := _about_words(studio.library.runs.get(run_id).classifier, typed, templates, many):
        raise BadInput(f"{sentence} {REMEDY}")


def _about_words(classifier: Classifier, typed: str, templates: str, many: bool) -> str:
    prompts = classifier.prompts
    try:
        labels, synonyms = parse_labels(typed)
    except SaysoError:  # being typed, so not what was sorted
        return NAMES
    if tuple(labels) != classifier.labels or _plain(synonyms) != _plain(prompts.synonyms):
        return NAMES
    try:
        if parse_templates(templates).templates != prompts.templates:
            return PROMPTS
    except SaysoError:
        return PROMPTS
    return MANY if bool(many) != classifier.decision.many else ""


def _plain(synonyms: object) -> dict[str, tuple[str, ...]]:
    return {label: tuple(others) for label, others in dict(synonyms).items() if others}  # type: ignore[call-overload]


def _about_images(studio: Studio, run: Run, source: str) -> str:
    try:
        chosen = selection(studio, source)
    except SaysoError:  # nothing there to sort: no remedy to name
        return ""
    shown = {"folder_id": run.folder_id} if run.image_ids is None else {"image_ids": list(run.image_ids)}
    return "" if chosen == shown else IMAGES
