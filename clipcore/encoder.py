"""The encoder: pictures and texts in, unit vectors out. Torch stays inside; NumPy crosses the border."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from .device import default_batch_size
from .errors import BadInput
from .images import ImageSource, open_image
from .space import Space
from .text_cache import MemoryCache, TextCache

Vectors = np.ndarray  # float32 [n, dim], each row of unit length


class Encoder:
    """A CLIP model ready for use: `embed_images` and `embed_texts` give float32 [n, dim] of unit length.

    logit_scale  the learned temperature's inverse, already exponentiated (about 100 for OpenAI's models; section 2.3)
    logit_bias   None, or the bias of a model trained with the sigmoid loss (SigLIP), which asks for sigmoid scores
    space        fingerprint, name and dimension; travels with every vector made here

    Threads may share an encoder: one forward pass runs at a time.
    """

    def __init__(
        self,
        model: Any,  # open_clip's CLIP, CustomTextCLIP or CoCa; they share names, not a type
        preprocess: Callable[[Any], torch.Tensor],
        tokenizer: Callable[[list[str]], torch.Tensor],
        space: Space,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.space = space
        self.device = device
        self.dtype = dtype
        self.logit_scale = float(model.logit_scale.detach().exp())
        bias = getattr(model, "logit_bias", None)
        self.logit_bias = None if bias is None else float(bias.detach())
        self.image_size: int = _short_side(model)
        self.batch_size = default_batch_size(device)
        self.text_cache: TextCache = MemoryCache()
        self._model = model.to(device).eval()
        # Only the image tower is reduced: texts are few, cached, and stay exact.
        self._model.visual.to(dtype)
        self._preprocess = preprocess
        self._tokenizer = tokenizer
        self._lock = threading.Lock()
        self._trims: bool | None = None  # unknown until the first text: see _trimming_is_exact

    @property
    def name(self) -> str:
        return self.space.name

    @property
    def dim(self) -> int:
        return self.space.dim

    @property
    def context_length(self) -> int:
        """The most tokens a text may have, start and end marks included."""
        return int(getattr(self._tokenizer, "context_length", None) or 77)

    # pictures

    def prepare(self, image: ImageSource) -> torch.Tensor:
        """A picture as the model's input tensor [3, h, w], on the CPU. Safe to call from many threads.

        Raises BadImage, with the reason.
        """
        return self._preprocess(open_image(image, near=self.image_size))

    def embed_prepared(self, batch: Sequence[torch.Tensor]) -> Vectors:
        """Vectors of prepared pictures: one forward pass, or several where memory runs out."""
        if not batch:
            return np.zeros((0, self.dim), np.float32)
        pixels = torch.stack(list(batch))
        try:
            with self._lock, torch.no_grad():
                vectors = self._model.encode_image(pixels.to(self.device, self.dtype))
                return _unit(vectors)
        except torch.OutOfMemoryError:
            if len(batch) == 1:
                raise BadInput(f"{self.name} does not fit in this device's memory; use a smaller model or cpu.") from None
            half = len(batch) // 2
            torch.cuda.empty_cache()
            self.batch_size = min(self.batch_size, half)
            return np.concatenate([self.embed_prepared(batch[:half]), self.embed_prepared(batch[half:])])

    def embed_images(self, images: Sequence[ImageSource]) -> Vectors:
        """Vectors of pictures given as paths, bytes, PIL images or arrays. Raises BadImage at the first bad one.

        For whole folders use `clipcore.stream`, which skips bad files and decodes on all cores.
        """
        chunks = [
            self.embed_prepared([self.prepare(image) for image in images[start : start + self.batch_size]])
            for start in range(0, len(images), self.batch_size)
        ]
        return np.concatenate(chunks) if chunks else np.zeros((0, self.dim), np.float32)

    # texts

    def count_tokens(self, text: str) -> int | None:
        """Tokens of a text with its start and end marks; None where the tokenizer does not tell."""
        encode = getattr(self._tokenizer, "encode", None)
        return len(encode(text)) + 2 if encode else None

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, in order; known ones come from the cache.

        Raises BadInput for a text with more tokens than the model reads, because cutting it silently changes its meaning.
        """
        wanted = list(dict.fromkeys(texts))
        known = dict(self.text_cache.get_many(wanted))
        missing = [text for text in wanted if text not in known]
        for text in missing:
            self._check_length(text)
        if missing:
            fresh = dict(zip(missing, self._encode_texts(missing), strict=True))
            self.text_cache.put_many(fresh)
            known.update(fresh)
        return np.stack([known[text] for text in texts]) if texts else np.zeros((0, self.dim), np.float32)

    def _check_length(self, text: str) -> None:
        tokens = self.count_tokens(text)
        if tokens is not None and tokens > self.context_length:
            raise BadInput(
                f"“{text[:60]}…” has {tokens} tokens, but {self.name} reads only {self.context_length}: use fewer words."
            )

    def _encode_texts(self, texts: list[str], batch_size: int = 512) -> Vectors:
        tokens = self._tokenizer(texts)
        trim = self._can_trim(tokens)
        # Texts of like length share a batch, so that few columns are computed for nothing.
        order = torch.argsort((tokens != 0).sum(1)) if trim else torch.arange(len(texts))
        vectors = np.empty((len(texts), self.dim), np.float32)
        for rows in order.split(batch_size):
            vectors[rows.numpy()] = self._encode_tokens(tokens[rows], trim)
        return vectors

    def _encode_tokens(self, tokens: torch.Tensor, trim: bool) -> Vectors:
        tower = getattr(self._model, "text", self._model)
        with self._lock, torch.no_grad():
            if not trim:
                return _unit(self._model.encode_text(tokens.to(self.device)))
            length = _end_of_text(tower, tokens)
            with _shortened(tower, length):
                return _unit(self._model.encode_text(tokens[:, :length].to(self.device)))

    def _can_trim(self, tokens: torch.Tensor) -> bool:
        """Whether texts may be cut to the longest in their batch: by the tower's design, and tried once on real texts."""
        if self._trims is None:
            tower = getattr(self._model, "text", self._model)
            self._trims = _is_causal(tower)
            if self._trims:
                few = tokens[:4]
                difference = np.abs(self._encode_tokens(few, trim=True) - self._encode_tokens(few, trim=False)).max()
                self._trims = bool(difference < 1e-4)
        return self._trims


