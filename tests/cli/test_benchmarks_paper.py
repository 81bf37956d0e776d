"""The command that reproduces the paper's figures, on made-up shards of three colours."""

import io
import json
import re
import tarfile

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from benchmarks import child, paper
from tests.support.fakes import COLOURS, FakeEncoder, photo


def shard(path, per_class=12):
    """Noisy pictures of three colours; every sixth is labelled as another one."""
    rng = np.random.default_rng(0)
    with tarfile.open(path, "w") as tar:
        for index in range(3 * per_class):
            colour = list(COLOURS)[index % 3]
            label = list(COLOURS)[(index + (index % 6 == 0)) % 3]
            pixels = rng.integers(0, 90, (8, 8, 3), np.uint8)
            pixels[..., index % 3] += 150
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "PNG")
            for ending, data in (("png", file.getvalue()), ("json", json.dumps({"label": label}).encode())):
                member = tarfile.TarInfo(f"{index:03}{colour}.{ending}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("clipcore.load", lambda name="starter", *_: FakeEncoder(name))
    for name in paper.SETS:
        shard(tmp_path / f"{name}-00000.tar")
    return tmp_path


def run(main, *arguments):
    import typer

    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_all_three_figures_in_one_command(folder):
    report = folder / "paper.html"
    result = run(paper.main, folder, "--quick", "--json", "--report", report)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert list(found["sets"]) == list(paper.SETS)
    for one in found["sets"].values():
        assert [arm["name"] for arm in one["prompts"]] == list(paper.ARMS)
        assert one["prompts"][0]["accuracy"] == pytest.approx(5 / 6)
        assert [row["shots"] for row in one["shots"]] == [0, 1, 2, 4, 8, 16]
        assert all(row["interval"][0] <= row["accuracy"] <= row["interval"][1] for row in one["shots"])
        assert {row["n"] for row in one["shots"]} == {18}  # the same half of each class for all
    assert len(found["robustness"]["curves"]) == 11
    page = report.read_text(encoding="utf-8")
    assert page.count("<svg") == 2 * 3 + 1


def test_in_words_and_without_the_sets(folder):
    result = run(paper.main, folder, "--quick")
    assert "zero-shot" in result.stdout
    assert "16-shot probe" in result.stdout
    assert "weakest against" in result.stdout
    (folder / f"{paper.SETS[1]}-00000.tar").unlink()
    assert "There is no cifar100-test" in run(paper.main, folder).output


def test_the_child_experiment_counts_what_is_there(tmp_path, monkeypatch):
    """Colours stand for people: the model calls red ones a man, blue ones a child once it may."""
    encoder = FakeEncoder()
    monkeypatch.setattr("clipcore.load", lambda *_: encoder)
    encode = encoder._encode

    def with_colours(text):
        said = {"man": "red", "adult": "red", "child": "blue", "animal": "green"}
        return encode(" ".join([text, *(colour for word, colour in said.items() if re.search(rf"\b{word}\b", text))]))

    monkeypatch.setattr(encoder, "_encode", with_colours)
    rows = ["file,age,gender,race"]
    for index in range(40):
        photo(tmp_path / "faces" / f"{index}.png", "red" if index % 2 else "blue", (20 + index, 20))
        rows.append(f"{index}.png,{30 if index % 2 else 5},male,White")
    (tmp_path / "groups.csv").write_text("\n".join(rows))
    result = run(child.main, tmp_path / "faces", "--groups", tmp_path / "groups.csv")
    assert result.exit_code == 0, result.output
    assert "20 of 40 images move to child; 20 of them are under 20" in result.stdout
    assert "| 3-9 | 20 |" in result.stdout
    assert "adult against child: 100.0 % (91.2 to 100.0) agree" in result.stdout
    assert "man against woman" in result.stdout
