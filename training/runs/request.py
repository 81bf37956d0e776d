"""What someone asked to be trained, kept in the folder of the run, so that it can go on without being asked again."""

import hashlib
import json
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from clipcore.errors import BadInput
from clipcore.models.locate import CONFIG_FILE
from clipcore.plain import read_json
from clipcore.progress import Step

from ..distributed import World
from ..towers.checkpoint import CHECKPOINT, load_checkpoint
from ..towers.initial_weights import Start
from .recipe import WORDNET, Recipe, iter_run

PLAN = "run.json"
SCHEDULE = ("steps", "minutes", "log_every", "patience", "save_minutes", "evaluate_minutes")  # may change on the way


@dataclass(frozen=True)
class Plan:
    """A recipe (name or folder), the data, and a model to start from; `minutes` replaces the length of the schedule.

    model: as in `clipcore.models`, or "" to begin from nothing; stream: read pictures while learning, without a cache;
    image_tower (NAME:FILE), text_tower (a folder) and lock: two pretrained towers to be joined, and which stays as it is.
    """

    data: tuple[str, ...]
    recipe: str
    model: str = ""
    minutes: float | None = None
    stream: bool = False
    image_tower: str = ""
    text_tower: str = ""
    lock: str = ""

    @classmethod
    def of(
        cls,
        data: Sequence[str | Path] = (),
        recipe: str = "",
        model: str = "",
        minutes: float | None = None,
        stream: bool = False,
        image_tower: str = "",
        text_tower: str = "",
        lock: str = "",
    ) -> "Plan":
        """A plan with paths that hold from everywhere; what is not said stays open until `iter_run`."""
        if ":" in image_tower:
            name, _, file = image_tower.partition(":")
            image_tower = f"{name}:{Path(file).expanduser().absolute()}"
        if text_tower:
            text_tower = str(Path(text_tower).expanduser().absolute())
        if recipe and Path(recipe).expanduser().is_dir():
            recipe = str(Path(recipe).expanduser().absolute())
        paths = tuple(str(Path(path).expanduser().absolute()) for path in data)
        return cls(paths, recipe, model, minutes, stream, image_tower, text_tower, lock)

    @classmethod
    def read(cls, out: Path) -> "Plan | None":
        """The plan of the run in `out`, or None. Raises BadInput if it cannot be read."""
        try:
            said = read_json(out / PLAN)["plan"]
            return cls(**{**said, "data": tuple(said["data"])})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(
                f"The file {out / PLAN} is damaged; name another folder with --out.",
                page="What was kept of this training is damaged. Choose another name.",
            ) from error

    def iter_run(self, out: str | Path, resume: bool = False, wordnet: str | Path = WORDNET) -> Generator[Step, None, Path]:
        """Carry the plan out in the folder `out`; returns the folder of the model.

        Raises BadInput if `out` holds another run, other files or, without `resume`, this run; if there is no data; or if
        the recipe or the data cannot be used.
        """
        out = Path(out).expanduser()
        plan = self.completed(out, resume)
        recipe = plan.load_recipe()
        world = World.join()
        if world.is_first:
            plan._claim(out, recipe, resume)
        world.wait()
        return (yield from iter_run(recipe, plan.data, out, wordnet, plan.stream))

    def completed(self, out: Path, resume: bool = False) -> "Plan":
        """This plan with what was not said: as in the run in `out` that goes on, else the usual. Raises BadInput without
        data."""
        before = (self.read(out) if resume else None) or Plan((), "")
        model, image_tower = self.model or before.model, self.image_tower or before.image_tower
        plan = Plan(
            data=self.data or before.data,
            recipe=self.recipe or before.recipe or ("finetune" if model else "lit" if image_tower else "small"),
            model=model,
            minutes=self.minutes or before.minutes,
            stream=self.stream or before.stream,
            image_tower=image_tower,
            text_tower=self.text_tower or before.text_tower,
            lock=self.lock or before.lock,
        )
        if not plan.data:
            raise BadInput(
                "Say with --data which pictures to learn from: a folder, a table or shards.",
                page="Say which pictures to learn from: a folder, a table or shards.",
            )
        return plan

    def load_recipe(self) -> Recipe:
        """Its recipe, with the model to start from and its length. Raises BadInput and what loading the model raises."""
        start = Start.load(self.model) if self.model else None
        return Recipe.load(self.recipe, start, image=self.image_tower, text=self.text_tower, lock=self.lock).lasting(
            self.minutes
        )

    def _claim(self, out: Path, recipe: Recipe, resume: bool) -> None:
        """Make `out` the folder of this run, or refuse."""
        digest = self._digest(recipe)
        if out.exists() and not out.is_dir():
            raise BadInput(f"{out} is a file; name a folder with --out.", page=f"{out.name} is a file. Choose another name.")
        if out.exists() and any(out.iterdir()):
            if not (out / PLAN).exists() and not (out / CHECKPOINT).exists():
                raise BadInput(
                    f"{out} holds other files; name a new or empty folder with --out.",
                    page=f"The folder {out.name} holds other files. Choose another name.",
                )
            if not resume:
                state = "a finished run" if _finished(out, recipe) else "a run that is not finished"
                raise BadInput(
                    f"{out} holds {state}; go on with it by --resume, or name another folder with --out.",
                    page=f"{out.name} is {state} already. Choose another name.",
                )
            if (out / PLAN).exists() and read_json(out / PLAN)["digest"] != digest:
                raise BadInput(
                    f"{out} holds a run of another recipe, model or data; name another folder with --out.",
                    page=f"{out.name} was made by another recipe, model or data. Choose another name.",
                )
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{PLAN}.part").write_text(json.dumps({"plan": asdict(self), "digest": digest}, indent=2), encoding="utf-8")
        (out / f"{PLAN}.part").replace(out / PLAN)

    def _digest(self, recipe: Recipe) -> str:
        """What makes two runs the same, but for how long they last and how often they report."""
        settings = {name: value for name, value in asdict(recipe.settings).items() if name not in SCHEDULE}
        parts = [recipe.config, settings, recipe.names, recipe.sources, recipe.held_out, recipe.pixels, recipe.dictionary]
        if recipe.towers:
            towers = asdict(recipe.towers)
            towers["distillation"] = {k: v for k, v in towers["distillation"].items() if k not in SCHEDULE}
            parts.append(towers)
        said = json.dumps([*parts, self.model, self.data, self.stream], sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()


def _finished(out: Path, recipe: Recipe) -> bool:
    if recipe.towers:
        return (out / "model" / CONFIG_FILE).exists()
    state = load_checkpoint(out)
    if state is None:
        return False
    settings = recipe.settings
    return state["seconds"] >= 60 * settings.minutes if settings.minutes else state["step"] >= settings.steps
