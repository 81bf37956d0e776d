"""What of the page a session keeps: the fields as plain values, and who a job is for. No Gradio."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from clipcore import pack
from clipcore.classify.prompts import DEFAULT_PACK
from storage import JobRecord, SessionRecord, known_id

from ..form_values import ALL
from ..studio import Studio


@dataclass
class Fields:
    """The fields of the first tab, as someone left them; as it is made, those of an empty page."""

    names: str = ""
    templates: str = field(default_factory=lambda: "\n".join(pack(DEFAULT_PACK).templates))
    many: bool = False
    source: str = ALL

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Fields":
        """Those of a session's state, of whichever Sayso it is: what it lacks is as on an empty page."""
        empty = asdict(cls())
        return cls(**{name: state.get(name, value) for name, value in empty.items()})


def session_of(mark: object) -> int | None:
    """The session that a window's mark names, see `switcher.mark`; None for a window that has none yet."""
    number = str(mark or "").partition(":")[0]
    return known_id(int(number[:20])) if number.isascii() and number.isdigit() else None


def belongs(job: JobRecord, *asked: Any) -> bool:
    """Whether a job was begun in the session of the window, or before the window had one; its mark is the last of what a
    tab's handlers are given."""
    return job.payload.get("session") in (None, session_of(asked[-1] if asked else ""))


def job_for(studio: Studio, session_id: int, kinds: Any) -> JobRecord | None:
    """The newest job of these kinds that is still at work for a session."""
    active = (job for job in studio.jobs.active() if kinds(job) and job.payload.get("session") == session_id)
    return max(active, key=lambda job: job.id, default=None)


def as_plain(record: SessionRecord) -> dict[str, Any]:
    """A session as the page's element takes it, with whole fields."""
    state = {**asdict(Fields.of(record.state)), "view": record.state.get("view", {})}
    return {
        "id": record.id,
        "first": record.first,
        "name": record.name,
        "state": state,
        "run": record.run or "",
        "edition": record.edition,
        "empty": not record.state and not record.run,  # the page is, too: nothing is put on it at a load
        "used": record.used.isoformat(timespec="seconds"),
    }
