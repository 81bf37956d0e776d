"""The encoder: however the work is cut, cached, shared or trimmed, the vectors are open_clip's."""

import copy
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from clipcore import BadImage, BadInput, models
from clipcore.encoding.encoder import Encoder
from clipcore.encoding.text_cache import MemoryCache
from clipcore.encoding.text_tower import reduced, tower_of
from tests.support.sentences import assert_sentence
from tests.support.small_clip import (
    CLIP,
    COCA,
    SIGLIP,
    pictures,
    their_image_vectors,
    their_text_vectors,
    theirs,
    write_model,
)

TEXTS = ["cat", "a photo of a dog, a type of pet.", "!", "wow!!! 猫 and 123", "a " * 70 + "b", "", "cat"]


@pytest.fixture(scope="module")
def name(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def loaded(name):
    return models.load(name, "cpu", "fp32")


@pytest.fixture
def clip(loaded):
    """An encoder that knows nothing yet; only the weights are shared, because loading takes a third of a second."""
    clip = copy.copy(loaded)
    clip.text_cache = MemoryCache()
    return clip


# pictures


def test_images_are_open_clips(clip, name):
    model, preprocess, _ = theirs(name)
    images = pictures(5)
    vectors = clip.embed_images(images)
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, clip.dim) == (5, 24)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.allclose(vectors, their_image_vectors(model, preprocess, images), atol=2e-6)


def test_however_the_batch_is_cut(clip):
    images = pictures(7)
    together = clip.embed_images(images)
    for size in (1, 3, 7, 100):
        clip.batch_size = size
        assert np.allclose(clip.embed_images(images), together, atol=2e-6)
    assert clip.embed_images([]).shape == (0, 24)
    assert clip.embed_prepared([]).shape == (0, 24)


def test_images_of_every_kind(clip, tmp_path):
    image = pictures(1)[0]
    image.save(tmp_path / "a.png")
    sources = [image, np.asarray(image), tmp_path / "a.png", str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()]
    vectors = clip.embed_images(sources)
    assert np.allclose(vectors, vectors[:1], atol=1e-6)
    with pytest.raises(BadImage):
        clip.embed_images([image, b"text"])


def test_tensors_are_pictures_too(clip):
    arrays = [np.asarray(picture) for picture in pictures(3)]
    expected = clip.embed_images(arrays)
    stacked = torch.stack([torch.from_numpy(array).permute(2, 0, 1) for array in arrays])  # as torchvision has them
    np.testing.assert_array_equal(clip.embed_images(stacked), expected)
    np.testing.assert_array_equal(clip.embed_images([*(stacked.float() / 255)]), expected)
    grey = torch.full((1, 20, 30), 128, dtype=torch.uint8)
    np.testing.assert_array_equal(clip.embed_images([grey]), clip.embed_images([np.full((20, 30, 3), 128, np.uint8)]))
    for wrong in (
        stacked[0].float(),
        stacked[0].float() / 255 - 0.5,
        stacked[0].permute(1, 2, 0),
        torch.full((3, 4, 4), np.nan),
    ):
        with pytest.raises(BadImage) as caught:
            clip.embed_images([wrong])
        assert_sentence(caught.value)


def test_scaled_decoding_changes_nothing_that_matters(clip, tmp_path, name):
    pictures(1, size=(1200, 900))[0].save(tmp_path / "large.jpg", quality=95)
    model, preprocess, _ = theirs(name)
    from PIL import Image

    with Image.open(tmp_path / "large.jpg") as image:
        expected = their_image_vectors(model, preprocess, [image])
    assert (clip.embed_images([tmp_path / "large.jpg"]) * expected).sum() > 0.9999


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1.00 GB, max allowed: 1.00 GB)"),
    ],
)
def test_out_of_memory_halves_the_batch_and_changes_nothing(clip, monkeypatch, error):
    images = pictures(11)
    expected = clip.embed_images(images)
    encode_image, tried = clip._model.encode_image, []

    def small_memory(pixels):
        tried.append(len(pixels))
        if len(pixels) > 3:
            raise error
        return encode_image(pixels)

    monkeypatch.setattr(clip._model, "encode_image", small_memory)
    clip.batch_size = 8
    assert np.allclose(clip.embed_images(images), expected, atol=2e-6)
    assert tried[0] == 8
    assert clip.batch_size <= 3  # learnt for the next time
    tried.clear()
    assert np.allclose(clip.embed_images(images), expected, atol=2e-6)
    assert max(tried) <= 3


def nobody_holds(clip) -> bool:
    """Whether someone who wants the model alone gets it."""

    def ask():
        with clip.open_clip_model():
            pass

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(5)
    return not asking.is_alive()


