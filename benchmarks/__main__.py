"""python -m benchmarks NAME [--quick] [--json]: each prints one table, ours beside what a person would run instead.

`starter DATA`, `promises DATA`, `towers`, `people`, `exported` and `scale` have tables and arguments of their own.
"""

import sys
from importlib import import_module
from typing import Annotated

import typer

from .pairs import show

NAMES = (
    "embed",
    "engines",
    "adding",
    "large",
    "vectors",
    "search",
    "prompts",
    "board",
    "evaluate",
    "robustness",
    "heads",
    "probe",
    "bias",
    "duplicates",
    "map",
    "zoo",
    "api",
)
ON_SETS = ("fewshot", "openset", "calibration", "absent", "choosing")  # need labelled sets: see benchmarks/labelled.py
BESIDE = ("rclip", "gpu", "milvus")  # need another program or package, or an NVIDIA GPU: see there


def main(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES + ON_SETS + BESIDE)}, or all.")],
    quick: Annotated[bool, typer.Option(help="Less data; for a first look.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Run one benchmark, or all of them."""
    if name != "all" and name not in NAMES + ON_SETS + BESIDE:
        raise typer.BadParameter(
            f"There is no benchmark {name!r}; choose one of {', '.join(NAMES + ON_SETS + BESIDE)}, or all."
        )
    for each in NAMES if name == "all" else (name,):  # all: what runs without data
        module = import_module(f".{each}", __package__)
        show(each, module.OTHER, module.run(quick), as_json)


if __name__ == "__main__":
    if sys.argv[1:2] in (["starter"], ["towers"], ["promises"], ["people"], ["exported"], ["scale"]):
        typer.run(import_module(f".{sys.argv.pop(1)}", __package__).main)
    else:
        typer.run(main)
