"""A worker: the page's long work without the page, for as many processes and machines as there are.

It takes what puts its result into the library and takes long. What answers a window within seconds, and what keeps something
in the memory of the process that serves, is the page's own.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from clipcore import SaysoError
from storage import Library

from .measure import jobs as measuring
from .models import jobs as models
from .studio import Studio, remembered_model

if TYPE_CHECKING:
    from clipcore.encoding.encoder import Encoder

KINDS = ("add", "embed", "map", "watch", "measure", "measure-models", "finetune", "mix", "pretrain")
LOOK = 1.0  # seconds between two looks whether another model was chosen

log = logging.getLogger(__name__)


class Worker:
    """Works for one library until it is asked to end.

    `follows` the model that is chosen on the page; it takes no job while it has another one.
    """

    def __init__(self, library: Library, load: "Callable[[], Encoder]", model: str, follows: bool = True) -> None:
        self._studio = Studio(library, load, model)
        measuring.register(self._studio)
        models.register(self._studio)
        self._studio.jobs.keep(KINDS)
        self._follows = follows
        self._ended = threading.Event()
        self._studio.jobs.is_ready = self._is_ready

    def run(self) -> None:
        """Work until `end` or an interruption; then finish the steps under way and give the jobs back."""
        library, studio = self._studio.library, self._studio
        studio.load_model()
        studio.encoder()  # raises SaysoError where it could not be loaded
        studio.jobs.start()
        try:
            while not self._ended.wait(LOOK):
                chosen = remembered_model(library.home) or studio.model
                if self._follows and chosen != studio.model:
                    self._take(chosen)
        finally:
            studio.jobs.stop()

    def end(self) -> None:
        """Ask it to end."""
        self._ended.set()

    def _take(self, model: str) -> None:
        """Work with another model from now on; what is under way ends with the one before."""
        log.warning("another model was chosen: %s", model)
        try:
            self._studio.library.encoder = self._studio.load_other(model)
        except SaysoError as error:  # without it no job is taken, and the next look tries again
            log.warning("%s", error)
            self._ended.wait(10 * LOOK)
            return
        self._studio.model = model
        self._studio.pieces.register()

    def _is_ready(self) -> bool:
        chosen = remembered_model(self._studio.library.home)
        return not self._follows or chosen in (None, self._studio.model)
