"""A classifier as one file, which docs/use_classifier.py reads without Sayso."""

import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import clipcore
from clipcore import decide, generic_bank, zero_shot_classifier
from clipcore.classify.answers import grounded
from clipcore.classify.examples import Examples
from clipcore.models import is_here
from tests.support.fakes import photo
from tests.support.processes import fork
from tests.support.small_clip import CLIP, SIGLIP, write_model
from training.heads.fewshot import few_shot

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "docs" / "use_classifier.py"


def made(clip, labels=("red", "green", "blue")):
    """A classifier with a temperature, a bias and an easy dial, so that each of them is seen to be used."""
    head = zero_shot_classifier(clip, labels, "bare")
    decision = replace(head.decision, temperature=1.7, sure=0.0)
    return replace(head, bias=head.bias + np.linspace(0, 1, len(labels), dtype=np.float32), decision=decision)


@pytest.mark.parametrize("config", [CLIP, SIGLIP])
def test_the_script_answers_as_sayso_does_without_sayso(tmp_path, config):
    name = write_model(tmp_path / "model", config)
    clip = clipcore.load(name)
    pictures = [photo(tmp_path / f"{colour}.png", colour, (50, 40)) for colour in ("red", "green", "blue")]
    X = clip.embed_images(pictures)
    head = grounded(made(clip), X, generic_bank(clip))
    head.save(tmp_path / "colours.safetensors")
    expected = head.predict(X)
    figures = decide(head, X).figure
    shutil.copy(SCRIPT, tmp_path / "use.py")  # elsewhere, so that nothing of Sayso can be imported
    command = [sys.executable, "use.py", "colours.safetensors", *map(str, pictures), "--model", name]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180, env=env)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[:2] for row in rows] == [[str(p), e.label] for p, e in zip(pictures, expected, strict=True)]
    assert [float(row[2]) for row in rows] == pytest.approx(list(figures), abs=2e-4)


CASES = {
    "usual": {},
    "unsure": {"sure": 1.0},
    "none of these": {"sure": 0.98, "level": 90.0},
    "several": {"many": True, "sure": 0.3, "thresholds": (0.2, 0.5, 0.7)},
    "several, none of these": {"many": True, "sure": 0.9, "level": 90.0},
    "of before there were odds": {"odds": None, "level": None},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("config", [CLIP, SIGLIP])
def test_the_script_answers_none_of_these_and_several_as_sayso_does(tmp_path, monkeypatch, capsys, config, case):
    if config is SIGLIP and case == "of before there were odds":
        pytest.skip("as the one above")
    name = write_model(tmp_path / "model", config)
    clip = clipcore.load(name)
    colours = ("red", "green", "blue", "white")
    pictures = [photo(tmp_path / f"{colour}.png", colour, (50, 40)) for colour in colours]
    X = clip.embed_images(pictures)
    head = made(clip)
    head = head if case == "of before there were odds" else grounded(head, X, generic_bank(clip))
    head = replace(head, decision=replace(head.decision, **CASES[case]))
    head.save(tmp_path / "colours.safetensors")
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    run_script(tmp_path / "colours.safetensors", *pictures, "--model", name)
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[-len(pictures) :]]
    answers = decide(head, X)
    told = {-1: "unsure", -2: "none of these"}
    said = [told[v] if isinstance(v, int) else ", ".join(v) for v in answers.verdicts(head.labels)]
    assert [row[1] for row in rows] == said
    if case in ("usual", "none of these"):
        assert [float(row[2]) for row in rows] == pytest.approx(list(answers.figure), abs=2e-4)
    if case == "none of these" and config is CLIP:
        assert "none of these" in said


def test_the_script_reads_a_taught_tree_that_keeps_a_promise(tmp_path, monkeypatch, capsys):
    name = write_model(tmp_path / "model", CLIP)
    clip = clipcore.load(name)
    colours = ("red", "green", "blue", "white")
    names = tuple(f"{'bright' if colour == 'white' else 'strong'} > {colour}" for colour in colours)
    pictures = [photo(tmp_path / f"{colour}-{i}.png", colour, (50, 40 + i)) for i in range(4) for colour in colours]
    X = clip.embed_images(pictures)
    head = few_shot(Examples(X, names * 4, clip.space), zero_shot_classifier(clip, names))
    head = grounded(head, X, generic_bank(clip))
    head = head.with_decision(replace(head.decision, sure=0.6, promise=0.05))
    head.save(tmp_path / "tree.safetensors")
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    run_script(tmp_path / "tree.safetensors", *pictures, "--model", name)
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[-len(pictures) :]]
    told = {-1: "unsure", -2: "none of these"}
    said = [told[v] if isinstance(v, int) else ", ".join(v) for v in decide(head, X).verdicts(head.labels)]
    assert [row[1] for row in rows] == said
    assert set(said) & set(names)


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
def test_the_script_runs_the_starter_from_anywhere(tmp_path):
    clip = clipcore.load()
    made(clip).save(tmp_path / "sure.safetensors")
    picture = photo(tmp_path / "red.png", "red")
    shutil.copy(SCRIPT, tmp_path / "use.py")
    command = [sys.executable, "use.py", "sure.safetensors", str(picture), "--sayso", str(ROOT)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180, env=env)
    assert done.returncode == 0, done.stderr
    expected = made(clip).predict(clip.embed_images([picture]))[0].label
    assert done.stdout.split("\t")[1] == expected


def run_script(*arguments):
    sys.argv = [str(SCRIPT), *map(str, arguments)]
    runpy.run_path(str(SCRIPT), run_name="__main__")


@pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")
def test_the_script_runs_the_starter_where_sayso_is(tmp_path):
    clip = clipcore.load()
    head = made(clip)
    unsure = head.with_decision(replace(head.decision, sure=1.0))
    head.save(tmp_path / "sure.safetensors")
    unsure.save(tmp_path / "unsure.safetensors")
    picture = photo(tmp_path / "red.png", "red")
    answers = []
    for file in ("sure", "unsure"):
        process = fork(run_script, tmp_path / f"{file}.safetensors", picture, output=tmp_path / file, HF_HUB_OFFLINE="1")
        process.join(180)
        said = (tmp_path / file).read_text()
        assert process.exitcode == 0, said
        answers.append(said.strip().splitlines()[-1].split("\t")[1])
    assert answers == [head.predict(clip.embed_images([picture]))[0].label, "unsure"]


def test_the_script_is_as_short_as_it_says():
    text = SCRIPT.read_text()
    assert len(text.splitlines()) <= 30
    assert "storage" not in text
