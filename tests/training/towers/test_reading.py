"""Read captions once more: sentences that differ in what can be seen part, names stay, and a picture's words find it."""

import copy

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F

from clipcore.progress import drain
from tests.support.sentence_encoder import sentence_encoder
from training.data.pairs import Pair
from training.towers.clip import encode_captions
from training.towers.join import Seen
from training.towers.pretrained import Classifier, join
from training.towers.reading import Reading, iter_read

WORDS = ["bird", "fish", "car", "red", "blue", "large", "small", "a", "photo", "of", "the"]
KINDS = [(colour, size) for colour in ("red", "blue") for size in ("large", "small")]


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    torch.manual_seed(0)
    trunk = timm.create_model("test_efficientnet", pretrained=False, num_classes=0)
    classifier = Classifier("test_efficientnet", trunk.state_dict(), torch.randn(3, trunk.num_features), torch.zeros(3))
    sentences = sentence_encoder(tmp_path_factory.mktemp("towers") / "sentences", WORDS)
    _, model, tokenizer = join(classifier, sentences, ["bird", "fish", "car"], ["a photo of a {label}."], 32)
    return model, tokenizer, trunk.num_features


def captioned(features: int, views: int) -> tuple[Seen, torch.Tensor]:
    """Pictures of four kinds, which their captions tell apart, seen `views` times; and the kinds themselves."""
    rng = np.random.default_rng(0)
    kinds = rng.random((4, features)).astype(np.float32)
    of = np.arange(64) % 4
    seen = (kinds[of] + 0.05 * rng.standard_normal((views, 64, features))).astype(np.float16)
    told = [f"the {colour} {size} car" for colour, size in KINDS]
    return Seen(seen, [Pair(str(i), b"", captions=(told[k], told[k] + ".")) for i, k in enumerate(of)]), torch.from_numpy(
        kinds
    )


def test_captions_find_their_pictures_and_names_stay(joined):
    model, tokenizer, features = joined
    seen, kinds = captioned(features, 2)
    tower, names = model.visual.trunk, ["bird", "fish", "car", "blue"]
    tower.norm.running_mean.copy_(kinds.mean(0)), tower.norm.running_var.copy_(kinds.var(0))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        stay = encode_captions(model, tokenizer(names))
    settings = Reading(steps=150, batch_size=32, learning_rate=3e-3, head_rate=1e-2, layers=1, hold=30.0, other_pictures=32)
    drain(iter_read(model, tokenizer, [seen], names[:3], names[3:], settings))
    model.eval()
    with torch.no_grad():
        told = encode_captions(model, tokenizer([f"the {colour} {size} car" for colour, size in KINDS]))
        found = F.normalize(tower.join(kinds), dim=1)
        assert (told @ found.T).argmax(1).tolist() == [0, 1, 2, 3]
        assert ((encode_captions(model, tokenizer(names)) * stay).sum(1) > 0.9).all()
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert any(name.startswith("text.transformer.encoder.layer.1.") for name in moved)
    assert not any(name.startswith(("text.transformer.encoder.layer.0.", "visual.trunk.trunk.")) for name in moved)


def test_without_steps_nothing_moves(joined):
    model, tokenizer, features = joined
    seen, _ = captioned(features, 1)
    before = copy.deepcopy(model.state_dict())
    drain(iter_read(model, tokenizer, [seen], ["bird", "fish", "car"], [], Reading()))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_share_of_it_is_kept(joined):
    model, tokenizer, features = joined
    seen, _ = captioned(features, 1)
    start, ways = copy.deepcopy(model.state_dict()), {}
    for share in (0.0, 0.5, 1.0):
        model.load_state_dict(start)
        drain(iter_read(model, tokenizer, [seen], ["bird", "fish", "car"], [], Reading(steps=3, layers=1, share=share)))
        ways[share] = copy.deepcopy(model.state_dict())
    assert all(torch.equal(value, start[name]) for name, value in ways[0.0].items())
    assert not torch.equal(ways[1.0]["visual.trunk.rest.weight"], start["visual.trunk.rest.weight"])
    for name in ("visual.trunk.rest.weight", "text.transformer.encoder.layer.1.output.dense.weight"):
        assert torch.allclose(ways[0.5][name], (ways[1.0][name] + start[name]) / 2, atol=1e-6)
