"""The notebook runs from its first cell to its last, and each shows something."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from clipcore.models import is_here

NOTEBOOK = Path(__file__).parents[1] / "docs" / "sayso.ipynb"


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
def test_the_notebook_runs():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) == 10
    here: dict[str, Any] = {}
    shown = []
    for source in code:
        tree = ast.parse(source)
        last = tree.body.pop()
        assert isinstance(last, ast.Expr), "a cell ends with what it shows"
        exec(compile(tree, "cell", "exec"), here)
        shown.append(eval(compile(ast.Expression(last.value), "cell", "eval"), here))
    assert "6 labels" in shown[1]._repr_html_()
    assert shown[4].shape[0] == len(here["photos"])
    assert shown[7]._repr_html_().startswith("<p>top-1")
    assert shown[8].startswith("At most 10 % of the answers are wrong")
    assert shown[9] == 0.1
