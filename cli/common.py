"""What the commands share: the command line itself, its usual options, and how results, messages and progress are shown.

Results go to standard output (with --json as one object a line), everything else to standard error. Exit code 0, or 2 with
one sentence for bad input.
"""

import inspect
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from clipcore import Classifier, PromptSet, Step
    from storage import Filters, Hit, Library
    from training.runs.estimate import Estimate

T = TypeVar("T")
# control characters, ends of lines, marks that turn the direction of text, and halves of characters
HIDDEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")
commands = typer.Typer(
    help="Roll your own image classifier: type class names, see your photos sorted.",
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Home = Annotated[
    Path | None, typer.Option("--home", envvar="SAYSO_HOME", help="Where Sayso keeps its data.", show_default=False)
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar="SAYSO_DATABASE",
        help="A PostgreSQL server's address, such as postgresql+psycopg://me@host/sayso; else the home's file.",
        show_default=False,
        metavar="URL",
    ),
]
Vectors = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        envvar="SAYSO_VECTORS",
        help="A Milvus server, http://host:19530, or a file of Milvus Lite that ends in .db; else FAISS.",
        show_default=False,
        metavar="ADDRESS",
    ),
]
Model = Annotated[
    str, typer.Option("--model", envvar="SAYSO_MODEL", help="starter, NAME/TAG, local-dir:PATH or hf-hub:ORG/REPO.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how long it will take, from a few timed steps.")]
Labels = Annotated[
    str | None,
    typer.Option(
        "--labels",
        help='Class names, such as "cat, dog = puppy | hound, rabbit"; one with a comma in it goes in double quotes.',
    ),
]
Many = Annotated[bool, typer.Option("--many", help="A picture can have several of the labels, or none; not just one.")]
Templates = Annotated[
    Path | None,
    typer.Option(
        "--templates", help="A file of prompt templates, one a line, with {label}; or sentences for each class (JSON)."
    ),
]
Descriptions = Annotated[
    Path | None,
    typer.Option(
        "--descriptions", help='Sentences for single classes: JSON {"label": ["..."]}, or lines "label: sentence".'
    ),
]


_database: ContextVar[str | None] = ContextVar("database", default=None)  # of the command that runs


def with_vectors(run: Callable[..., None]) -> Callable[..., None]:
    """A command with a home takes --vectors as well: while it runs, its libraries find the address in SAYSO_VECTORS."""
    asked = inspect.signature(run, eval_str=True)
    if "home" not in asked.parameters:
        return run

    @wraps(run)
    def wrapped(*args: Any, vectors: str | None = None, **kwargs: Any) -> None:
        before = os.environ.get("SAYSO_VECTORS")
        if vectors:
            os.environ["SAYSO_VECTORS"] = vectors
        try:
            run(*args, **kwargs)
        finally:
            if vectors and before is None:
                os.environ.pop("SAYSO_VECTORS", None)
            elif vectors:
                os.environ["SAYSO_VECTORS"] = str(before)

    parameters = list(asked.parameters.values())
    place = list(asked.parameters).index("home") + 1
    option = inspect.Parameter("vectors", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=Vectors)
    wrapped.__signature__ = asked.replace(parameters=[*parameters[:place], option, *parameters[place:]])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {**run.__annotations__, "vectors": Vectors}
    return wrapped


def command(run: Callable[..., None]) -> Callable[..., None]:
    """A command whose mistakes end as one sentence on standard error and exit code 2.

    One that has a home has the options --database, which `library_at` heeds, and --vectors as well.

    Asked to end (SIGTERM) it ends as by Ctrl+C: the index is written, the database closed. Then the signal takes its way, so
    that whoever sent it sees a process that did as it was told.
    """
    run = with_vectors(run)
    asked = inspect.signature(run, eval_str=True)
    has_home = "home" in asked.parameters

    @wraps(run)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        from clipcore import SaysoError

        url = kwargs.pop("database", None) if has_home else None
        before = _database.set(url or None)
        try:
            with ended_by_sigterm():
                run(*args, **kwargs)
        except SaysoError as error:
            say("\n".join([str(error), *getattr(error, "__notes__", ())]))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            say("Stopped. What was done so far is kept.")
            raise typer.Exit(130) from None
        except BrokenPipeError:  # the reader, `head` for instance, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            _database.reset(before)

    if has_home:
        parameters = list(asked.parameters.values())
        place = [parameter.name for parameter in parameters].index("home") + 1
        option = inspect.Parameter("database", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Database)
        option = option.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
        wrapped.__signature__ = asked.replace(parameters=[*parameters[:place], option, *parameters[place:]])  # type: ignore[attr-defined]
        wrapped.__annotations__ = {**run.__annotations__, "database": Database}
    return commands.command()(wrapped)


def say(sentence: str) -> None:
    """A message for the person, on standard error."""
    print(printable(sentence), file=sys.stderr)


def emit(as_json: bool, row: dict[str, Any], *lines: str) -> None:
    """One result on standard output: the row as JSON, or as these lines."""
    if as_json:
        print(HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(row, ensure_ascii=False)), flush=True)
    else:
        show(*lines)


def show(*lines: str) -> None:
    """Lines on standard output."""
    print(*map(printable, lines), sep="\n", flush=True)


def printable(line: str) -> str:
    """Text from outside, such as a file's name, so that it stays on its line and commands nothing: what a terminal would
    obey, or a reader not see, is written as in Python: \\x1b."""
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), line)


