"""Sayso's composition root and command line. A command parses, calls and prints; the work is done elsewhere.

    python app.py                         serve the page at http://127.0.0.1:7860
    python app.py classify photos --labels "cat, dog, rabbit"
    python app.py --help

Results go to standard output (with --json as one object a line), everything else to standard error. Exit code 0, or 2 with
one sentence for bad input.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from clipcore import Classifier, PromptSet, Step
    from storage import Library

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

T = TypeVar("T")
cli = typer.Typer(
    help="Roll your own image classifier: type class names, see your photos sorted.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Home = Annotated[
    Path | None, typer.Option("--home", envvar="SAYSO_HOME", help="Where Sayso keeps its data.", show_default=False)
]
Model = Annotated[
    str, typer.Option("--model", envvar="SAYSO_MODEL", help="starter, NAME/TAG, local-dir:PATH or hf-hub:ORG/REPO.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
Labels = Annotated[str | None, typer.Option("--labels", help='Class names, such as "cat, dog = puppy | hound, rabbit".')]
Templates = Annotated[Path | None, typer.Option("--templates", help="A file of prompt templates, one a line, with {label}.")]


def command(run: Callable[..., None]) -> Callable[..., None]:
    """A command whose mistakes end as one sentence on standard error and exit code 2."""

    @wraps(run)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from clipcore import SaysoError

        try:
            run(*args, **kwargs)
        except SaysoError as error:
            say(str(error))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            say("Stopped. What was done so far is kept.")
            raise typer.Exit(130) from None
        except BrokenPipeError:  # the reader, `head` for instance, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return cli.command()(wrapped)


# the commands


@cli.callback(invoke_without_command=True)
def default(context: typer.Context) -> None:
    """Without a command: serve."""
    if context.invoked_subcommand is None:
        serve(home=_env_home(), model=os.environ.get("SAYSO_MODEL", "starter"))


@command
def serve(
    home: Home = None,
    model: Model = "starter",
    host: Annotated[str, typer.Option(help="Address; any but loopback needs SAYSO_PASSWORD.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="SAYSO_PORT", help="Port.")] = 7860,
) -> None:
    """Serve the page."""
    import clipcore
    from storage import Library
    from ui.server import serve as run_server
    from ui.studio import Studio

    with Library(_home(home)) as library:
        studio = Studio(library, lambda: clipcore.load(model), model)
        run_server(studio, host, port, os.environ.get("SAYSO_PASSWORD"))


@command
def add(folder: Path, home: Home = None, model: Model = "starter", as_json: Json = False) -> None:
    """Add a folder to the library: each picture is embedded once, ever."""
    with _library(home, model) as library:
        added = draw(library.iter_add(folder))
        for skipped in added.skipped:
            say(f"skipped {skipped.path}: {skipped.reason}")
        counts = {"new": added.new, "known": added.known, "skipped": len(added.skipped), "in the library": library.count()}
        emit(as_json, counts, ", ".join(f"{count:,} {name}" for name, count in counts.items()))


@command
def classify(
    paths: list[Path],
    labels: Labels = None,
    templates: Templates = None,
    pack: Annotated[str | None, typer.Option(help="A ready-made prompt pack; seven unless told.")] = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    save: Annotated[str | None, typer.Option(help="Keep the classifier under this name.")] = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Sort pictures, or folders of them, by class names (--labels) or with a saved classifier (--classifier)."""
    from clipcore import BadInput, zero_shot_classifier
    from clipcore.images import display_path
    from clipcore.stream import iter_embed
    from storage.export import prediction_row

    if (labels is None) == (classifier is None):
        raise BadInput('Give either --labels "cat, dog, rabbit" or --classifier NAME.')
    typed = None if labels is None else _prompts(labels, templates, pack)  # mistakes are said before a model is loaded
    files = _files(paths)
    with _library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None
        if typed is not None:
            names, prompts = typed
            head = zero_shot_classifier(encoder, names, prompts)
        else:
            head = _saved(library, str(classifier))
            encoder.space.require(head.space, f"The classifier {classifier}")
        if save:
            record = library.save(head, save)
            say(f"saved as {record.name}, version {record.version}")
        embedded = draw(iter_embed(encoder, files))
        for skipped in embedded.skipped:
            say(f"skipped {skipped}")
        if not embedded.paths:
            raise BadInput("None of the files could be read as a picture; see the reasons above.")
        width = max(len(display_path(path)) for path in embedded.paths)
        for path, prediction in zip(embedded.paths, head.predict(embedded.vectors), strict=True):
            row = prediction_row(display_path(path), prediction)
            best = "  ".join(f"{label} {share:6.1%}" for label, share in prediction.top(3))
            emit(as_json, row, f"{display_path(path):{width}}  {best}")


