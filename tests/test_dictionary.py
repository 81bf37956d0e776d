"""WordNet's nouns, and what they do to the words that training never met."""

from pathlib import Path

import pytest
import torch

from clipcore.progress import drain
from tests.test_contrastive import CONFIG
from training.clip import build, encode_captions, tokenizer_of
from training.dictionary import RARE, iter_define, plural, read_nouns, without

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
    assert nouns.keys() == {"animal", "anvil", "bird", "emu"}
    assert nouns["emu"] == [["emu", "Dromaius"], ["bird"], ["animal"], ["physical entity"]]


def test_held_out_names_are_left_out_with_their_synonyms_in_singular_and_plural() -> None:
    names = [["emu"], ["emu egg"], ["bird"], ["face"], ["visage", "face"]]
    nouns = {words[0]: [words, ["thing"]] for words in names}
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
