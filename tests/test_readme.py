"""The README's Python block is run as it stands, with the starter, in a folder that has what it names."""

import re
import shutil
from pathlib import Path

import pytest

from clipcore.models import is_here

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
def test_readme_python_block_runs(tmp_path, monkeypatch, capsys):
    skimage = pytest.importorskip("skimage")
    data = Path(skimage.__file__).parent / "data"
    (tmp_path / "photos").mkdir()
    shutil.copy(data / "chelsea.png", tmp_path / "kitten.jpg")
    for name in ("coffee.png", "rocket.jpg", "motorcycle_left.png"):
        shutil.copy(data / name, tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(block, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"(cat|dog|rabbit) \d\.\d\d", lines[0])
    assert len(lines) == 4  # one answer, then the three photos of the library
    assert (tmp_path / "sayso" / "sayso.db").is_file()
