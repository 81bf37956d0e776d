"""How long a training will take: a few timed steps of the real model on some of the real data, times what there is to do.

Nothing is kept. A model so slow that a batch takes seconds is timed on few pictures, for then time grows with their number.
Of several shards of one name the first is counted, and the others by their size.
"""

import math
import os
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clipcore import models
from clipcore.classify.prompts import pack
from clipcore.classify.zeroshot import zero_shot_classifier
from clipcore.errors import BadInput
from clipcore.progress import Step, duration

from ..data.captions import Captioner
from ..data.pairs import find_sources
from ..data.pixels import Pixels, iter_cache
from ..data.samples import Pair
from ..data.samples import learns as learns_from
from ..data.survey import Survey, iter_survey
from ..distributed import World
from ..towers.batches import from_pixels
from ..towers.clip import score, side_of
from ..towers.contrastive import learn
from ..towers.finetune import Learner
from ..towers.initial_weights import Start
from ..towers.run_state import Run
from ..towers.text_init import iter_spread_names
from ..towers.wise_ft import ALPHAS
from .finetune_run import TunePlan
from .recipe import HELD_OUT_MOST, Recipe, is_held_out, sources_of
from .request import Plan

SECONDS = 6.0  # of timing one thing, about
FEW = 8  # pictures of the first step, which shows how slow the model is
SOME = 64  # pictures that are looked at without learning
TEXTS = 64


@dataclass(frozen=True)
class Estimate:
    """images: how many are learned from, about; seconds: in all, at most; sentence: the same in words."""

    images: int
    seconds: float
    sentence: str


def iter_estimate_tuning(plan: TunePlan, device: str = "auto") -> Generator[Step, None, Estimate]:
    """How long `training.runs.finetune_run.iter_tune` will take. Raises BadInput as that does."""
    yield Step(0, message=f"loading {plan.model}")
    with _clock() as loading:
        start, encoder = Start.load(plan.model), models.load(plan.model, device="cpu")
    labels = set(plan.labels)

    def learns(pair: Pair) -> bool | None:
        wanted = pair.name and (pair.name in labels or not labels)
        return learns_from(pair, is_held_out(pair.key, plan.held_out)) if wanted else None

    found = yield from iter_survey([p for path in plan.data for p in find_sources(path)], learns)
    others = yield from iter_survey([p for path in plan.shifts for p in find_sources(path)], lambda pair: False)
    if len(found.names) < 2:
        raise BadInput("Fine-tuning tells classes apart; give pictures of at least two.")
    pictures, reading = yield from _iter_read(found, side_of(start.config))
    yield Step(0, message="timing the model")
    head = zero_shot_classifier(encoder, sorted({str(pair.name) for pair in pictures.pairs}), pack("bare"))
    texts = [text for name in sorted(found.names) for text in plan.prompts.texts(name)]
    with _clock() as words:
        encoder.embed_texts(texts[:TEXTS])
    tuning = plan.tuning.fitting(found.learned, len(found.names))
    learner = Learner(start, head, tuning, str(World.join(device).device))
    _, targets = learner.labelled(pictures)

    def step_of(count: int) -> Callable[[], object]:
        items = np.resize(np.arange(len(pictures)), count)
        return lambda: list(learner.batches(pictures.take(items), targets[items], 1))

    batch = min(plan.tuning.batch_size, math.ceil(found.learned))
    step = yield from _iter_time(step_of, batch)
    some = np.arange(min(SOME, len(pictures)))
    with _clock() as check:
        learner.check((pictures.take(some), targets[some]))
    looking = check.seconds / len(some)  # a picture
    epochs, epoch = plan.tuning.epochs, math.ceil(found.learned / batch) * step + found.held_out * looking
    before = loading.seconds + reading * (found.learned + found.held_out + others.held_out)
    before += words.seconds * len(texts) / len(texts[:TEXTS]) + looking * found.learned
    after = loading.seconds + len(ALPHAS) * (found.held_out + others.held_out) * looking  # the mixture is loaded, too
    seconds = before + epochs * epoch + after
    passes = f"{duration(epoch)} for each of {epochs} epochs" if epochs > 1 else f"{duration(epoch)} for one epoch"
    sentence = (
        f"About {duration(seconds)} at most: {duration(before)} to begin, {passes} over {found.learned:,.0f} images, "
        f"{duration(after)} for the mixtures. It ends sooner if the held-out images get no better."
    )
    return Estimate(round(found.learned), seconds, sentence)


