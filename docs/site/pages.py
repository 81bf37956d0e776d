"""Which pages the site has, in which order; and how Markdown that reads well in the repository is laid out for it."""

import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONT = "README.md"
# the parts of the sidebar, and their pages by where they lie in the checkout
PARTS = {
    "Learn": ("docs/label-a-folder.md", "docs/own-classifier.md", "docs/search-photos.md", "docs/probe-bias.md"),
    "Understand": (
        *("docs/concepts.md", "docs/words.md", "docs/answers.md", "docs/promises.md", "docs/teaching.md"),
        *("docs/measure.md", "docs/bias.md", "clipcore/starter/MODEL_CARD.md", "docs/others.md"),
    ),
    "Use": (
        "docs/models.md",
        "docs/operations.md",
        "docs/api.md",
        "docs/roles.md",
        "docs/files.md",
        "docs/speed.md",
        "docs/scale.md",
        "docs/figures.md",
        "docs/troubleshooting.md",
    ),
    "Look up": ("docs/commands.md", "docs/python.md"),
    "The project": (
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/attacks.md",
        "LICENSES.md",
        "CODE_OF_CONDUCT.md",
    ),
}
# what the Python reference shows: these modules say in `__all__` what is public
MODULES = ("clipcore", "storage", "training", "clipcore.errors", "clipcore.measure")
PYTHON = "docs/python.md"  # written here, from docstrings
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#\s]+)((?:#[^)]*)?\))")


def places() -> dict[str, str]:
    """Page in the checkout -> its name in the site."""
    pages = [page for part in PARTS.values() for page in part]
    return {FRONT: "index.md", **{page: Path(page).name.lower().replace("_", "-") for page in pages}}


def gather(target: Path) -> None:
    """Write all pages, and the files that they link to, into the folder `target`, as the generator wants them.

    Raises ValueError for a link that leads nowhere.
    """
    for page, name in places().items():
        text = python_page() if page == PYTHON else (ROOT / page).read_text(encoding="utf-8")
        text = relinked(text, page, target)
        (target / name).write_text(text + (sidebar() if page == FRONT else ""), encoding="utf-8")


def relinked(text: str, page: str, target: Path) -> str:
    """The page's text with links as they are in the site. A file that is no page is copied beside the pages."""

    def new(match: re.Match[str]) -> str:
        start, link, end = match.groups()
        if "://" in link or link.startswith("mailto:"):
            return match[0]
        file = (ROOT / page).parent.joinpath(link).resolve()
        known = file.relative_to(ROOT).as_posix()
        known = FRONT if known == "docs/README.md" else known
        if known in places():
            return f"{start}{places()[known]}{end}"
        if not file.is_file():
            raise ValueError(f"{page} links to {link}, which is not there")
        copied = target / "files" / known.replace("/", "-")
        copied.parent.mkdir(exist_ok=True)
        shutil.copyfile(file, copied)
        return f"{start}files/{copied.name}{end}"

    # what is between fences or backticks is no link
    pieces = re.split(r"(^```.*?^```$|`[^`\n]*`)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(piece if index % 2 else LINK.sub(new, piece) for index, piece in enumerate(pieces))


def sidebar() -> str:
    """The parts of the sidebar, for the end of the front page."""
    named = places()
    trees = (
        "\n".join(["", "```{toctree}", ":hidden:", f":caption: {part}", "", *(named[page] for page in pages), "```", ""])
        for part, pages in PARTS.items()
    )
    return "\n".join(trees)


def python_page() -> str:
    """The page of the Python reference: the generator fills it in from docstrings."""
    start = "# The Python reference\n\nMade from docstrings. In an installed Sayso the packages lie inside `sayso`.\n"
    parts = (f"\n## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```\n" for name in MODULES)
    return start + "".join(parts)
