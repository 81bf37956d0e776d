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
from docs.commands import PAGE, having, page, reference
from docs.site.docstrings import as_rst
from docs.site.pages import PARTS, gather, places
from tests.support.commands import as_if_new
from tests.support.fakes import photo
from ui.samples import sample_files

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
    for name, source in sample_files().items():
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