def iter_estimate_training(plan: Plan, device: str = "auto") -> Generator[Step, None, Estimate]:
    """How long `Plan.iter_run` will take, for a plan that is complete. Raises BadInput as that does."""
    recipe = plan.load_recipe()
    if recipe.towers:
        raise BadInput("How long two towers take to be joined cannot be estimated; say with --minutes how long they may.")
    found = yield from iter_survey(sources_of(recipe, plan.data), lambda pair: recipe.trains_on(pair))
    pictures, reading = yield from _iter_read(found, recipe.pixels or side_of(recipe.config))
    yield Step(0, message="timing the model")
    settings, world = recipe.settings, World.join(device)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        weights, tokenizer = (recipe.start.weights, recipe.start.tokenizer) if recipe.start else (None, None)
        run = Run(recipe.config, Path(folder), settings, world, weights, tokenizer)
        words = yield from _iter_time_words(run, recipe, found)
        yield from run.iter_begin(None)
        with closing(run):
            sizes, steps = run.sizes, []
            batch = min(settings.batch_size, max(world.size, math.ceil(found.learned)))
            for _, side in sizes:
                run.sizes = ((0.0, side),)
                step = yield from _iter_time(lambda count: _step_of(run, recipe, pictures, count), batch)
                # what is streamed is decoded meanwhile, and the slower of the two decides
                steps.append(max(step, batch * reading / (os.cpu_count() or 1)) if plan.stream else step)
            some = pictures.take(np.arange(min(SOME, len(pictures))))
            with _clock() as scoring:
                score(run.ema.model, some, sizes[-1][1], run.tokenizer)
    shares = [end - begin for (begin, _), end in zip(sizes, [*(begin for begin, _ in sizes[1:]), 1.0], strict=True)]
    if settings.minutes:
        count = sum(60 * settings.minutes * share / step for share, step in zip(shares, steps, strict=True))
        training = 60 * settings.minutes
    else:
        count = float(settings.steps)
        training = sum(count * share * step for share, step in zip(shares, steps, strict=True))
    before = words if plan.stream else words + reading * (found.learned + found.held_out)
    times = 1 + training // (60 * settings.evaluate_minutes)
    held_out = min(found.held_out, HELD_OUT_MOST) if plan.stream else found.held_out
    after = times * held_out * scoring.seconds / len(some)
    seconds, passes = before + training + after, count * batch / max(1.0, found.learned)
    sentence = (
        f"About {duration(seconds)}: {duration(before)} before the first step, {duration(training)} of training, "
        f"{duration(after)} of looking at held-out images. That is {count:,.0f} steps; {found.learned:,.0f} images are seen "
        f"{_times(passes)}."
    )
    if recipe.dictionary:
        sentence += " Words are defined by WordNet after that."
    return Estimate(round(found.learned), seconds, sentence)


def _times(passes: float) -> str:
    if passes < 0.95:
        return f"less than once ({passes:.0%} of them)"
    return "once" if passes < 1.5 else f"{passes:,.0f} times"


def _iter_read(found: Survey, side: int) -> Generator[Step, None, tuple[Pixels, float]]:
    """The pictures that were drawn, decoded, and the seconds it takes for each."""
    yield Step(0, message="reading a few images")

    def in_time() -> Iterator[Pair]:
        end = time.perf_counter() + SECONDS
        for i, pair in enumerate(found.some):
            if i >= FEW and time.perf_counter() > end:
                return
            yield pair

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with _clock() as took:
            cached = yield from iter_cache(in_time(), folder, side)
        return Pixels(np.array(cached.images), cached.pairs), took.seconds / len(cached)


def _iter_time(step_of: Callable[[int], Callable[[], object]], batch: int) -> Generator[Step, None, float]:
    """Seconds of a step with `batch` pictures; `step_of` prepares one of so many."""
    few = min(FEW, batch)
    step = step_of(few)
    step()  # the first has much to set up
    with _clock() as took:
        step()
    yield Step(0, message="timing the model")
    guessed = took.seconds * batch / few
    if 4 * guessed > SECONDS:
        return guessed
    step, seconds = step_of(batch), []
    for turn in range(4):
        with _clock() as took:
            step()
        yield Step(0, message="timing the model")
        if turn:
            seconds.append(took.seconds)
    return sorted(seconds)[1]


def _step_of(run: Run, recipe: Recipe, pictures: Pixels, count: int) -> Callable[[], object]:
    """A step of contrastive training with so many pictures."""
    some = pictures.take(np.resize(np.arange(len(pictures)), count))
    captioner = Captioner(some.pairs, recipe.names, run.settings.hypernym_weight, run.settings.hypernyms_per_batch)
    settings = replace(run.settings, batch_size=count)
    batches = from_pixels(some, captioner, run.tokenizer, settings, run.world, 0)

    def step() -> None:
        began = time.perf_counter()
        run.count(learn(run, next(batches)), began)

    return step


def _iter_time_words(run: Run, recipe: Recipe, found: Survey) -> Generator[Step, None, float]:
    """Seconds that the text tower alone learns before all else."""
    settings = run.settings
    if not settings.text_steps:
        return 0.0
    named = [Pair("", b"", (), name) for name in sorted(found.names)]
    captioner = Captioner(named, recipe.names, settings.hypernym_weight, settings.hypernyms_per_batch)
    few = replace(settings, text_steps=2, log_every=2)
    with _clock() as took:
        yield from iter_spread_names(run.model, captioner, run.tokenizer, few, run.bf16)
    return took.seconds * settings.text_steps / 2


class _Took:
    seconds = 0.0


@contextmanager
def _clock() -> Iterator[_Took]:
    took, began = _Took(), time.perf_counter()
    yield took
    took.seconds = time.perf_counter() - began
