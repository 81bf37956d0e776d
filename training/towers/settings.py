"""What a run of contrastive training is made of; `training.runs.recipe` reads it from a file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What a run is made of. `minutes`, if given, replaces `steps` as the length of the schedule (of time spent training):
    it keeps a promise on a busy computer, but then no two runs are quite alike."""

    batch_size: int = 512  # pictures of all processes together
    steps: int = 10_000  # 0 for a recipe that only defines words
    minutes: float | None = None
    learning_rate: float = 3e-3
    text_rate: float = 0.4  # times learning_rate, for the text tower
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    warmup: float = 0.05  # share of the schedule
    clip_norm: float = 1.0
    ema: float = 0.999
    sizes: tuple[tuple[float, int], ...] = ()  # from which share of the schedule on pictures have which side; () the model's
    chunk: int = 64  # pictures that go through the image tower together; on a CPU a chunk that fits its cache is faster
    accumulate: int = 1  # parts a batch is learned in, to save memory: the gradients stay those of the whole batch
    bf16: bool | None = None  # half the bits in the towers; None: on CUDA only, for elsewhere convolutions get slower
    restyled: float = 0.0  # share of the pictures shown as a drawing, a painting, a cartoon or in grey
    seed: int = 0
    text_steps: int = 0  # of the text tower alone, before all else
    hypernym_weight: float = 0.15
    hypernyms_per_batch: int = 48
    shuffle: int = 4096  # samples among which a streamed set is shuffled
    log_every: int = 20
    patience: int = 200  # steps at the loss of guessing before that is said
    save_minutes: float = 5.0
    evaluate_minutes: float = 10.0

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError("steps must be at least 0")
        for name in ("batch_size", "chunk", "accumulate", "shuffle", "log_every", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