def show_estimate(found: "Estimate", as_json: bool) -> None:
    """How long a training will take, as one line."""
    emit(as_json, {"seconds": round(found.seconds), "images": found.images}, found.sentence)


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
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl+C does; when all is tidied up the process ends by the signal."""
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield
        return
    asked = False

    def ask(*_: object) -> None:
        nonlocal asked
        asked = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if asked:
            sys.stdout.flush()
            sys.stderr.flush()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)


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


def home_folder(home: Path | None) -> Path:
    from platformdirs import user_data_path

    return (home or env_home() or user_data_path("sayso", appauthor=False)).expanduser()


def env_home() -> Path | None:
    return Path(os.environ["SAYSO_HOME"]) if os.environ.get("SAYSO_HOME") else None


def database_url() -> str | None:
    """The server's address that the command was given; None for the home's own file."""
    return _database.get()


def library_at(home: Path | None, encoder: Any = None) -> "Library":
    """The library of this home, in its own file or where --database says. Raises SaysoError."""
    from storage import Library

    return Library(home_folder(home), encoder, database_url())


@contextmanager
def open_library(home: Path | None, model: str | None = None) -> "Iterator[Library]":
    """The library, with this model loaded. Commands never download: that is what `models --get` is for.

    A command that has written something makes the backup of the day on its way out, if it is due.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from clipcore import SaysoError

    encoder = None
    if model:
        import clipcore

        encoder = clipcore.load(model)
    with library_at(home, encoder) as library:
        yield library
        if library.database.wrote:
            try:
                library.backups.daily()
            except SaysoError as error:  # what was asked for is done
                say(f"The backup of the day could not be made: {error}")


def typed_prompts(
    labels: str, templates: Path | None, pack: str | None, descriptions: Path | None = None
) -> "tuple[list[str], PromptSet]":
    """Names and prompts as they are given; sentences for other classes than these are left out. Raises BadInput."""
    from clipcore import BadInput, parse_labels
    from clipcore import pack as ready_made
    from clipcore.classify.prompts import DEFAULT_PACK

    if templates and pack:
        raise BadInput("Give either --templates or --pack, not both.")
    names, synonyms = parse_labels(labels)
    prompts = read_templates(templates) if templates else ready_made(pack or DEFAULT_PACK)
    return names, described(prompts, descriptions).with_synonyms(synonyms).among(names)


def task_prompts(task: str, descriptions: Path | None = None) -> "tuple[list[str], PromptSet]":
    """The names and prompts of a task pack, or of a public set. Raises BadInput."""
    from clipcore.classify.tasks import ready_names

    found, known = ready_names(task)
    say(f"{known.name}: {found.limit} {found.instead}")
    names = list(known.labels)
    return names, described(found.prompts, descriptions).with_synonyms(known.synonyms).among(names)


def described(prompts: "PromptSet", descriptions: Path | None) -> "PromptSet":
    """The same prompts with the sentences of a file beside them. Raises BadInput."""
    from clipcore import BadInput, parse_descriptions
    from clipcore.plain import read_plain_text

    if descriptions is None:
        return prompts
    try:
        told = parse_descriptions(read_plain_text(descriptions, encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"The file {descriptions} cannot be read; it should be text.") from None
    return prompts.with_descriptions({**prompts.class_prompts, **told})


def read_templates(path: Path) -> "PromptSet":
    from clipcore import BadInput, parse_templates
    from clipcore.plain import read_plain_text

    try:
        return parse_templates(read_plain_text(path, encoding="utf-8-sig"), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"The templates file {path} cannot be read ({error}); it should be text, one template a line."
        ) from None


def saved_classifier(library: "Library", name: str) -> "Classifier":
    """A classifier by its name in the library, or by the path of its file."""
    from clipcore import Classifier

    return Classifier.load(name) if name.endswith(".safetensors") else library.classifiers.get(name)


def picture_files(paths: Iterable[Path]) -> list[Path]:
    """The files named, and the pictures of the folders named."""
    from clipcore import BadInput
    from clipcore.pictures.finding import Skipped, display_path, find_images

    files: list[Path] = []
    skipped: list[Skipped] = []
    for path in paths:
        if path.is_dir():
            files += find_images(path, skipped)
        elif path.exists():
            files.append(path)
        else:
            raise BadInput(f"There is no file or folder {display_path(path)}; check the path.")
    for bad in skipped:
        say(f"skipped {bad}")
    if not files:
        raise BadInput("There are no pictures in what you named; name files, or a folder that holds some.")
    return files


def search_filters(name: str, since: str, until: str, label: str, orientation: str, place: str, stars: int) -> "Filters":
    """Filters as they are typed. Raises BadInput."""
    from clipcore import BadInput
    from storage import ORIENTATIONS, Filters, parse_day

    if orientation not in ("", *ORIENTATIONS):
        raise BadInput(f"There is no orientation {orientation!r}; choose one of {', '.join(ORIENTATIONS)}.")
    shape: Any = orientation
    days = parse_day(since), parse_day(until)
    return Filters(None, name, *days, label=label, orientation=shape, place=place, stars=stars or None)


def show_hit(hit: "Hit", as_json: bool, score: str = "cosine") -> None:
    """A picture that was found, as one line; `score` says what its score is."""
    row = {
        "path": hit.image.shown_path,
        score: round(hit.score, 5),
        "rank": None if hit.rank is None else round(hit.rank, 3),
        "margin": None if hit.margin is None else round(hit.margin, 5),
        "matches": hit.matches,
    }
    mark = "   " if hit.matches is None else "yes" if hit.matches else "no "
    emit(as_json, row, f"{hit.score:.3f}  {mark}  {row['path']}")
