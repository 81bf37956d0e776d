"""WordNet's nouns, and what they do to the words that training never met."""

import json
from pathlib import Path

import pytest
import torch
from open_clip.model import CLIP
from PIL import Image
from safetensors.torch import load_file

from clipcore.progress import drain
from tests.training.towers.test_contrastive import CONFIG
from training.runs.recipe import Recipe, iter_run
from training.towers import dictionary
from training.towers.clip import build, encode_captions, tokenizer_of
from training.towers.dictionary import RARE, iter_define, plural, read_nouns, without
from training.towers.initial_weights import Start

DATA = """  1 the licence
00000001 03 n 01 physical_entity 0 000 | something
00000002 05 n 01 animal 0 001 @ 00000001 n 0000 | it breathes
00000003 05 n 01 bird 0 001 @ 00000002 n 0000 | it flies
00000004 05 n 02 emu 0 Dromaius 0 002 @ 00000003 n 0000 ~ 00000009 n 0000 | it runs
00000005 09 n 01 idea 0 000 | no thing
00000006 06 n 02 anvil 0 Smithy 0 001 @ 00000001 n 0000 | it is heavy
"""
INDEX = """  1 the licence
animal n 1 0 1 0 00000002
anvil n 1 0 1 0 00000006
bird n 1 0 1 0 00000003
emu n 2 0 2 0 00000005 00000004
idea n 1 0 1 0 00000005
smithy n 1 0 1 0 00000006
"""


@pytest.fixture
def wordnet(tmp_path: Path) -> Path:
    (tmp_path / "data.noun").write_text(DATA)
    (tmp_path / "index.noun").write_text(INDEX)
    return tmp_path


def test_nouns_are_physical_things_with_their_kinds_nearest_first(wordnet: Path) -> None:
    nouns = read_nouns(wordnet)
    assert nouns.keys() == {"animal", "anvil", "bird", "emu", "smithy"}
    assert nouns["emu"] == [[["emu", "Dromaius"], ["bird"], ["animal"], ["physical entity"]]]  # and not the sense of an idea


def test_single_things_with_a_name_are_no_nouns(wordnet: Path) -> None:
    with (wordnet / "data.noun").open("a") as data, (wordnet / "index.noun").open("a") as index:
        data.write("00000010 05 n 01 Emil 0 001 @i 00000004 n 0000 | an emu of that name\n")
        index.write("emil n 1 1 @i 1 0 00000010\n")
    assert "emil" not in read_nouns(wordnet)


def test_held_out_names_are_left_out_with_their_synonyms_in_singular_and_plural() -> None:
    names = [["emu"], ["emu egg"], ["bird"], ["face"], ["visage", "face"]]
    nouns = {words[0]: [[words, ["thing"]]] for words in names}
    assert without(nouns, ["emus", "Faces easy"]).keys() == {"bird"}


@pytest.mark.parametrize(
    ("noun", "expected"), [("dog", "dogs"), ("bus", "buses"), ("berry", "berries"), ("boy", "boys"), ("finch", "finches")]
)
def test_plurals_are_regular_english(noun: str, expected: str) -> None:
    assert plural(noun) == expected


