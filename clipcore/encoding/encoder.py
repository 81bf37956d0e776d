"""The encoder: pictures and texts in, unit vectors out. Torch stays inside; NumPy crosses the border."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from ..errors import BadInput
from ..pictures.reading import ImageSource, open_image
from ..pictures.shrink import shrinker
from ..space import Space
from .device import SAME, default_batch_size
from .engine import Engine, several_convolutions
from .gpu import Compiled, Feed, feed_for
from .image_tower import set_precision
from .int8 import vectors_of
from .tensors import as_array
from .text_cache import MemoryCache, TextCache
from .text_tower import ends, is_causal, pads, reduced, shortened, tower_of
from .turns import Turns

Vectors = np.ndarray  # float32 [n, dim], each row of unit length

MANY = 1000  # texts that are worth a copy of the text tower in half precision


class Encoder:
    """A CLIP model ready for use: `embed_images` and `embed_texts` give float32 [n, dim] of unit length.

    logit_scale  the learned temperature's inverse, already exponentiated (about 100 for OpenAI's models; section 2.3)
    logit_bias   None, or the bias of a model trained with the sigmoid loss (SigLIP), which asks for sigmoid scores
    space        fingerprint, name and dimension; travels with every vector made here
    passes       forward passes of the image tower that may be under way at once: one for each core; two on a CUDA GPU, where
                 one sends its pictures or fetches its vectors while the other computes

    Threads may share an encoder; texts do not wait for pictures.
    """

    def __init__(
        self,
        model: Any,  # open_clip's CLIP, CustomTextCLIP or CoCa; they share names, not a type
        preprocess: Callable[[Any], torch.Tensor],
        tokenizer: Callable[[list[str]], torch.Tensor],
        space: Space,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        tower: nn.Module | None = None,
    ) -> None:
        self.space = space
        self.device = device
        self.dtype = dtype
        self.logit_scale: float = model.logit_scale.exp().item()
        bias = getattr(model, "logit_bias", None)
        self.logit_bias: float | None = None if bias is None else bias.item()
        self.image_size: int = _short_side(model)
        self.batch_size = default_batch_size(device)
        on_cpu, on_cuda = device.type == "cpu", device.type == "cuda"
        self.passes = (os.cpu_count() or 1) if on_cpu else 2 if on_cuda else 1
        self.text_cache: TextCache = MemoryCache()
        self._model = model.to(device).eval()
        # what encodes pictures instead of the model's own
        self._tower: Any = Compiled(self._model.visual) if tower is None and on_cuda else tower
        # Only the image tower is reduced: texts are mostly few, cached, and stay exact. See _for_many.
        set_precision(self._model.visual, dtype)
        # On a CPU, convolutions are up to twice as fast where the channels of a pixel lie together.
        several = several_convolutions(self._model.visual)
        self._layout = torch.channels_last if on_cpu and several else torch.preserve_format
        self._preprocess = preprocess
        self._feed = feed_for(preprocess, device)
        self._shrink = shrinker(preprocess)
        self._tokenizer = tokenizer
        self._turns = Turns(self.passes if on_cpu else 1)
        self._text_lock = threading.Lock()
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

    def cost(self) -> tuple[float, float]:
        """What one picture costs: billions of floating-point operations (a multiplication and an addition are two) in a
        forward pass, and megabytes of all weights."""
        from torch.utils.flop_counter import FlopCounterMode

        size = getattr(self._model.visual, "image_size", self.image_size)
        height, width = (size, size) if isinstance(size, int) else size
        fused = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)  # the counter does not know the fused attention
        learning = [weight for weight in self._model.parameters() if weight.requires_grad]
        try:
            for weight in learning:  # a query that is itself a weight, as SigLIP's, would confuse the counter
                weight.requires_grad_(False)
            with FlopCounterMode(display=False) as counter, self._turns.one(), torch.no_grad():
                self._model.encode_image(torch.zeros(1, 3, height, width, device=self.device, dtype=self.dtype))
        finally:
            torch.backends.mha.set_fastpath_enabled(fused)
            for weight in learning:
                weight.requires_grad_(True)
        weights = sum(p.numel() * p.element_size() for p in self._model.parameters())
        return counter.get_total_flops() / 1e9, weights / 1e6

    def variant(self, model: Any = None, preprocess: "Callable[[Any], torch.Tensor] | None" = None) -> "Encoder":
        """The same but for its model or its preprocessing, to be compared with this one; it remembers texts on its own."""
        parts = (model or self._model, preprocess or self._preprocess, self._tokenizer)
        made = Encoder(*parts, self.space, self.device, self.dtype, None if model else self._tower)
        made.batch_size = self.batch_size
        return made

    def settle(self) -> None:
        """Decide now which engine runs the image tower, where that is still open: before a measurement, above all."""
        if isinstance(self._tower, Engine):
            self._tower.decide()

    # pictures

    def prepare(self, image: ImageSource | torch.Tensor) -> torch.Tensor:
        """A picture as the model's input [3, h, w], on the CPU; for a CUDA GPU, which normalises it, as uint8.

        Safe to call from many threads. Raises BadImage, with the reason.
        """
        preprocess = self._feed.prepare if self._feed else self._preprocess
        image = as_array(image) if isinstance(image, torch.Tensor) else image
        return preprocess(open_image(image, near=self.image_size, shrink=self._shrink))

    def normalised(self, prepared: torch.Tensor) -> torch.Tensor:
        """The model's input, float32 [3, h, w] on the CPU, for what `prepare` gave."""
        feed = self._feed_of(prepared)
        return feed.normalised(feed.send([prepared]))[0].cpu() if feed else prepared

    def _feed_of(self, prepared: torch.Tensor) -> Feed | None:
        """Who normalises a prepared picture; None where that is done already."""
        return self._feed if prepared.dtype == torch.uint8 else None

    def use_one_thread(self) -> None:
        """Let torch compute in the calling thread alone: for decoders, one to each core, that would get in each other's way.

        Threads that begin later are not bound by it.
        """
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        # torch keeps the number for the calling thread, and the last one said for threads to come: say theirs again.
        restore = threading.Thread(target=torch.set_num_threads, args=(before,))
        restore.start()
        restore.join()

    def embed_prepared(self, batch: Sequence[torch.Tensor]) -> Vectors:
        """Vectors of prepared pictures: one forward pass, or several where memory runs out."""
        if not batch:
            return np.zeros((0, self.dim), np.float32)
        vectors = self._forward(batch)
        if vectors is not None:
            return vectors
        # Memory ran out. This stands outside of the except clause, whose traceback would keep the memory from being freed.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(batch) == 1:
            raise BadInput(f"{self.name} does not fit in the memory of {self.device}; use a smaller model, or cpu.")
        half = len(batch) // 2
        self.batch_size = min(self.batch_size, half)
        return np.concatenate([self.embed_prepared(batch[:half]), self.embed_prepared(batch[half:])])

    def _forward(self, batch: Sequence[torch.Tensor]) -> Vectors | None:
        """Vectors of prepared pictures, or None where they do not fit in memory.

        On a GPU a turn is over once the work is queued: the next batch is queued behind it while this one is waited for.
        """
        feed = self._feed_of(batch[0])
        try:
            sent = feed.send(batch) if feed else torch.stack(list(batch))
            with self._turns.one(), torch.no_grad():
                pixels = feed.normalised(sent) if feed else sent
                if not isinstance(self._tower, Engine):  # which knows by itself how it likes them
                    pixels = pixels.to(self.device, self.dtype, memory_format=self._layout)
                vectors = vectors_of(self._tower, pixels) if self._tower else self._model.encode_image(pixels)
            return _unit(vectors)
        except torch.OutOfMemoryError:
            return None
        except RuntimeError as error:
            # how torch says it of the computer's own memory, and of Apple's MPS
            if "can't allocate memory" in str(error) or "out of memory" in str(error):
                return None
            raise

    def embed_images(self, images: Sequence[ImageSource | torch.Tensor] | torch.Tensor) -> Vectors:
        """Vectors of pictures given as paths, bytes, PIL images, arrays [h, w, 3] or, as torchvision has them, tensors
        [3, h, w], also n of them [n, 3, h, w]. Raises BadImage at the first bad one.

        For whole folders use `clipcore.encoding.stream`, which skips bad files and decodes on all cores.
        """
        size = self.batch_size * (self.passes if isinstance(self._tower, Engine) else 1)  # a batch for each of its streams
        starts = range(0, len(images), size)
        chunks = [self.embed_prepared([self.prepare(image) for image in images[i : i + size]]) for i in starts]
        return np.concatenate(chunks) if chunks else np.zeros((0, self.dim), np.float32)

    @contextmanager
    def open_clip_model(self) -> Iterator[Any]:
        """open_clip's own model, for those who look inside it; no one else uses it meanwhile."""
        with self._turns.all(), self._text_lock:
            yield self._model

    # texts

    def count_tokens(self, text: str) -> int:
        """Tokens of a text with its start and end marks."""
        tokenizer: Any = self._tokenizer
        if hasattr(tokenizer, "encode"):  # open_clip's own; it adds two marks
            return len(tokenizer.encode(text)) + 2
        # Hugging Face's, inside open_clip's wrapper
        clean = getattr(tokenizer, "clean_fn", str)
        return len(tokenizer.tokenizer([clean(text)]).input_ids[0])

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
        if len(text.encode()) + 2 <= self.context_length:
            return  # no tokenizer makes more tokens than there are bytes; this spares tokenizing most prompts twice
        tokens = self.count_tokens(text)
        if tokens > self.context_length:
            raise BadInput(
                f"“{text[:60]}…” has {tokens} tokens, but {self.name} reads only {self.context_length}: use fewer words."
            )

    def _encode_texts(self, texts: list[str], batch_size: int = 512) -> Vectors:
        tokens = self._tokenizer(texts)
        if self._trims is None:
            self._trims = self._trimming_is_exact(tokens[:4])
        model = self._for_many(tokens) if len(texts) >= MANY else self._model
        if not self._trims:
            return np.concatenate([self._encode_tokens(batch, model=model) for batch in tokens.split(batch_size)])
        # Texts of like length share a batch, so that few columns are computed for nothing.
        last = ends(tower_of(model), tokens)
        vectors = np.empty((len(texts), self.dim), np.float32)
        for rows in last.argsort().split(batch_size):
            vectors[rows.numpy()] = self._encode_tokens(tokens[rows], int(last[rows].max()) + 1, model)
        return vectors

    def _encode_tokens(self, tokens: torch.Tensor, length: int | None = None, model: Any = None) -> Vectors:
        """Vectors of tokens [n, context]; with `length`, only that many columns are looked at."""
        model = model or self._model
        with self._text_lock, torch.no_grad():
            if length is None:
                return _unit(model.encode_text(tokens.to(self.device)))
            with shortened(tower_of(model), length):
                return _unit(model.encode_text(tokens[:, :length].to(self.device)))

    def _trimming_is_exact(self, tokens: torch.Tensor) -> bool:
        """Whether texts may be cut to the longest in their batch: by the tower's design, and tried on a few real texts."""
        tower = tower_of(self._model)
        if not is_causal(tower) and pads(tower) is None:
            return False
        length = int(ends(tower, tokens).max()) + 1
        difference = np.abs(self._encode_tokens(tokens, length) - self._encode_tokens(tokens))
        return bool(difference.max() < 1e-4)

    def _for_many(self, tokens: torch.Tensor) -> Any:
        """The model in the image tower's type, where a few of the texts say the same in it; else the model as it is."""
        if self.dtype == torch.float32:
            return self._model
        some = tokens[:: max(1, len(tokens) // 8)]
        try:
            with self._text_lock:
                model = reduced(self._model, self.dtype)
            full, half = self._encode_tokens(some), self._encode_tokens(some, model=model)
        except (RuntimeError, NotImplementedError):  # an operation without a kernel for it, or no room for a copy
            return self._model
        # Texts share most of their vector, which would hide a difference: compare what is left without it.
        full, half = full - full.mean(0), half - full.mean(0)
        cosine = (full * half).sum(1) / np.linalg.norm(full, axis=1) / np.linalg.norm(half, axis=1)
        return model if cosine.min() >= SAME else self._model


def _unit(vectors: torch.Tensor) -> Vectors:
    return nn.functional.normalize(vectors.float(), dim=-1).cpu().numpy()


def _short_side(model: Any) -> int:
    size = getattr(model.visual, "image_size", 224)
    return min(size) if isinstance(size, (tuple, list)) else int(size)
