"""Tells webhooks that a job has ended: a POST of JSON, signed as Standard Webhooks says (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from clipcore import NotFound, SaysoError

from .jobs import Jobs
from .library import Library
from .records import JobRecord
from .webhooks import DeliveryRecord

EVERY = 2.0  # seconds between two looks whether something is due
PATIENCE = 15.0  # seconds for which an answer is waited for; below what a delivery is taken for

log = logging.getLogger(__name__)


class Teller:
    """Sends what is due, one delivery after the other, while the page is served."""

    def __init__(self, library: Library, jobs: Jobs) -> None:
        self._webhooks, self._jobs = library.webhooks, jobs
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._tell, name="webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """What is on its way ends first, or is sent again by whoever comes next."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)
            self._thread = None

    def look(self) -> int:
        """Send what is due now; how many deliveries that were."""
        sent = 0
        while not self._stopping.is_set() and (delivery := self._webhooks.take()) is not None:
            self.send(delivery)
            sent += 1
        return sent

    def send(self, delivery: DeliveryRecord) -> bool:
        """Send one and write what came of it. Whether it arrived: whoever answers with a 2xx has it."""
        try:
            job = self._jobs.get(delivery.job_id) if delivery.job_id is not None else None
        except NotFound:  # cleared away, after a thousand others
            self._webhooks.tried(delivery.id, "the job is gone", arrived=True)
            return False
        said, arrived = post(delivery, job)
        self._webhooks.tried(delivery.id, said, arrived)
        if not arrived:
            log.warning("webhook %s: %s", delivery.url, said)
        return arrived

    def _tell(self) -> None:
        while not self._stopping.wait(EVERY):
            try:
                self.look()
            except SaysoError as error:  # a library kept busy: the next round
                log.warning("webhooks: %s", error)
            except Exception:
                log.exception("webhooks")


def message(delivery: DeliveryRecord, job: JobRecord | None) -> bytes:
    """What is sent: the event, when it was, and the job as `/api/v1/jobs/N` has it; a test has no job."""
    event: dict[str, Any] = {"type": "test", "timestamp": delivery.created.isoformat(), "data": {}}
    if job is not None:
        names = ("id", "kind", "state", "done", "total", "message", "error", "created", "finished", "result")
        data = {name: getattr(job, name) for name in names}
        event = {"type": f"job.{job.state}", "timestamp": (job.finished or delivery.created).isoformat(), "data": data}
    return json.dumps(event, default=lambda moment: moment.isoformat()).encode()


def signature(secret: str, number: str, moment: str, body: bytes) -> str:
    """Of the id, the time and the body, so that nobody can send them on later or change them on their way."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, b".".join((number.encode(), moment.encode(), body)), hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def post(delivery: DeliveryRecord, job: JobRecord | None) -> tuple[str, bool]:
    """Send a delivery once: what came of it, and whether it arrived. No redirection is followed."""
    body, moment = message(delivery, job), str(int(time.time()))
    number = f"msg_{delivery.id}"
    heads = {
        **{"Content-Type": "application/json", "User-Agent": "Sayso", "webhook-id": number, "webhook-timestamp": moment},
        "webhook-signature": signature(delivery.secret, number, moment, body),
    }
    parts = urlsplit(delivery.url)
    way = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        with closing(way(parts.hostname or "", parts.port, timeout=PATIENCE)) as line:
            line.request("POST", urlunsplit(("", "", parts.path or "/", parts.query, "")), body, heads)
            status = line.getresponse().status
    except (OSError, HTTPException, ValueError) as error:  # nobody there, too slow, no such name, an answer that is no HTTP
        return f"no answer ({error})", False
    return (str(status), True) if 200 <= status < 300 else (f"answered {status}", False)
