"""The backup of each day, made beside other work while Sayso serves, and the word about it on the page."""

import logging
import threading

from clipcore import SaysoError

from ..backups import LATE, Stopped, is_due
from ..library import Library

EVERY = 900.0  # seconds between two looks whether a backup is due

log = logging.getLogger(__name__)


class Keeper:
    """Makes the backups of one library. `warning` is what a person should know: "" where all is well."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.warning = ""

    def start(self) -> None:
        """Look at once, and then now and again."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._keep, name="backups", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Leave off, in the middle of a backup as well; it is then made the next time."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def look(self) -> None:
        """Make the backup of the day if it is due, and see what is to be said."""
        problem = ""
        try:
            self._library.backups.daily(self._stopping)
        except Stopped:
            return
        except SaysoError as error:
            log.warning("the backup of the day: %s", error)
            problem = str(error)
        self.warning = problem or self._overdue()

    def _overdue(self) -> str:
        if not is_due(self._library.database, self._library.home, LATE):
            return ""
        newest = next(iter(self._library.backups.all()), None)
        return f"the last backup is of {newest.made:%Y-%m-%d}" if newest else "there is no backup yet"

    def _keep(self) -> None:
        while True:
            try:
                self.look()
            except Exception:  # a mistake of ours must not end the backups of all days to come
                log.exception("the backup of the day")
            if self._stopping.wait(EVERY):
                return
