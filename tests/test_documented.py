"""What README and docs say of the command line is so: every command parses, the tutorials run, the reference is current."""

import contextlib
import csv
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

import app
from cli.rows import ROWS
from clipcore.models import is_here
from docs import figures
from docs.commands import PAGE, having, options_of, page, reference
from docs.site.docstrings import as_rst
from docs.site.pages import PARTS, gather, places
from tests.support.commands import as_if_new
from tests.support.fakes import photo
from ui.samples import sample_photographs

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "clipcore" / "starter" / "MODEL_CARD.md", *sorted((ROOT / "docs").glob("*.md"))]
TUTORIALS = ("label-a-folder", "own-classifier", "search-photos", "probe-bias")
CLASSES = {"red things": "red", "green things": "green"}


def commands_in(file: Path) -> list[list[str]]:
    """The words behind `python app.py` of every line of a page that is such a command."""
    text = file.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^ *(?:\S+/)?python app\.py\b(.*)$", text, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("file", [page for page in PAGES if page != PAGE], ids=lambda file: file.stem)
def test_every_command_that_is_shown_exists_with_its_options(file):
    known = reference()
    for words in commands_in(file):
        if words:
            assert words[0] in known, f"{file.name} shows a command that is not there: {words[0]}"
            known[words[0]].make_context(words[0], words[1:])  # raises for an option that is not there


def test_readme_shows_what_it_is_all_about():
    shown = {words[0] for words in commands_in(ROOT / "README.md") if words}
    assert {"quickstart", "classify", "add", "search", "teach", "evaluate", "bias", "models"} <= shown


def test_reference_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python -m docs.commands"


def test_json_of_each_command_is_documented():
    assert sorted(ROWS) == sorted(having("--json"))


def test_every_option_is_in_the_reference_and_is_understood():
    """Each by itself: none is hidden, none is there twice, none needs another to be parsed."""
    text = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    count = 0
    for name, command in reference().items():
        needed = [
            word
            for each in command.params
            if each.required
            for word in ([*each.opts[:1]] * (each.param_type_name == "option")) + ["1"]
        ]
        for option in options_of(command):
            for word in option.opts:
                assert word in sections[name], f"{name} {word} is not in docs/commands.md"
                most = getattr(option, "max", None)
                number = max(getattr(option, "min", None) or 0, min(1, 1 if most is None else most))
                value = [] if option.is_flag else [f"{number:g}"]
                given = [*needed, word, *value]
                assert command.make_context(name, given).params[option.name] not in (None, ()), f"{name} {word}"
                count += 1
    assert count > 150


def test_figures_are_those_that_were_printed():
    assert figures.PAGE.read_text(encoding="utf-8") == figures.page(figures.kept()), (
        "write it again: python -m docs.figures --page"
    )
    for figure in figures.figures():
        assert (ROOT / "benchmarks" / f"{figure.name}.py").is_file(), (
            f"{figure.places} speak of a benchmark that is not there"
        )


def test_an_old_starters_figures_are_called_out_of_date():
    entry = {"day": "2026-12-01", "machine": "m", "sayso": "1.0.0", "starter": "starter-0", "quick": True}
    assert "OUT OF DATE" in figures.age(entry)
    assert "OUT OF DATE" not in figures.age({**entry, "starter": figures.starter()})


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_links_of_a_page_lead_somewhere(file):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (file.parent / target).exists(), f"{file.name} links to {target}, which is not there"


