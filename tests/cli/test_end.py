"""The end of a process that is told to end: SIGTERM leaves everything as Ctrl+C does."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.processes import free_port

ROOT = Path(__file__).parents[2]

# the real commands with the fake model; `add` stands still in the middle, so that there is one
SCRIPT = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # else ignored, where a shell runs the tests in the background
import clipcore
from tests.support.fakes import FakeEncoder

class Slow(FakeEncoder):
    def embed_prepared(self, batch):
        if self.embedded >= 16 and "add" in sys.argv:
            print("half way", flush=True)
            time.sleep(0.5)
        time.sleep(float(os.environ.get("SLOW", 0)))
        return super().embed_prepared(batch)

clipcore.load = lambda *a, **k: Slow()
import app
app.commands(sys.argv[1:])
"""


def start(*arguments: str, **env: str) -> subprocess.Popen:
    settings = {**os.environ, "PYTHONUNBUFFERED": "1", **env}
    command = [sys.executable, "-c", SCRIPT, *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def home(tmp_path):
    for i in range(12):
        photo(tmp_path / "photos" / f"{i}.png", (20 * i, 0, 90))
    with Library(tmp_path / "home", FakeEncoder()) as library:
        library.add(tmp_path / "photos")
    return tmp_path / "home"


def index_files(home):
    return [file for file in (home / "index").glob("*") if not file.name.endswith(".part")]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_writes_the_index(home, tmp_path, how):
    port = free_port()
    assert index_files(home) == []
    process = start("serve", "--home", str(home), "--port", str(port), GRADIO_TEMP_DIR=str(tmp_path / "gradio"))
    try:
        assert "Sayso is at" in process.stdout.readline()
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while b"fake" not in urllib.request.urlopen(f"{url}/api/pulse", timeout=30).read():  # the model is there
            assert time.monotonic() < deadline
        assert b"images" in urllib.request.urlopen(f"{url}/api/images?q=red", timeout=30).read()
        with closing(urllib.request.urlopen(f"{url}/gradio_api/heartbeat/abc", timeout=30)) as stream:  # a page is open
            assert stream.status == 200
            process.send_signal(how)
            said = process.communicate(timeout=30)[0]
    finally:
        process.kill()
    assert process.returncode == (-signal.SIGTERM if how == signal.SIGTERM else 130)
    assert "Traceback" not in said
    assert len(index_files(home)) == 2  # the vectors and what they are


def test_a_server_that_is_told_to_end_answers_what_was_asked_and_refuses_what_comes(home, tmp_path):
    port = free_port()
    more = photo(tmp_path / "more" / "one.png", (1, 2, 3)).read_bytes()
    settings = {"GRADIO_TEMP_DIR": str(tmp_path / "gradio"), "SLOW": "4"}  # longer than connections get
    process = start("serve", "--home", str(home), "--port", str(port), **settings)
    url = f"http://127.0.0.1:{port}"

    def ask(path, body=None):
        """The status, what came, and the heads."""
        sent = Request(url + path, json.dumps(body).encode() if body else None, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return answer.status, json.load(answer), answer.headers
        except HTTPError as error:
            return error.code, json.load(error), error.headers

    picture = {"base64": b64encode(more).decode()}
    question = {"pictures": [picture], "labels": ["red", "blue"]}
    try:
        assert "Sayso is at" in process.stdout.readline()
        until = time.monotonic() + 60
        while ask("/readyz")[0] != 200:
            assert time.monotonic() < until
            time.sleep(0.05)
        with ThreadPoolExecutor(8) as pool, closing(urllib.request.urlopen(f"{url}/gradio_api/heartbeat/abc", timeout=30)):
            asked = [pool.submit(ask, "/api/v1/classify", question) for _ in range(8)]
            time.sleep(1)  # they are on their way through the model
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            status, said, heads = ask("/api/v1/classify", question)
            assert (status, said["error"][:15], heads["Retry-After"]) == (503, "Sayso is ending", "5")
            assert ask("/readyz")[0] == 503
            assert [one.result()[0] for one in asked] == [200] * 8
            assert {one.result()[1]["answers"][0]["picture"] for one in asked} == {"0"}
        said = process.communicate(timeout=30)[0]
    finally:
        process.kill()
    assert process.returncode == -signal.SIGTERM
    assert "Traceback" not in said


def test_a_command_that_is_told_to_end_keeps_what_is_done(tmp_path):
    for i in range(40):
        photo(tmp_path / "photos" / f"{i}.png", (6 * i, 0, 90))
    process = start("add", str(tmp_path / "photos"), "--home", str(tmp_path / "home"))
    try:
        for line in process.stdout:
            if "half way" in line:
                break
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[0]
    finally:
        process.kill()
    assert process.returncode == -signal.SIGTERM
    assert "Traceback" not in said
    with Library(tmp_path / "home", FakeEncoder()) as library:
        assert 0 < library.count() < 40
        library.add(tmp_path / "photos")
        assert library.count() == 40
