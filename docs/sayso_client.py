"""A client of Sayso's HTTP API in one file, with nothing but Python's standard library: copy it beside your program.

from sayso_client import Sayso
sayso = Sayso("http://127.0.0.1:7860", token="sayso_...")
for answer in sayso.classify(["a.jpg", "b.jpg"], labels=["dog", "cat"]):
    print(answer.picture, answer.answer or answer.verdict, answer.likely_right)
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
AT_ONCE = 32  # pictures of a request


class SaysoError(Exception):
    """What the server said: one sentence; `status` is HTTP's, 0 where no server answered."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Answer:
    """What a classifier says of a picture; `answer` is empty where `verdict` is unsure or none of these, or `error` says why
    the picture cannot be read."""

    picture: str
    answer: list[str]
    verdict: str
    likely_right: float
    why_not: str
    shares: list[dict[str, Any]]
    error: str | None


@dataclass(frozen=True)
class Image:
    """A picture of the library; `score` and `matches` are of the search that found it."""

    id: int
    name: str
    width: int
    height: int
    folder: int
    dated: str
    taken: str | None
    camera: str | None
    place: str | None
    score: float | None
    matches: bool | None


@dataclass(frozen=True)
class Job:
    """Long work: queued, running, done, failed or cancelled."""

    id: int
    kind: str
    state: str
    done: int
    total: int
    message: str
    error: str | None
    result: dict[str, Any] | None


class Sayso:
    """A server. Calls raise SaysoError where it refuses, and wait where it says that it is asked too often."""

    def __init__(self, address: str = "http://127.0.0.1:7860", token: str = "", timeout: float = 60.0) -> None:
        self._address, self._timeout = address.rstrip("/"), timeout
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def classify(
        self,
        pictures: Sequence[str | Path | int],
        classifier: str = "",
        labels: Sequence[str] = (),
        templates: Sequence[str] = (),
        top: int = 5,
    ) -> Iterator[Answer]:
        """Answers for picture files, or for pictures of the library by id, in their order."""
        words = {"classifier": classifier, "labels": list(labels), "templates": list(templates), "top": top}
        for start in range(0, len(pictures), AT_ONCE):
            some = pictures[start : start + AT_ONCE]
            if all(isinstance(one, int) for one in some):
                asked = {"pictures": [{"id": one} for one in some], **words}
                said = self._json("POST", "/classify", json.dumps(asked).encode(), "application/json")
            else:
                said = self._send("/classify/files", [Path(str(one)) for one in some], words)
            yield from (_made(Answer, one) for one in said["answers"])

    def search(self, words: str = "", most: int = 50, **filters: str | int) -> Iterator[Image]:
        """Pictures that match the words, best first; without words all that pass the filters (folder, label, since, ...)."""
        after: int | None = 0
        while after is not None and most > 0:
            asked = {"q": words, "after": after, "limit": min(most, 200), **filters}
            page = self._json("GET", f"/images?{urllib.parse.urlencode(asked)}")
            yield from (_made(Image, one) for one in page["images"])
            most, after = most - len(page["images"]), page["next"]

    def similar(self, image: int, most: int = 50) -> list[Image]:
        """Pictures of the library like this one."""
        found = self._json("GET", f"/images/{image}/similar?limit={most}")["images"]
        return [_made(Image, one) for one in found]

    def add(self, files: Sequence[str | Path], collection: str = "Sent by programs") -> Job:
        """Send picture files into the library; `wait` for the job that embeds them."""
        return _made(Job, self._send("/images", [Path(file) for file in files], {"collection": collection}))

    def wait(self, job: Job, seconds: float = 600.0) -> Job:
        """The job when it is over."""
        end = time.monotonic() + seconds
        while job.state in ("queued", "running") and time.monotonic() < end:
            time.sleep(0.3)
            job = _made(Job, self._json("GET", f"/jobs/{job.id}"))
        return job

    def label(self, images: Sequence[int], label: str, value: int = 1) -> int:
        """Say of pictures that they are a `label` (1) or are not (-1); how many that changed."""
        asked = json.dumps({"images": list(images), "label": label, "value": value}).encode()
        return int(self._json("POST", "/labels", asked, "application/json")["changed"])

    def _send(self, path: str, files: Sequence[Path], words: Mapping[str, Any]) -> Any:
        """A form with files."""
        edge = uuid.uuid4().hex
        parts = []
        for name, value in words.items():
            head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
            parts += [f"{head}{one}\r\n".encode() for one in (value if isinstance(value, list) else [value])]
        for file in files:
            shown = urllib.parse.quote(file.name)
            head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{shown}"\r\n\r\n'
            parts += [head.encode(), file.read_bytes(), b"\r\n"]
        body = b"".join([*parts, f"--{edge}--\r\n".encode()])
        return self._json("POST", path, body, f"multipart/form-data; boundary={edge}")

    def _json(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
        headers = {**self._headers, **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(f"{self._address}/api/v1{path}", body, headers, method=method)
        while True:
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 429:
                    time.sleep(float(error.headers.get("Retry-After") or 1))
                    continue
                said = error.read().decode("utf-8", "replace")
                with suppress(ValueError, KeyError, TypeError):
                    said = json.loads(said)["error"]
                raise SaysoError(error.code, said) from None
            except OSError as error:
                raise SaysoError(0, f"No Sayso answers at {self._address} ({error}).") from None


def _made(kind: type[T], said: Mapping[str, Any]) -> T:
    """A dataclass of what was said; fields that a newer server has besides are left out."""
    return kind(**{field.name: said.get(field.name) for field in fields(kind)})  # type: ignore[arg-type]
