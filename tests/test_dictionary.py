"""WordNet's nouns, and what they do to the words that training never met."""

from pathlib import Path

import pytest
import torch

from clipcore.progress import drain
from tests.test_contrastive import CONFIG
from training.clip import build, encode_captions, tokenizer_of
from training.dictionary import iter_define, read_nouns, without

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


def test_held_out_names_are_left_out_in_singular_and_plural() -> None:
    nouns = {"emu": [], "emu egg": [], "bird": [], "face": []}
    assert without(nouns, ["emus", "Faces easy"]).keys() == {"bird"}


def test_unseen_words_move_to_their_kinds_and_nothing_else_moves(wordnet: Path) -> None:
    torch.manual_seed(0)
    model = build(CONFIG).eval()
    tokens = tokenizer_of(model)(["a photo of a bird.", "a photo of a sofa.", "a photo of a emu."])
    before = encode_captions(model, tokens).detach()
    nouns = read_nouns(wordnet)
    count = drain(
        iter_define(model, nouns, ["bird", "animal", "sofa"], ["Two birds sit."], steps=40, batch_size=8, learning_rate=0.1)
    )
    after = encode_captions(model, tokens).detach()
    assert count == 1  # "emu": "bird" and "animal" are known, and of "anvil" no kind is
    assert torch.equal(after[:2], before[:2])
    assert after[2] @ after[0] > before[2] @ before[0]
    assert after[2] @ after[0] > after[2] @ after[1]
    assert all(parameter.requires_grad for parameter in model.parameters())
