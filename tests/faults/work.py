"""What the processes do that are killed. Each says "begin" when it begins, and what it has promised a person to keep."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from clipcore import zero_shot_classifier
from storage import Library
from storage.export import class_folders, iter_carry_out, iter_finish, iter_undo
from storage.restoring import restore
from tests.support.fakes import FakeEncoder

Say = Callable[[Any], None]
CLASSES = ["red", "green"]


class Unhurried(FakeEncoder):
    """Takes a moment for each batch, so that there is a middle to be killed in."""

    def embed_prepared(self, batch):
        time.sleep(0.005)
        return super().embed_prepared(batch)


def bring_in(say: Say, home: Path, folder: Path) -> None:
    """Import a folder; says how many pictures are in."""
    with Library(home, Unhurried()) as library:
        say("begin")
        for step in library.iter_add(folder):
            say(step.done)


def teach(say: Say, home: Path) -> None:
    """Label pictures one by one and teach a classifier with them now and then; says each label and version that is kept."""
    from training import teach as give_lesson

    encoder = FakeEncoder()
    with Library(home, encoder) as library:
        start = zero_shot_classifier(encoder, CLASSES)
        images = library.images()
        say("begin")
        for turn in range(10_000):
            image = images[turn % len(images)]
            library.labels.move([image.id], label := CLASSES[turn // len(images) % 2], CLASSES)
            say((image.id, label))
            if turn % 20 == 19:
                lesson = give_lesson(library.labels.examples(CLASSES), start)
                say(("version", library.classifiers.save(lesson.kept, "taught").version))


def export(say: Say, home: Path, target: Path) -> None:
    """Move every picture into class folders; or go on with that."""
    encoder = FakeEncoder()
    with Library(home, encoder) as library:
        undo = home / "exports" / "undo-test.json"
        say("begin")
        if undo.exists():
            steps = iter_finish(undo, library.exchange.moved)
        else:
            answers = library.exchange.answers(zero_shot_classifier(encoder, CLASSES))
            steps = iter_carry_out(class_folders(answers, target, "move"), undo, library.exchange.moved)
        for step in steps:
            say(step.done)


def take_back(say: Say, home: Path) -> None:
    """Take the moves back."""
    with Library(home) as library:
        say("begin")
        for step in iter_undo(home / "exports" / "undo-test.json", library.exchange.moved):
            say(step.done)


def open_it(say: Say, home: Path) -> None:
    """Open a library, which brings its tables up to date."""
    say("begin")
    Library(home).close()


def back_up(say: Say, home: Path) -> None:
    """Make a backup; says where it is when it is made."""
    with Library(home) as library:
        say("begin")
        say(str(library.backups.make()))


def put_back(say: Say, home: Path, backup: Path) -> None:
    """Put a backup back."""
    say("begin")
    restore(home, backup)


def pretrain(say: Say, out: Path) -> None:
    """Train a small model, keeping a checkpoint after each step; says each step and its loss."""
    from tests.training.towers.test_contrastive import CONFIG, SETTINGS, squares
    from training.towers.contrastive import iter_pretrain

    settings = replace(SETTINGS, steps=12, save_minutes=0, text_steps=0)
    say("begin")
    for step in iter_pretrain(CONFIG, squares(45, 0), {}, out, settings, device="cpu"):
        if "loss" in step.metrics:
            say((step.done, step.metrics["loss"]))


def finetune(say: Say, out: Path, data: Path, model: str) -> None:
    """Fine-tune a small model from its data to the end; says each epoch's accuracy."""
    from training.runs.finetune_run import TunePlan, iter_tune
    from training.towers.finetune import Tuning

    plan = TunePlan((str(data),), model, tuning=Tuning(epochs=3, batch_size=8))
    say("begin")
    for step in iter_tune(plan, out, "cpu"):
        if "held_out" in step.metrics:
            say(json.dumps(dict(step.metrics)))