def test_no_memory_even_for_one(clip, monkeypatch):
    def no_memory(pixels):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(clip._model, "encode_image", no_memory)
    with pytest.raises(BadInput, match="smaller model") as caught:
        clip.embed_images(pictures(4))
    assert nobody_holds(clip)
    assert str(caught.value).startswith("local-dir:small does not fit")


def test_bf16_touches_only_pictures(name, clip):
    reduced = models.load(name, "cpu", "bf16")
    assert reduced.dtype == torch.bfloat16
    images = pictures(4)
    vectors = reduced.embed_images(images)
    assert vectors.dtype == np.float32
    assert (vectors * clip.embed_images(images)).sum(1).min() > 0.999
    assert not np.array_equal(vectors, clip.embed_images(images))
    assert np.array_equal(reduced.embed_texts(TEXTS), clip.embed_texts(TEXTS))
    assert reduced.space == clip.space


# texts


@pytest.mark.parametrize(
    "config", [CLIP, SIGLIP, COCA, {**CLIP, "custom_text": True}], ids=["clip", "siglip", "cls", "custom"]
)
def test_texts_are_open_clips(tmp_path, config):
    name = write_model(tmp_path / "model", config)
    clip = models.load(name, "cpu", "fp32")
    model, _, tokenizer = theirs(name)
    texts = [text for text in TEXTS if clip.count_tokens(text) <= clip.context_length]
    assert len(texts) >= 6
    assert np.allclose(clip.embed_texts(texts), their_text_vectors(model, tokenizer, texts), atol=5e-6)
    assert clip._trims == (config not in (SIGLIP, COCA))


@pytest.mark.parametrize("config", [CLIP, COCA, {**CLIP, "custom_text": True}], ids=["clip", "cls", "custom"])
def test_many_texts_at_once_are_encoded_in_half_precision(tmp_path, monkeypatch, config):
    monkeypatch.setattr("clipcore.encoding.encoder.MANY", 100)
    name = write_model(tmp_path / "model", config)
    full, half = models.load(name, "cpu", "fp32"), models.load(name, "cpu", "bf16")
    texts = [f"{number} {word}" for number in range(25) for word in ("cats", "red", "a b c", "of it")]
    exact = full.embed_texts(texts)
    vectors = half.embed_texts(texts)
    assert 0.999 < (vectors * exact).sum(1).min() < 1
    assert not np.array_equal(vectors, exact)
    few = models.load(name, "cpu", "bf16").embed_texts(texts[:99])  # the tower itself is as it was
    assert np.allclose(few, exact[:99], atol=5e-6)
    assert np.allclose(half.embed_texts(["not seen before"]), full.embed_texts(["not seen before"]), atol=5e-6)


def off(model, dtype):
    """A copy in which every text says something else."""
    made = reduced(model, dtype)
    tower = tower_of(made)
    tower.positional_embedding.data = torch.randn_like(tower.positional_embedding) * 3
    return made


def no_room(model, dtype):
    raise RuntimeError("out of memory")


@pytest.mark.parametrize("copied", [off, no_room])
def test_half_precision_that_changes_texts_is_not_used(name, clip, monkeypatch, copied):
    monkeypatch.setattr("clipcore.encoding.encoder.MANY", 5)
    monkeypatch.setattr("clipcore.encoding.encoder.reduced", copied)
    texts = ["one", "two", "three cats", "four", "five dogs", "six"]
    assert np.array_equal(models.load(name, "cpu", "bf16").embed_texts(texts), clip.embed_texts(texts))


def test_texts_are_trimmed_and_sorted_by_length(clip, monkeypatch):
    assert clip.embed_texts([]).shape == (0, 24)
    clip.embed_texts(["warm up"])
    shapes, encode_text = [], clip._model.encode_text
    monkeypatch.setattr(clip._model, "encode_text", lambda tokens: shapes.append(tuple(tokens.shape)) or encode_text(tokens))
    texts = ["one two three four five six seven", "one", "one two three", "one two"]
    vectors = clip._encode_texts(texts, batch_size=2)
    assert shapes == [(2, 4), (2, 9)]
    clip._trims = False
    assert np.allclose(vectors, clip._encode_texts(texts), atol=2e-6)


def test_a_tower_that_disagrees_with_its_design_is_not_trimmed(clip, monkeypatch):
    """The design says causal, but the answer depends on the padding: the trial on real texts finds out."""
    encode_text = clip._model.encode_text
    monkeypatch.setattr(clip._model, "encode_text", lambda tokens: encode_text(tokens) + tokens.shape[1])
    full = clip.embed_texts(["cat", "dog"])
    assert clip._trims is False
    clip.text_cache = MemoryCache()
    assert np.array_equal(clip.embed_texts(["cat", "dog"]), full)