def _unit(vectors: torch.Tensor) -> Vectors:
    return nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()


def _short_side(model: Any) -> int:
    size = getattr(model.visual, "image_size", 224)
    return min(size) if isinstance(size, (tuple, list)) else int(size)


# Trimming. In a causal text tower that reads its answer at the end-of-text token, later positions are never looked at:
# leaving them out changes nothing and saves most of the work, because prompts have about 10 tokens of the 77.


def _pool_type(tower: Any) -> str:
    return str(getattr(tower, "pool_type", None) or getattr(tower, "text_pool_type", ""))


def _is_causal(tower: Any) -> bool:
    mask = getattr(tower, "attn_mask", None)
    return (
        isinstance(mask, torch.Tensor)
        and mask.ndim == 2
        and bool(torch.isinf(mask).triu(1).sum() == mask.shape[0] * (mask.shape[0] - 1) // 2)
        and getattr(tower, "cls_emb", None) is None
        and _pool_type(tower) in ("argmax", "eos")
    )


def _end_of_text(tower: Any, tokens: torch.Tensor) -> int:
    """Columns up to and including the last end-of-text token of the batch."""
    if _pool_type(tower) == "argmax":
        return int(tokens.argmax(1).max()) + 1
    end = int(getattr(tower, "eos_id", None) or tower.text_eos_id)
    return int(tokens.eq(end).int().argmax(1).max()) + 1


@contextmanager
def _shortened(tower: Any, length: int) -> Iterator[None]:
    """Let the tower read `length` positions; the caller holds the encoder's lock."""
    positions, mask = tower.positional_embedding, tower.attn_mask
    tower.positional_embedding = nn.Parameter(positions[:length], requires_grad=False)
    tower.attn_mask = mask[:length, :length]
    try:
        yield
    finally:
        tower.positional_embedding, tower.attn_mask = positions, mask
