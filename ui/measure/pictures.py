"""The pictures behind a figure, for sets that are not the library's: read again from the set's own files, small, by row.

A result keeps where its set lies and the content hash of each picture. Nothing else is ever read, and a file that has
changed since is not shown.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from clipcore import NotFound, SaysoError
from clipcore.measure.sets import Sample
from clipcore.pictures.reading import content_hash, read_bytes, small_copy
from storage import ReportRecord
from training.data.pairs import read_pairs

SIDES = {"thumb": 256, "preview": 1280}
KEPT = 2000  # pictures in memory, some 20 MB


class SetPictures:
    """Pictures of sets on this computer as WebP, the latest few."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], bytes] = OrderedDict()
        self._lock = Lock()

    def prepare(self, source: str, names: Sequence[str], keys: Sequence[str], size: str = "thumb") -> dict[str, bytes]:
        """Small copies of the pictures with these names and content hashes, by hash; those that are gone are left out.

        A shard is read from front to back until the last one is found, so ask for all that will be shown at once.
        """
        with self._lock:  # two requests for one shard need not read it twice
            missing = {name: key for name, key in zip(names, keys, strict=True) if (source, key, size) not in self._kept}
            if missing:
                self._read(source, missing, size)
            found = {key: self._kept[source, key, size] for key in keys if (source, key, size) in self._kept}
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return found

    def get(self, record: ReportRecord, row: int, size: str) -> bytes:
        """One picture of a result, by its row. Raises NotFound."""
        kept = record.report.get("judged") or record.report.get("pictures") or {}
        keys, names, source = kept.get("keys", []), kept.get("names", []), record.report.get("source", "")
        if size not in SIDES or not source or not 0 <= row < len(keys):
            raise NotFound("There is no such picture of this result.")
        found = self.prepare(source, [names[row]], [keys[row]], size)
        if keys[row] not in found:
            raise NotFound("That picture was moved or has changed since it was measured.")
        return found[keys[row]]

    def _read(self, source: str, missing: dict[str, str], size: str) -> None:
        try:
            for pair in read_pairs(Path(source), purpose="measure"):
                if pair.key not in missing:
                    continue
                key = missing.pop(pair.key)
                if (data := _bytes(pair)) and content_hash(data) == key:
                    side = SIDES[size]
                    self._kept[source, key, size] = small_copy(data, side)
                if not missing:
                    return
        except SaysoError:  # the set is not there any more
            return


def _bytes(pair: Sample) -> bytes:
    try:
        return pair.image if isinstance(pair.image, bytes) else read_bytes(pair.image)
    except SaysoError:
        return b""
