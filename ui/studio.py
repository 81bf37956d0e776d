"""What the page works with: the library, the jobs and the model, which loads while the page is already up. No Gradio."""

import json
import logging
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import clipcore
from clipcore import BadInput, NotFound, PromptSet, SaysoError, Step, generic_bank, iter_zero_shot_classifier
from clipcore.classify.answers import grounded
from clipcore.pictures.finding import display_path
from clipcore.pictures.reading import MAX_BYTES
from clipcore.plain import read_json, read_plain
from storage import Added, Jobs, Keeper, Library, Pieces, SkippedRecord, Teller

from .lessons import carried_on
from .samples import sample_folder
from .videos import iter_frames_of
from .watching import Watcher, iter_watch

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

Work = Generator[Step, None, dict[str, Any]]
MOST_GROUPS = 500  # of duplicates that are shown; more make no one look
CHOICE = "model.json"  # in the home folder: the model chosen on the page


def remembered_model(home: Path) -> str | None:
    """The model that was chosen on the page the last time, if any."""
    try:
        return str(read_json(home / CHOICE)["model"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Studio:
    """The page's one collaborator. `load` makes the encoder; it is called once, in a thread of its own.

    `load_other` makes the encoder of a model by its name, when another one is chosen on the page.
    """

    def __init__(
        self,
        library: Library,
        load: "Callable[[], Encoder]",
        model: str,
        load_other: "Callable[[str], Encoder]" = clipcore.load,
    ) -> None:
        self.library = library
        self.model = model
        self.jobs = Jobs(library)
        self.pieces = Pieces(library, self.jobs)
        self.keeper = Keeper(library)
        self.watcher = Watcher(library, self.jobs)
        self.teller = Teller(library, self.jobs)
        self._load = load
        self.load_other = load_other
        self._ready = threading.Event()
        self._problem: str | None = None
        self._banks: dict[str, np.ndarray] = {}
        self._complete: tuple[str, int] | None = None  # the space and number of pictures that all had vectors
        self.jobs.register("add", self._add, lane="long")
        self.jobs.register("embed", self._embed, lane="long")
        self.jobs.register("map", self._map, lane="long")
        self.jobs.register("watch", self._watch, lane="long")
        self.jobs.register("switch", self._switch, lane="short")
        for kind, work in (("drop", self._drop), ("classify", self._classify), ("duplicates", self._duplicates)):
            self.jobs.register(kind, work, lane="short")

    def start(self) -> None:
        """Begin to load the model, to work off the jobs, to keep a backup of each day, to look at watched folders, and to
        tell webhooks."""
        threading.Thread(target=self.load_model, name="load-model", daemon=True).start()
        self.jobs.start()
        self.keeper.start()
        self.watcher.start()
        self.teller.start()

    def stop(self) -> None:
        """Let the running job finish its step and be taken up again next time."""
        self.jobs.stop()
        self.watcher.stop()
        self.keeper.stop()
        self.teller.stop()

    def load_model(self) -> None:
        """Load the model; that it cannot be is said by whoever asks for it."""
        try:
            self.library.encoder = self._load()
            self.pieces.register()
        except SaysoError as error:
            self._problem = error.page
        except Exception:
            logging.exception("loading the model failed")
            self._problem = f"The model {self.shown(self.model)} could not be loaded; the log says why. Choose another one."
        self._ready.set()

    def encoder(self) -> "Encoder":
        """The model, waiting for it if it is still loading. Raises SaysoError if it could not be loaded."""
        self._ready.wait()
        if self._problem:
            raise SaysoError(self._problem)
        assert self.library.encoder is not None
        return self.library.encoder

    def bank(self) -> np.ndarray:
        """The generic captions of the model in use [n, dim], for `clipcore.decide`: asked of the text cache once."""
        encoder = self.encoder()
        if encoder.space.key not in self._banks:
            self._banks = {encoder.space.key: generic_bank(encoder)}
        return self._banks[encoder.space.key]

    @property
    def loading(self) -> bool:
        """Whether the model is not there yet."""
        return not self._ready.is_set()

    def encoder_if_ready(self) -> "Encoder | None":
        """The model, or None while it is still loading or if it could not be loaded."""
        return self.library.encoder if self._ready.is_set() and not self._problem else None

    def switch(self, model: str) -> int:
        """Use another model from now on, and at the next start; returns the job that loads it.

        The one before stays in use until the new one is ready. Its vectors stay; the new one's are made by a job `embed`.
        """
        return self.jobs.submit("switch", {"model": model})

    def shown(self, model: str) -> str:
        """What a model is called on the page, everywhere: one made here by its training, any other without its folders."""
        if not model.startswith("local-dir:"):
            return model
        folder = Path(model.removeprefix("local-dir:"))
        if folder.name == "model" and folder.parent.parent == self.library.home / "models":
            return f"{folder.parent.name} (made here)"
        return f"local-dir:{folder.name}"

    def keep(self, files: list[str]) -> list[str]:
        """Copy files that the browser sent below the home folder, where they stay; gives their new paths."""
        if not files:
            raise BadInput("Nothing arrived; choose files and send them once more.")
        kept = []
        for file in map(Path, files):
            try:
                kept.append(str(self.library.keep_upload(read_plain(file, MAX_BYTES), file.name)))
            except OSError as error:
                raise BadInput(f"{display_path(file.name)} did not arrive ({error.strerror}); send it once more.") from None
        return kept

    def status(self) -> str:
        """One line about the model and the library, and about its backup where that is not as it should be."""
        warning = self.keeper.warning
        return f"{self._status()} · {warning}" if warning else self._status()

    def _status(self) -> str:
        count = self.library.count()
        images = f"{count:,} image{'' if count == 1 else 's'}"
        if self._problem:
            return self._problem
        if not self._ready.is_set():
            return f"loading {self.shown(self.model)} … · {images}"
        encoder = self.encoder()
        device, missing = encoder.device.type.upper(), self._missing(encoder.space.key, count)
        name = self.shown(self.model) if self.model.startswith("local-dir:") else encoder.name
        return f"{name} · {device} · {images}{missing}"

    def _missing(self, space: str, count: int) -> str:
        """How many pictures have vectors of the model in use, while some have none."""
        if not count or self._complete == (space, count):  # counting a million vectors every two seconds would be felt
            return ""
        embedded = self.library.count(embedded=True)
        if embedded < count:
            return f" · this model has read {embedded:,}"
        self._complete = (space, count)
        return ""

    # the work of each kind of job: payload in, Steps out, a small result that the page shows

    def wait_for_model(self) -> Generator[Step, None, None]:
        """Steps until the model is there. Raises SaysoError if it could not be loaded."""
        while not self._ready.wait(0.3):
            yield Step(0, 0, f"Loading the model {self.shown(self.model)}")
        self.encoder()

    def _switch(self, payload: dict[str, Any]) -> Work:
        name = payload["model"]
        while not self._ready.wait(0.3):  # two models that load at once may want more memory than there is
            yield Step(0, 0, f"loading {self.shown(self.model)} first")
        yield Step(0, 0, f"loading {self.shown(name)}")
        encoder = self.load_other(name)
        yield Step(0, 0, f"taking {self.shown(name)} into use")  # the last moment to stop
        self.library.encoder = encoder
        self.pieces.register()
        self.model, self._problem = name, None
        (self.library.home / CHOICE).write_text(json.dumps({"model": name}), encoding="utf-8")
        missing = self.library.count() - self.library.count(embedded=True)
        return {"model": name, "missing": missing, "embed": self.jobs.submit("embed", {}) if missing else 0}

    def _embed(self, payload: dict[str, Any]) -> Work:
        """Vectors of the model in use for all pictures that have none yet."""
        yield from self.wait_for_model()
        problems = []
        for folder in self.library.folders():
            try:
                yield from self._embed_missing(folder.id)
            except SaysoError as error:  # a disk that is not there now must not keep the other folders waiting
                problems.append(error.page)
        return {"missing": self.library.count() - self.library.count(embedded=True), "problems": problems}

    def _add(self, payload: dict[str, Any]) -> Work:
        yield from self.wait_for_model()
        folder = sample_folder(self.library.home) if payload.get("samples") else payload["folder"]
        added = yield from self.pieces.iter_add(folder, payload.get("name"))
        return {**_counts(added), "labels": payload.get("labels")}

    def _drop(self, payload: dict[str, Any]) -> Work:
        yield from self.wait_for_model()
        files, unread = yield from iter_frames_of(self.library, payload["files"])
        if not files:
            return {"folder_id": None, "new": 0, "known": 0, "skipped": unread, "replaced": 0, "note": "", "image_ids": []}
        added = yield from self.library.iter_add_files(files, payload.get("name", "Dropped images"))
        counts = _counts(added)
        counts["skipped"] += [*payload.get("passed_over", []), *map(list, unread)]
        return {**counts, "image_ids": list(added.image_ids)}

    def _classify(self, payload: dict[str, Any]) -> Work:
        """Build the zero-shot head or take a saved one, see that every image has its vector, and keep the run."""
        yield from self.wait_for_model()
        if "classifier" in payload:
            classifier = self.library.classifiers.get(payload["classifier"])
        else:
            prompts = PromptSet.from_json(payload["prompts"])
            classifier = yield from iter_zero_shot_classifier(self.encoder(), payload["labels"], prompts)
            classifier = classifier.with_decision(replace(classifier.decision, many=payload.get("many", False)))
        selection = {key: payload[key] for key in ("folder_id", "image_ids") if payload.get(key) is not None}
        skipped = [SkippedRecord(path, reason) for path, reason in payload.get("skipped", ())]
        if "image_ids" not in selection:
            yield from self._embed_missing(selection.get("folder_id"))
        if classifier.decision.level is None:  # how well captions fit these pictures: from now on part of the classifier
            _, X = self.library.embeddings(selection.get("image_ids"), selection.get("folder_id"))
            classifier = grounded(classifier, X, self.bank())
            if payload.get("after"):  # the board that these names were typed beside: what labels taught it stays
                before = self.library.runs.get(payload["after"]).classifier
                classifier = carried_on(classifier, before, self.library.labels.examples(classifier.labels))
        run = self.library.runs.start(classifier, skipped=skipped, **selection)
        if session := payload.get("session"):
            with suppress(NotFound):  # deleted meanwhile
                self.library.sessions.show(session, run.id)  # here and not by the page, which may be closed by now
        return {"run": run.id}

    def _duplicates(self, payload: dict[str, Any]) -> Work:
        """Ids of the groups, at most `MOST_GROUPS` of each kind, and how many there are."""
        yield from self.wait_for_model()
        found = yield from self.library.iter_duplicates()
        kinds = {"same": found.same, "similar": found.similar}
        return {
            kind: {"total": len(groups), "groups": [[image.id for image in group] for group in groups[:MOST_GROUPS]]}
            for kind, groups in kinds.items()
        }

    def _map(self, payload: dict[str, Any]) -> Work:
        """Lay the map out, or place what is new on it."""
        yield from self.wait_for_model()
        return {"placed": (yield from self.library.map.iter_make(bool(payload.get("anew"))))}

    def _watch(self, payload: dict[str, Any]) -> Work:
        """Bring in what is new in a watched folder, and sort it where somebody asked for that."""
        yield from self.wait_for_model()
        return (yield from iter_watch(self.library, payload["folder"]))

    def _embed_missing(self, folder_id: int | None) -> Generator[Step, None, None]:
        """Embed what another model had embedded before; nothing to do, and nothing read, in the usual case."""
        for folder in self.library.folders():
            if folder_id not in (None, folder.id) or self.library.count(folder.id, embedded=True) >= folder.images:
                continue
            if folder.path:
                yield from self.pieces.iter_add(folder.path)
            else:
                kept = self.library.images(folder.id, limit=folder.images)
                yield from self.library.iter_add_files([Path(image.path) for image in kept], folder.name)


def _counts(added: Added) -> dict[str, Any]:
    skipped = [[record.path, record.reason] for record in added.skipped]
    counts = {"new": added.new, "known": added.known, "replaced": len(added.replaced)}
    return {
        "folder_id": added.folder_id,
        **counts,
        "skipped": skipped,
        "note": " ".join(filter(None, [added.note, _noted(added)])),
    }


def _noted(added: Added) -> str:
    """What is wrong with images that are used all the same, of the first few by name."""
    told = [f"{Path(one.path).name}: {one.reason}" for one in added.noted[:3]]
    more = f" {len(added.noted) - 3:,} more have such notes." if len(added.noted) > 3 else ""
    return " ".join(told) + more