@command
def search(
    words: Annotated[str, typer.Argument(help='Such as "a dog on a beach", or a sum: \'2*dog + beach - "red car"\'.')] = "",
    like: Annotated[Path | None, typer.Option(help="A picture to look for, alone or together with words.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=10_000, help="How many images.")] = 20,
    name: Annotated[str, typer.Option(help="Only files with this in their name.")] = "",
    since: Annotated[str, typer.Option(help="Only files changed on this day, such as 2024-05-31, or later.")] = "",
    until: Annotated[str, typer.Option(help="Only files changed on this day or earlier.")] = "",
    sort: Annotated[str, typer.Option(help="relevance, newest or oldest.")] = "relevance",
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Find the library's images that fit the words best; each says whether it matches (see storage/relevance.py)."""
    from clipcore import BadInput
    from clipcore.images import display_path
    from storage import ORDERS, Filters, parse_day

    if sort not in ORDERS:
        raise BadInput(f"There is no order {sort!r}; choose one of {', '.join(ORDERS)}.")
    filters = Filters(name=name, since=parse_day(since), until=parse_day(until))
    with _library(home, model) as library:
        assert library.encoder is not None
        picture = library.encoder.embed_images([like])[0] if like else None
        order: Any = sort
        found = library.find(words, picture=picture, filters=filters, order=order, limit=k, everything=True)
        if not found.hits:
            say("no image passes the filters" if library.count() else "the library has no images yet; add a folder first")
        elif found.clear is False:
            say(f"Nothing here clearly matches “{words}”; these are the closest. Here are: {', '.join(found.suggestions)}.")
        for hit in found.hits:
            row = {
                "path": display_path(hit.path),
                "cosine": round(hit.score, 5),
                "rank": None if hit.rank is None else round(hit.rank, 3),
                "margin": None if hit.margin is None else round(hit.margin, 5),
                "matches": hit.matches,
            }
            mark = "   " if hit.matches is None else "yes" if hit.matches else "no "
            emit(as_json, row, f"{hit.score:.3f}  {mark}  {row['path']}")


@command
def duplicates(
    similar: Annotated[bool, typer.Option("--similar", help="Similar pictures instead of the same picture.")] = False,
    above: Annotated[float, typer.Option(help="Cosine from which on pictures are similar; models differ.")] = 0.92,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """List pictures that are there more than once, a group at a time. Nothing is deleted."""
    with _library(home, model) as library:
        found = draw(library.iter_duplicates(above))
        groups = found.similar if similar else found.same
        for group in groups:
            paths = [image.shown_path for image in group]
            emit(as_json, {"kind": "similar" if similar else "same", "paths": paths}, "\n".join([*paths, ""]))
        counts = f"{len(found.same):,} groups of the same picture, {len(found.similar):,} of similar ones"
        say(f"{counts}; nothing was deleted")


@command
def evaluate(
    sets: Annotated[list[Path], typer.Argument(help="Folders of class folders, .tar shards (or folders of them), tables.")],
    pack: Annotated[list[str] | None, typer.Option(help="Prompt pack; may be given several times.")] = None,
    templates: Templates = None,
    classifier: Annotated[str | None, typer.Option(help="A saved classifier's name, or its file.")] = None,
    home: Home = None,
    model: Model = "starter",
    as_json: Json = False,
) -> None:
    """Measure on labelled sets (accuracy) and captioned ones (retrieval): one row for each set and prompt pack."""
    from collections import Counter

    from clipcore import BadInput, zero_shot_classifier
    from clipcore.measure import iter_embed_set, measure_set
    from training.pairs import read_pairs

    if classifier and (pack or templates):
        raise BadInput("Give either --classifier or prompts, not both: a saved classifier has its own.")
    with _library(home, model) as library:
        encoder = library.encoder
        assert encoder is not None

        def heads_for(names: list[str]) -> "dict[str, Classifier]":
            if classifier:
                head = _saved(library, classifier)
                encoder.space.require(head.space, f"The classifier {classifier}")
                return {classifier: head}
            if templates:
                return {templates.name: zero_shot_classifier(encoder, names, _read_templates(templates))}
            return {name: zero_shot_classifier(encoder, names, name) for name in pack or ["seven"]}

        width = max(len(path.name) for path in sets)
        for path in sets:
            unread: Counter[str] = Counter()
            pictures = draw(iter_embed_set(encoder, read_pairs(path, unread)))
            for reason in [*pictures.skipped, *(f"{count} x {reason}" for reason, count in unread.items())]:
                say(f"skipped {reason}")
            skipped = len(pictures.skipped) + unread.total()
            heads = heads_for(pictures.classes) if pictures.classes else {}
            for name, report in measure_set(encoder, pictures, heads).items():
                row: dict[str, Any] = {"set": path.name, "prompts": name}
                if name in heads:
                    row["classes"] = len(heads[name].labels)
                row |= {**report.to_json(), "skipped": skipped}
                emit(as_json, row, f"{path.name:{width}}  {name:10}  {report}")


@command
def pretrain(
    out: Annotated[Path, typer.Option(help="Folder for checkpoint, log and model.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Class folders, a .csv, .tsv or .jsonl table, .tar shards; may be given several times."),
    ] = None,
    recipe: Annotated[str, typer.Option(help="A recipe's name or folder; finetune with --model, else small.")] = "",
    model: Annotated[str, typer.Option(help="Train this model further: NAME/TAG, local-dir:PATH or hf-hub:ORG/REPO.")] = "",
    minutes: Annotated[float | None, typer.Option(min=0.01, help="How long to train, not what the recipe says.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Read pictures while learning: no cache on the disk.")] = False,
    wordnet: Annotated[str, typer.Option(help="WordNet's folder, for a recipe with a dictionary.")] = "/usr/share/wordnet",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    threads: Annotated[int, typer.Option(min=0, help="Processor cores to use; all unless told.")] = 0,
    as_json: Json = False,
) -> None:
    """Train a CLIP model on your own pictures and captions, or train one further. Several GPUs: torchrun app.py pretrain."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    from training.distributed import World
    from training.plan import Plan

    if threads:
        torch.set_num_threads(threads)
    plan = Plan.of(data or (), recipe, model, minutes, stream)
    speaks, said = World.join().is_first, [""]
    with stop_between_steps() as check:

        def watch(step: "Step") -> None:
            if speaks and step.done and step.metrics:
                told = f"step {step.done}  " + "  ".join(f"{name} {value:.4g}" for name, value in step.metrics.items())
                if as_json:
                    emit(True, {"step": step.done, **step.metrics}, "")
                elif not sys.stderr.isatty():
                    say(told)
            if speaks and step.message not in ("", said[-1]):
                said.append(step.message)
                say(step.message)
            check()

        try:
            folder = draw(plan.iter_run(out, resume, wordnet), "step", watch, shown=speaks)
        except KeyboardInterrupt:
            say(f"Stopped; what was learned is kept. To go on: python app.py pretrain --resume --out {out}")
            raise typer.Exit(130) from None
    if speaks:
        emit(as_json, {"model": f"local-dir:{folder}"}, f"local-dir:{folder}")


@command
def models(
    everything: Annotated[bool, typer.Option("--all", help="Every architecture and tag that open_clip knows.")] = False,
    get: Annotated[str | None, typer.Option(help="Download this model, then stop.")] = None,
    as_json: Json = False,
) -> None:
    """List the models: which are here, how large and how good they are."""
    from dataclasses import asdict

    from clipcore.models import catalogue, iter_fetch

    if get:
        draw(iter_fetch(get))
        emit(as_json, {"name": get, "here": True}, f"{get} is here")
        return
    for info in catalogue(everything):
        size = f"{info.megabytes:,} MB" if info.megabytes else "?"
        accuracy = f"{info.imagenet:.1f} % ImageNet" if info.imagenet else ""
        here = "here" if info.here else "-"
        emit(as_json, asdict(info), f"{info.name:<48} {here:<5} {size:>9}  {accuracy:<16} {info.about}".rstrip())


# what the commands share


def say(sentence: str) -> None:
    """A message for the person, on standard error."""
    print(sentence, file=sys.stderr)


def emit(as_json: bool, row: dict[str, Any], text: str) -> None:
    """One result on standard output: the row as JSON, or the text."""
    print(json.dumps(row, ensure_ascii=False) if as_json else text, flush=True)


def draw(
    steps: "Generator[Step, None, T]",
    unit: str = "img",
    watch: "Callable[[Step], None]" = lambda step: None,
    shown: bool = True,
) -> T:
    """Run long work to its end with a progress bar on standard error (of a terminal, if `shown`), and return its result.

    `watch` sees each step.
    """
    from tqdm import tqdm

    from clipcore import drain

    with tqdm(file=sys.stderr, unit=unit, disable=None if shown else True, leave=False) as bar:

        def show(step: "Step") -> None:
            bar.total = step.total or None
            bar.set_description("" if "loss" in step.metrics else step.message, refresh=False)
            bar.update(step.done - bar.n)
            if "loss" in step.metrics:
                bar.set_postfix_str("  ".join(f"{name} {value:.3g}" for name, value in step.metrics.items()))
            watch(step)

        return drain(steps, show)


@contextmanager
def stop_between_steps() -> Iterator[Callable[[], None]]:
    """Ctrl+C waits for the next call of what this gives, which then raises KeyboardInterrupt; a second one does not wait."""
    pressed = False

    def press(*_: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def _home(home: Path | None) -> Path:
    from platformdirs import user_data_path

    return (home or _env_home() or user_data_path("sayso", appauthor=False)).expanduser()


def _env_home() -> Path | None:
    return Path(os.environ["SAYSO_HOME"]) if os.environ.get("SAYSO_HOME") else None


def _library(home: Path | None, model: str) -> "Library":
    """The library with its model loaded. Commands never download: that is what `models --get` is for."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import clipcore
    from storage import Library

    return Library(_home(home), clipcore.load(model))


def _prompts(labels: str, templates: Path | None, pack: str | None) -> "tuple[list[str], PromptSet]":
    from clipcore import BadInput, parse_labels
    from clipcore import pack as ready_made
    from clipcore.prompts import DEFAULT_PACK

    if templates and pack:
        raise BadInput("Give either --templates or --pack, not both.")
    names, synonyms = parse_labels(labels)
    prompts = _read_templates(templates) if templates else ready_made(pack or DEFAULT_PACK)
    return names, prompts.with_synonyms(synonyms)


def _read_templates(path: Path) -> "PromptSet":
    from clipcore import BadInput, parse_templates

    try:
        return parse_templates(path.read_text(encoding="utf-8"), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"The templates file {path} cannot be read ({error}); it should be text, one template a line."
        ) from None


def _saved(library: "Library", name: str) -> "Classifier":
    """A classifier by its name in the library, or by the path of its file."""
    from clipcore import Classifier

    return Classifier.load(name) if name.endswith(".safetensors") else library.classifier(name)


def _files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and the pictures of the folders named."""
    from clipcore import BadInput
    from clipcore.images import display_path, find_images

    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += find_images(path)
        elif path.exists():
            files.append(path)
        else:
            raise BadInput(f"There is no file or folder {display_path(path)}; check the path.")
    if not files:
        raise BadInput("There are no pictures in what you named; name files, or a folder that holds some.")
    return files


if __name__ == "__main__":
    cli()