def test_every_page_is_in_the_site_and_its_links_are_the_sites(tmp_path):
    """Also without the generator: what it gets is whole."""
    assert {f"docs/{file.name}" for file in PAGES if file.parent.name == "docs"} - set(places()) == {"docs/README.md"}
    gather(tmp_path)
    assert {file.name for file in tmp_path.glob("*.md")} == set(places().values())
    for file in tmp_path.glob("*.md"):
        for target in re.findall(
            r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```|`[^`\n]*`", "", file.read_text(), flags=re.DOTALL)
        ):
            assert "://" in target or (tmp_path / target).is_file(), f"{file.name} links to {target}, which is not there"
    front = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert all(f":caption: {part}" in front for part in PARTS)


def test_docstrings_are_laid_out_for_the_generator():
    told = ["One *sentence* with `code` and name_ in it.", "", "    indented = True", "", "kind   what", "├── drawn"]
    assert as_rst(told) == [
        *("One \\*sentence\\* with ``code`` and name\\_ in it.", "", "::", "", "        indented = True", ""),
        *("::", "", "    kind   what", "    ├── drawn", ""),
    ]


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """What the tutorials begin with: photos, labelled pictures, others to test on, and people with their groups."""
    for name, source in sample_photographs().items():
        if name.split(".")[0] in ("cat", "rocket", "coffee", "motorcycle"):
            (tmp_path / "photos").mkdir(exist_ok=True)
            (tmp_path / "photos" / f"{name.split('.')[0]}.jpg").write_bytes(source.read_bytes())
    for folder, first in (("labelled", 40), ("test-photos", 60)):
        for label, colour in CLASSES.items():
            for side in range(first, first + 4):
                photo(tmp_path / folder / label / f"{side}.png", colour, (side, 50))
    with (tmp_path / "groups.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "age"])
        for number, (colour, age) in enumerate([("red", "young"), ("blue", "old")] * 3, 1):
            photo(tmp_path / "people" / f"{number}.png", colour, (50 + number, 50))
            table.writerow([f"{number}.png", age])
    monkeypatch.setenv("SAYSO_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorial_runs_as_it_stands(name, desk):
    shown = commands_in(ROOT / "docs" / f"{name}.md")
    assert len(shown) > 1
    for words in shown:
        with as_if_new(), contextlib.chdir(desk):
            done = CliRunner().invoke(app.commands, words)
        assert done.exit_code == 0, f"{shlex.join(words)}: {done.stderr}"
        assert done.stdout or words[0] in ("album", "import-classifier", "export", "doctor", "duplicates"), words


# lines of these pages that are not run here, and why; they are parsed all the same
NOT_RUN = {
    "serve": "it does not end: the journeys serve",
    "quickstart": "it does not end: tests/browser",
    "pretrain": "minutes of training: tests/cli/test_training.py",
    "finetune": "minutes of training: tests/cli/test_training.py",
    "captions": "needs SugarCrepe's pictures: tests/cli/test_bench.py has its form",
    "side-by-side": "needs a model that is downloaded: tests/cli/test_measure.py has two that are here",
    "robustness": "half a minute for all disturbances: the tutorial runs one of them",
    "prompts": "the tutorial runs it",
    "labels-worth": "tests/cli/test_bench.py",
    "bias": "the tutorial runs it",
    "doctor": "the tutorial runs it",
}
# further lines by their options
NOT_RUN_WITH = {
    "--get": "downloads",
    "--suite": "tests/cli/test_bench.py",
    "--many": "needs scenes.csv: tests/cli/test_teach.py",
    "--promise": "needs some 40 labels more than these folders have: tests/cli/test_promise.py",
}


# what begins a line that is no command of ours, and why nothing runs it
OUTSIDE = {
    r"\S*python3? install\.py": "installs",
    r"pip install -r requirements-": "installs",
    r"make \w+": "runs this",
    r"docker (?:build|run)": "needs Docker",
    r"createdb|pg_dump|pg_restore|export SAYSO_DATABASE": "needs a PostgreSQL server",
    r"curl -s": "needs a server with a token",
}
OURS = r"(?:\S+/|SAYSO_PASSWORD=\S+ )?python app\.py\b"
RUN_PYTHON = {
    "README.md": "tests/test_readme.py",
    "api.md": "not run as it stands: it needs a server with a token; tests of ui/v1 ask the same routes",
}


@pytest.fixture
def readme_desk(desk, monkeypatch):
    """And what README and the other pages name beside that."""
    photos = sorted((desk / "photos").iterdir())
    for place in ("more-photos", "holiday", "Pictures"):
        (desk / place).mkdir()
        (desk / place / photos[0].name).write_bytes(photos[0].read_bytes())
    (desk / "photos" / "rex.jpg").write_bytes(photos[1].read_bytes())
    (desk / "labelled").rename(desk / "labelled-photos")
    (desk / "labelled").symlink_to(desk / "labelled-photos")
    monkeypatch.setenv("HOME", str(desk))
    monkeypatch.setenv("USERPROFILE", str(desk))
    return desk


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
def test_readme_and_promises_run_as_they_stand(readme_desk):
    """The lines of README and of the page on promises, in their order and in one home."""
    ran = []
    for file in (ROOT / "README.md", ROOT / "docs" / "promises.md"):
        for words in commands_in(file):
            if not words or words[0] in NOT_RUN or set(words) & set(NOT_RUN_WITH):
                continue
            words = [str(readme_desk / word[2:]) if word.startswith("~/") else word for word in words]
            with as_if_new(), contextlib.chdir(readme_desk):
                done = CliRunner().invoke(app.commands, words)
            assert done.exit_code == 0, f"{file.name}: {shlex.join(words)}: {done.stderr}"
            ran.append(words[0])
    assert len(ran) > 15


def test_every_block_of_code_is_run_parsed_or_known_not_to_be():
    """Our own lines are parsed, and run where a test above does; of others it is known here why nothing runs them."""
    not_run = []
    for file in PAGES:
        text = file.read_text(encoding="utf-8")
        for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            if language == "python":
                assert file.name in RUN_PYTHON, f"who runs the Python of {file.name}?"
            if language in ("sh", "bash"):
                lines = filter(str.strip, block.replace("\\\n", " ").splitlines())
                not_run += [(file.name, line) for line in lines if not re.match(OURS, line)]
    for name, line in not_run:
        assert any(re.match(start, line) for start in OUTSIDE), f"{name}: nothing runs {line!r}"
    for name, line in not_run:
        for extra in re.findall(r"requirements-\S+\.txt", line):
            assert (ROOT / extra).is_file(), f"{name} names {extra}, which is not there"


def test_messages_of_troubleshooting_are_said_by_the_program():
    """The words between quotes stand in the sources, where a sentence may be in several pieces."""
    sources = [file for room in ("cli", "clipcore", "storage", "training", "ui") for file in (ROOT / room).rglob("*.py")]
    said = plain_words(" ".join(file.read_text(encoding="utf-8") for file in sources))
    messages = re.findall(r"^\*\*“(.*?)”\*\*", (ROOT / "docs" / "troubleshooting.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(messages) > 8
    for message in messages:
        parts = re.sub(r"\(Address already in use\)", "\n", message).split("\n")
        assert all(plain_words(part) in said for part in parts), f"nothing in the program says: {message}"


def plain_words(text: str) -> str:
    """Letters only, so that quotes, line ends and the f before a string make no difference."""
    return re.sub(r"[^a-z]+", "", re.sub(r"[\"”]\s*\n?\s*f?[\"“]", "", text.lower()))
