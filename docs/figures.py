"""Makes the figures of the docs anew: what makes which table, when it was made, on what machine, with what starter.

    python -m docs.figures --list              # what there is, where it stands, and how old it is
    python -m docs.figures [--only NAME] [--quick] [--data FOLDER]

What the benchmarks print is kept in docs/figures.json and shown in docs/figures.md. Which page a figure belongs to is read
from the pages, where `python -m benchmarks NAME` stands beside what is told of it. A benchmark that needs labelled sets runs
where `--data` names their folder; without it, it keeps what was printed before.
"""

import ast
import datetime
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.__main__ import BESIDE, NAMES, ON_SETS
from benchmarks.pairs import machine
from cli import __version__

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_name("figures.json")
PAGE = Path(__file__).with_name("figures.md")
CARD = ROOT / "clipcore" / "starter" / "MODEL_CARD.md"
COMMAND = re.compile(r"`python -m benchmarks[ .]([a-z_]+)((?: [^`]*)?)`")
SETS = "labelled sets"
START = """# Figures

Made by `python -m docs.figures`, which runs the benchmarks again; `--list` says what is older than the starter in use.
"""


@dataclass(frozen=True)
class Figure:
    """What one benchmark tells; `places` are the pages and headings that speak of it, `needs` what has to be given."""

    name: str
    places: tuple[tuple[str, str], ...]
    needs: str


def figures() -> list[Figure]:
    """All that the pages speak of, and the benchmarks that run by themselves."""
    places: dict[str, list[tuple[str, str]]] = {name: [] for name in NAMES}
    needs = {**dict.fromkeys(ON_SETS, SETS), "gpu": "an NVIDIA GPU", "rclip": "the program rclip"}
    for page in [ROOT / "README.md", CARD, *sorted(set((ROOT / "docs").glob("*.md")) - {PAGE})]:
        heading = ""
        for line in page.read_text(encoding="utf-8").splitlines():
            heading = line.lstrip("# ") if line.startswith("#") else heading
            for name, rest in COMMAND.findall(line):
                place = (page.relative_to(ROOT).as_posix(), heading)
                if place not in places.setdefault(name, []):
                    places[name].append(place)
                if rest and name not in NAMES:
                    needs.setdefault(name, SETS if rest.split()[0] in ("DATA", "SHARDS") else rest.strip())
    return [Figure(name, tuple(where), needs.get(name, "")) for name, where in places.items()]


def starter() -> str:
    """The name of the starter in use, as its card has it."""
    found = re.search(r"\((starter-\d+)\)", CARD.read_text(encoding="utf-8"))
    return found[1] if found else "unknown"


def kept() -> dict[str, Any]:
    """What was printed before, by the benchmark's name."""
    return dict(json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.exists() else {}


def made(figure: Figure, quick: bool, data: Path | None) -> dict[str, Any]:
    """Run a benchmark; what it printed, with when and where. Raises CalledProcessError."""
    uniform = figure.name in NAMES + ON_SETS + BESIDE
    words = ["benchmarks", figure.name] if uniform else [f"benchmarks.{figure.name}"]
    words += ["--json"] * uniform + ["--quick"] * (quick and uniform) + [str(data)] * (figure.needs == SETS and not uniform)
    around = {**os.environ, "SAYSO_SETS": str(data)} if data else None
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=around, stdout=subprocess.PIPE, text=True, check=True
    )
    told: dict[str, Any] = {"day": datetime.date.today().isoformat(), "machine": machine(), "sayso": __version__}
    told |= {"starter": starter(), "quick": quick}
    last = done.stdout.strip().splitlines()[-1:]
    return told | (json.loads(last[0]) if uniform else {"text": done.stdout.rstrip()})


def ready(figure: Figure, data: Path | None, asked: bool) -> bool:
    """Whether a benchmark has what it needs; one beside another program is run where it is asked for by name."""
    return not figure.needs or bool(data and figure.needs == SETS) or (asked and figure.name in BESIDE)


def age(entry: dict[str, Any] | None) -> str:
    """When a figure was made, and whether it is of the starter in use."""
    if not entry:
        return "not made by this command yet"
    old = "" if entry["starter"] == starter() else f"; OUT OF DATE: the starter is {starter()} now"
    return f"{entry['day']}, Sayso {entry['sayso']}, {entry['starter']}, {entry['machine']}{', quick' * entry['quick']}{old}"


def page(entries: dict[str, Any]) -> str:
    """docs/figures.md."""
    parts = [START]
    for figure in figures():
        source = (ROOT / "benchmarks" / f"{figure.name}.py").read_text(encoding="utf-8")
        about = (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]  # not imported: all of them need torch
        entry = entries.get(figure.name)
        parts.append(f"## {figure.name}\n\n{about}\n\nMade: {age(entry)}.")
        if figure.places:
            links = (f"[{heading}](../{path})".replace("](../docs/", "](") for path, heading in figure.places)
            parts[-1] += f" Told of in: {', '.join(links)}."
        if entry and "rows" in entry:
            parts.append(f"Beside it: {entry['other']}.\n")
            parts[-1] += "\n| | ours | other | ratio | unit | n |\n|---|---:|---:|---:|---|---:|"
            for row in entry["rows"]:
                cells = (row["case"].replace("|", "\\|"), f"{row['ours']:.4g}", f"{row['other']:.4g}", f"{row['ratio']:g}")
                parts[-1] += f"\n| {' | '.join(cells)} | {row['unit']} | {row['n']} |"
        elif entry:
            parts.append(f"```\n{entry['text']}\n```")
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def main(
    only: Annotated[list[str] | None, typer.Option(help="This benchmark alone; can be given again.")] = None,
    quick: Annotated[bool, typer.Option(help="Less data; for a first look.")] = False,
    data: Annotated[Path | None, typer.Option(help="The folder of labelled sets, for benchmarks that need them.")] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what there is and how old, and run nothing.")] = False,
) -> None:
    """Make the figures anew."""
    known, entries = figures(), kept()
    if unknown := set(only or ()) - {figure.name for figure in known}:
        raise typer.BadParameter(f"There is no figure {', '.join(sorted(unknown))}; --list shows all.")
    for figure in known:
        if only and figure.name not in only:
            continue
        if listed:
            where = "; ".join(f"{path}: {heading}" for path, heading in figure.places) or "no page but figures.md"
            print(f"{figure.name:<12} {age(entries.get(figure.name))}\n{'':<12} {where}")
            print(f"{'':<12} needs {figure.needs}\n" if figure.needs else "")
        elif not ready(figure, data, bool(only)):
            way = "name their folder with --data" if figure.needs == SETS else "run it by itself"
            print(f"{figure.name}: needs {figure.needs}; {way}. What was made before stays.", file=sys.stderr)
        else:
            print(f"{figure.name} ...", file=sys.stderr, flush=True)
            try:
                entries[figure.name] = made(figure, quick, data)
            except subprocess.CalledProcessError as error:
                print(f"{figure.name}: ended with {error.returncode}; what was made before stays.", file=sys.stderr)
                continue
            KEPT.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")  # at once: the next may take an hour
    if not listed:
        PAGE.write_text(page(entries), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