def test_unseen_words_move_to_their_kinds_and_nothing_else_moves(wordnet: Path) -> None:
    torch.manual_seed(0)
    model = build(CONFIG).eval()
    tokens = tokenizer_of(model)(["a photo of a bird.", "a photo of a sofa.", "a photo of a emu.", "a photo of sofas."])
    before = encode_captions(model, tokens).detach()
    nouns = read_nouns(wordnet)
    captions, steps = ["Two birds sit."] * RARE, []
    defining = iter_define(model, nouns, ["bird", "animal", "sofa"], captions, steps=100, batch_size=32, learning_rate=0.03)
    count = drain(defining, steps.append)
    after = encode_captions(model, tokens).detach()
    assert count == 4  # emu, emus, animals, sofas: "birds" is known from captions, and no kind of "anvil" is known
    assert torch.equal(after[:2], before[:2])
    assert steps[-1].metrics["distance"] < steps[0].metrics["distance"] < 0.2  # to where their kinds are
    assert after[2] @ after[0] > after[2] @ after[1]
    assert after[3] @ after[1] > before[3] @ before[1]  # a plural comes to lie near its singular
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_noun_takes_its_first_sense_that_leads_to_something_taught() -> None:
    torch.manual_seed(0)
    model = build(CONFIG).eval()
    nouns = {"zyzzyva": [[["zyzzyva"], ["nothing taught"]], [["zyzzyva"], ["bird"]], [["zyzzyva"], ["sofa"]]]}
    drain(iter_define(model, nouns, ["bird", "sofa"], [], steps=60, batch_size=16, learning_rate=0.03))
    bird, sofa, noun = encoded(model, "a photo of a bird.", "a photo of a sofa.", "a photo of a zyzzyva.")
    assert noun @ bird > noun @ sofa


def test_vague_words_keep_away_from_the_mean_picture() -> None:
    near = {}
    for away in (False, True):
        torch.manual_seed(0)
        model = build(CONFIG).eval()
        centre = encoded(model, "a photo of a bird.").mean(0)  # where all words lie in a fresh text tower
        options = {"steps": 60, "batch_size": 16, "learning_rate": 0.03, "centre": centre if away else None}
        others = encoded(model, "a photo of a sofa.", "a photo of a tree.") @ centre
        drain(iter_define(model, {"zyzzyva": [[["zyzzyva"], ["bird"]]]}, ["bird", "sofa", "tree"], [], **options))
        near[away] = float(encoded(model, "a photo of a zyzzyva.") @ centre)
    assert near[True] < near[False]
    assert near[True] < 1 - (1 - float(others.mean())) / 4


def test_with_a_tower_rate_names_of_seen_words_learn_and_captions_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    # "wing chair" is made of two words that captions use, so no token of it may move
    captions = ["A wing of a chair by the water."] * RARE
    nouns = {"wing chair": [[["wing chair"], ["sofa"]]]}
    sentences = ("a photo of a wing chair.", captions[0], "a photo of a sofa.", "a photo of a bird.")

    def defined(tower_rate: float) -> tuple[float, float]:
        torch.manual_seed(0)
        model = build(CONFIG).eval()
        before = encoded(model, *sentences)
        drain(iter_define(model, nouns, ["sofa", "bird"], captions, steps=60, batch_size=16, tower_rate=tower_rate))
        after = encoded(model, *sentences)
        return float((after[0] - before[0]) @ before[2]), float((after * before).sum(1)[1:].min())

    assert defined(0.0)[0] == 0
    gained, held = defined(1e-3)
    monkeypatch.setattr(dictionary, "HOLD", 0.0)
    assert gained > 0.005
    assert 1 - held < (1 - defined(1e-3)[1]) / 2


def test_a_recipe_without_steps_only_defines_words(wordnet: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = build(CONFIG).eval()
    start = Start("before", CONFIG, model.state_dict(), tokenizer_of(model))
    for i in range(4):
        (tmp_path / "data/bird").mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (60 * i, 90, 0)).save(tmp_path / f"data/bird/{i}.png")
    recipe = {"settings": {"steps": 0}, "dictionary": {"steps": 40, "batch_size": 16}}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    (tmp_path / "names.json").write_text(json.dumps({"bird": {"synonyms": [], "hypernyms": ["animal"]}}))
    folder = drain(iter_run(Recipe.load(tmp_path, start), tmp_path / "data", tmp_path / "out", wordnet, device="cpu"))
    after = load_file(folder / "open_clip_model.safetensors")
    moved = {name for name, weight in start.weights.items() if not torch.equal(after[name], weight.to(after[name].dtype))}
    assert moved == {"token_embedding.weight"}


def encoded(model: CLIP, *sentences: str) -> torch.Tensor:
    with torch.no_grad():
        return encode_captions(model, tokenizer_of(model)(list(sentences)))
