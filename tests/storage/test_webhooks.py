"""Webhooks: who is told of which end of a job, signed, again after a failure, and over a restart."""

import json
import re
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select, update

from clipcore import BadInput, NotFound, Step
from storage import Jobs, Library, Teller
from storage import webhooks as rules
from storage.tables import Delivery
from tests.support.processes import ROOT


@pytest.fixture
def library(tmp_path):
    with Library(tmp_path / "home") as library:
        yield library


@contextmanager
def receiver(*answers):
    """Somebody who takes what is sent, and answers with these states, the last of them for ever: (address, what came)."""
    came = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.headers, body))
            self.send_response(answers[min(len(came), len(answers)) - 1])
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/sayso", came
    server.shutdown()
    server.server_close()


def works(payload):
    yield Step(1, 1, "one")
    if payload.get("fails"):
        raise BadInput("It cannot be done.")
    return {"new": 3}


def ended(library, *payloads):
    """The jobs of these payloads, done."""
    jobs = Jobs(library)
    jobs.register("work", works)
    numbers = [jobs.submit("work", payload) for payload in payloads]
    jobs.start()
    for number in numbers:
        jobs.wait(number)
    jobs.stop()
    return jobs, numbers


def later(library, **wait):
    """As if so much time had gone by."""
    with library.database.writing() as connection:
        for number, due in connection.execute(select(Delivery.id, Delivery.due)).all():
            connection.execute(update(Delivery).where(Delivery.id == number).values(due=due - timedelta(**wait)))


def test_who_is_told_can_check_who_tells(library):
    with receiver(200) as (address, came):
        secret, _ = library.webhooks.add(address)
        jobs, (number,) = ended(library, {})
        assert Teller(library, jobs).look() == 1
    ((heads, body),) = came
    event = json.loads(body)
    assert event["type"] == "job.done"
    assert (event["data"]["id"], event["data"]["kind"], event["data"]["result"]) == (number, "work", {"new": 3})
    assert event["timestamp"] == event["data"]["finished"]
    code = re.search(r"```python\n(import base64.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    told: dict = {}
    exec(code[1], told)  # what docs/api.md tells those who take it
    assert told["is_from_sayso"](secret, heads, body)
    assert not told["is_from_sayso"](secret, heads, body + b" ")
    (known,) = library.webhooks.all()
    assert (known.last, known.waiting) == ("200", 0)
    assert Teller(library, jobs).look() == 0  # once


def test_each_is_told_of_the_ends_it_asked_for(library):
    with receiver(200) as (address, came):
        library.webhooks.add(f"{address}/all")
        library.webhooks.add(f"{address}/bad", ["failed", "cancelled"])
        jobs = Jobs(library)
        jobs.cancel(jobs.submit("work", {}))
        jobs.cancel(jobs.submit("piece:of another", {}))  # stands in no list
        jobs, _ = ended(library, {}, {"fails": True})
        assert Teller(library, jobs).look() == 5
    told = [json.loads(body) for _, body in came]
    assert sorted(one["type"] for one in told) == ["job.cancelled"] * 2 + ["job.done"] + ["job.failed"] * 2
    assert {one["data"]["error"] for one in told if one["type"] == "job.failed"} == {"It cannot be done."}


def test_what_does_not_arrive_is_tried_again_and_in_the_end_given_up(library):
    with receiver(500, 302, 204) as (address, came):
        library.webhooks.add(address)
        jobs, _ = ended(library, {})
        teller = Teller(library, jobs)
        assert (teller.look(), teller.look()) == (1, 0)  # not at once
        assert (library.webhooks.all()[0].last, library.webhooks.all()[0].waiting) == ("answered 500", 1)
        later(library, seconds=6)
        assert teller.look() == 1
        assert library.webhooks.all()[0].last == "answered 302"  # no redirection is followed
        later(library, minutes=6)
        assert Teller(library, Jobs(library)).look() == 1  # another process goes on
        assert (library.webhooks.all()[0].last, library.webhooks.all()[0].waiting) == ("204", 0)
    assert len({heads["webhook-id"] for heads, _ in came}) == 1
    assert len(came) == 3
    jobs, _ = ended(library, {})  # nobody is there any more
    for _ in range(len(rules.WAITS) + 1):
        assert teller.look() == 1
        later(library, hours=11)
    assert teller.look() == 0
    assert library.webhooks.all()[0].last.startswith("no answer (")


def test_a_delivery_whose_sender_died_is_sent_by_the_next(library):
    library.webhooks.add("http://127.0.0.1:1/")
    ended(library, {})
    assert library.webhooks.take() is not None
    assert library.webhooks.take() is None
    later(library, minutes=2)
    assert library.webhooks.take() is not None


def test_a_job_that_is_gone_and_an_address_that_is_gone(library):
    _, first = library.webhooks.add("http://127.0.0.1:1/")
    ended(library, {})
    taken = library.webhooks.take()
    library.webhooks.remove(first)
    library.webhooks.tried(taken.id, "200", arrived=True)  # nothing to write it to
    assert library.webhooks.all() == []
    with pytest.raises(NotFound):
        library.webhooks.remove(first)
    with pytest.raises(NotFound):
        library.webhooks.test(first)


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "example.org", "http://", "http://a:b/", "http://a b/", "file:///etc/passwd"]
)
def test_what_is_no_address(library, url):
    with pytest.raises(BadInput, match="no address"):
        library.webhooks.add(url)


def test_no_job_ends_otherwise(library):
    with pytest.raises(BadInput, match="“late”"):
        library.webhooks.add("http://example.org", ["late"])
    with pytest.raises(BadInput, match="at least one"):
        library.webhooks.add("http://example.org", [])
