"""The end of a process that is told to end: SIGTERM leaves everything as Ctrl+C does."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from storage import Library
from tests.support.fakes import FakeEncoder, photo

ROOT = Path(__file__).parents[2]

# the real commands with the fake model; `add` stands still in the middle, so that there is one
SCRIPT = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # else ignored, where a shell runs the tests in the background
import clipcore
from tests.support.fakes import FakeEncoder

class Slow(FakeEncoder):
    def embed_prepared(self, batch):
        if self.embedded >= 16 and "add" in sys.argv:
            print("half way", flush=True)
            time.sleep(0.5)
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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