def test_texts_are_encoded_once(clip, monkeypatch):
    encoded, encode = [], clip._encode_texts
    monkeypatch.setattr(clip, "_encode_texts", lambda texts: encoded.append(list(texts)) or encode(texts))
    first = clip.embed_texts(["cat", "dog", "cat"])
    assert encoded == [["cat", "dog"]]
    assert np.array_equal(first[0], first[2])
    first[:] = 0  # what the caller does to the answer does not reach the cache
    second = clip.embed_texts(["bird", "dog"])
    assert encoded == [["cat", "dog"], ["bird"]]
    assert np.linalg.norm(second, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_memory_cache_forgets_rather_than_grows():
    cache = MemoryCache(limit=3)
    cache.put_many({"a": np.zeros(1), "b": np.zeros(1)})
    cache.put_many({"c": np.zeros(1)})
    assert set(cache.get_many(["a", "b", "c", "d"])) == {"a", "b", "c"}
    cache.put_many({"d": np.zeros(1)})
    assert set(cache.get_many(["a", "b", "c", "d"])) == {"d"}


def test_too_many_tokens_are_never_cut(clip):
    fits, too_long = "cat " * 75, "cat " * 76
    assert clip.count_tokens(fits) == clip.context_length == 77
    clip.embed_texts([fits])
    with pytest.raises(BadInput, match="78 tokens") as caught:
        clip.embed_texts(["cat", too_long])
    assert_sentence(caught.value)
    assert "77" in str(caught.value)


def test_tokens_of_a_hugging_face_tokenizer_are_counted(clip):
    """Such a tokenizer has no `encode` of open_clip's kind, and cuts in silence."""
    inner = lambda texts: SimpleNamespace(input_ids=[[0, *range(len(text.split())), 2] for text in texts])  # noqa: E731
    clip._tokenizer = SimpleNamespace(tokenizer=inner, clean_fn=str.strip, context_length=5)
    assert clip.count_tokens(" one two three ") == 5
    with pytest.raises(BadInput, match="6 tokens"):
        clip.embed_texts(["one two three four"])


# threads


def test_threads_share_an_encoder(clip, monkeypatch):
    """Trimming changes the tower for a moment; nobody else may see it."""
    images = pictures(3)
    lists = [[f"{'word ' * n}number {n} of {i}" for n in range(i + 1, 40, 5)] for i in range(6)]
    image_vectors = clip.embed_images(images)
    expected = [clip.embed_texts(texts) for texts in lists]
    clip.text_cache = MemoryCache(limit=8)  # forgets all the time
    encode_text = clip._model.encode_text
    # a pause in the middle of a trimmed pass, for the others to get in the way
    monkeypatch.setattr(clip._model, "encode_text", lambda tokens: time.sleep(0.002) or encode_text(tokens))
    wrong, stop = [], threading.Event()

    def work(i):
        for _ in range(5):
            if not np.allclose(clip.embed_texts(lists[i]), expected[i], atol=5e-6):
                wrong.append(i)
            if not np.allclose(clip.embed_images(images), image_vectors, atol=5e-6):
                wrong.append("image")
        stop.set()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stop.is_set()
    assert not wrong
    assert clip._model.positional_embedding.shape[0] == 77
    assert clip._model.attn_mask.shape == (77, 77)


def test_one_thread_binds_only_the_thread_that_asks(clip):
    before, seen = torch.get_num_threads(), {}

    def worker():
        clip.use_one_thread()
        seen["worker"] = torch.get_num_threads()

    def later():
        seen["later"] = torch.get_num_threads()

    for work in (worker, later):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert seen == {"worker": 1, "later": before}
    assert torch.get_num_threads() == before


def test_encoder_leaves_a_failed_trim_as_it_was(clip, monkeypatch):
    clip.embed_texts(["cat"])

    def broken(tokens):
        raise RuntimeError("boom")

    monkeypatch.setattr(clip._model, "encode_text", broken)
    with pytest.raises(RuntimeError, match="boom"):
        clip.embed_texts(["dog"])
    assert clip._model.positional_embedding.shape[0] == 77
    assert nobody_holds(clip)


def test_names(clip):
    assert isinstance(clip, Encoder)
    assert (clip.name, clip.dim, clip.image_size) == ("local-dir:small", 24, 32)
    assert clip.logit_scale == pytest.approx(50, rel=1e-5)
    assert clip.logit_bias is None
