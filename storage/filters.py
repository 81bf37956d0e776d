"""What a search or a look around is about: pictures of a folder, with a name, from some days, with a label, with stars."""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

from clipcore import BadInput
from clipcore.letters import letters
from clipcore.pictures.exif import STARS
from clipcore.pictures.finding import display_path

from .database import known_id

Order = Literal["relevance", "newest", "oldest"]
ORDERS: Sequence[Order] = ("relevance", "newest", "oldest")
Orientation = Literal["", "landscape", "portrait", "square"]
ORIENTATIONS: Sequence[Orientation] = ("landscape", "portrait", "square")


@dataclass(frozen=True)
class Filters:
    """All that are set must hold. `name` is looked for in the file's name, in any case; the days count from 00:00 to 24:00.

    A picture's day is the one that its camera wrote down, else that in its file's name, else its file's time of change;
    `label` is one that a person has given it; `orientation` is of the picture as it is shown, turned upright. `place` is
    looked for in the nearest town with its region and country, in any case and without accents. `stars` are the least.
    """

    folder_id: int | None = None
    name: str = ""
    since: date | None = None
    until: date | None = None
    label: str = ""
    orientation: Orientation = ""
    place: str = ""
    stars: int | None = None

    @property
    def any(self) -> bool:
        """Whether anything is set."""
        return self != Filters()

    def to_json(self) -> dict[str, Any]:
        """What is set, as plain values."""
        values = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Filters":
        """The inverse of `to_json`. Raises BadInput for values that `to_json` never gives."""
        try:
            days = {name: date.fromisoformat(data[name]) for name in ("since", "until") if data.get(name)}
            made = cls(**{**data, **days})
            texts = made.name, made.label, made.orientation, made.place
            is_known = made.orientation in ("", *ORIENTATIONS) and made.stars in (None, *range(1, STARS + 1))
            if is_known and all(isinstance(text, str) for text in texts):
                return replace(made, folder_id=None if made.folder_id is None else known_id(made.folder_id))
        except (TypeError, ValueError):
            pass
        raise BadInput("These filters cannot be read; make the album anew.")

    def fits_name(self, path: str) -> bool:
        """Whether a file's name has in it what is looked for."""
        return not self.name or letters(self.name).casefold() in letters(display_path(os.path.basename(path))).casefold()

    def fits_place(self, place: str) -> bool:
        """Whether a place's town, region or country has in it what is looked for; Zurich finds Zürich."""
        return _bare(self.place) in _bare(place)


def _bare(text: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", letters(text).casefold()) if not unicodedata.combining(c))


NO_FILTERS = Filters()


def parse_day(typed: str) -> date | None:
    """A day typed as 2024-05-31, or None for nothing. Raises BadInput."""
    if not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise BadInput(f"“{typed.strip()[:40]}” is not a day; write it as in 2024-05-31.") from None
