"""The last layers of a sentence encoder learn what nouns are kinds of, and what is held stays."""

import copy

import open_clip
import pytest
import timm
import torch

from clipcore.progress import drain
from tests.support.sentence_encoder import sentence_encoder
from training.towers.clip import encode_captions
from training.towers.lexicon import Lexicon, iter_learn_nouns, nouns
from training.towers.pretrained import CONTEXT, Classifier, join

WORDS = ["bird", "fish", "wren", "trout", "car", "red", "a", "photo", "of", "the", "sentence", "that", "is", "held"]


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    folder = tmp_path_factory.mktemp("towers")
    trunk = timm.create_model("test_efficientnet", pretrained=False, num_classes=3)
    classifier = Classifier("test_efficientnet", trunk.state_dict(), torch.randn(3, trunk.num_features), torch.zeros(3))
    trunk.reset_classifier(0)
    classifier = Classifier("test_efficientnet", trunk.state_dict(), classifier.weight, classifier.bias)
    sentences = sentence_encoder(folder / "sentences", WORDS)
    _, model, tokenizer = join(classifier, sentences, ["bird", "fish", "car"], ["a photo of a {label}."], 32)
    assert isinstance(tokenizer, open_clip.tokenizer.HFTokenizer)
    assert tokenizer.context_length == CONTEXT
    return model, tokenizer


@torch.no_grad()
def said(joined, texts):
    model, tokenizer = joined
    return encode_captions(model, tokenizer(texts))


def test_nouns_come_to_lie_near_their_kinds(joined):
    model, tokenizer = joined
    held = ["car", "a photo of the red car", "a sentence that is held"]
    kinds, before = said(joined, ["bird", "fish"]), said(joined, ["wren", "trout"])
    stays, first = said(joined, held), copy.deepcopy(model.text.transformer.encoder.layer[0].state_dict())
    told = [("wren", ("bird",)), ("trout", ("fish",)), ("car", ("fish",))]
    settings = Lexicon(steps=80, batch_size=16, learning_rate=3e-3, layers=1)
    assert drain(iter_learn_nouns(model, tokenizer, told, held, settings)) == 2  # a car is held
    after = said(joined, ["wren", "trout"])
    assert ((after * kinds).sum(1) > (before * kinds).sum(1) + 0.05).all()  # to the middle between both is the whole way
    assert ((said(joined, held) * stays).sum(1) > 0.9).all()
    for name, value in model.text.transformer.encoder.layer[0].state_dict().items():
        assert torch.equal(value, first[name])


def test_without_nouns_nothing_is_done(joined):
    model, tokenizer = joined
    assert drain(iter_learn_nouns(model, tokenizer, [("car", ("fish",))], ["car"], Lexicon(steps=5))) == 0


def test_kinds_are_those_that_people_say():
    kinds = dict(nouns())
    assert kinds["kingfisher"] == ("coraciiform bird", "bird", "animal")
    assert kinds["schooner"] == ("sailing vessel", "vessel", "vehicle")
    assert kinds["rooster"][0] == "cock"  # a synonym, the usual name
    assert "Paris" not in kinds
    assert "paris" not in kinds
