"""The real app as a real process, for tests that need one: free port, private folders, its output in a file.

A new process takes ten seconds of work to import torch and Gradio. So the server that most files share is started as people
start it, and the others are forked from a process that has imported both and done nothing else.
"""

import multiprocessing
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["app", "ui.server", "ui.page", "open_clip"])


@contextmanager
def served(folder: Path, *, forked: bool = True) -> Iterator[str]:
    """Serve a home below `folder` and give the address; fails with the server's own words if it does not come up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "server.log"  # a pipe that nobody reads would fill up and stop the server
    words = ["serve", "--home", str(folder / "home"), "--port", str(port)]
    settings = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "gradio"), "HF_HUB_OFFLINE": "1"}
    with fork(words, settings, log) if forked else start(words, settings, log) as is_running:
        url = f"http://127.0.0.1:{port}"
        for _ in range(480):
            try:
                urllib.request.urlopen(url, timeout=2)
                break
            except urllib.error.HTTPError:
                break  # it answers, if only to ask for a password
            except OSError:
                assert is_running(), log.read_text()
                time.sleep(0.1)
        else:
            raise AssertionError("the app did not answer:\n" + log.read_text())
        yield url


@contextmanager
def start(words: list[str], settings: dict[str, str], log: Path) -> Iterator[Callable[[], bool]]:
    """The app as people start it; gives what says whether it runs."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", *words], cwd=ROOT, env=settings, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield lambda: process.poll() is None
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def fork(words: list[str], settings: dict[str, str], log: Path) -> Iterator[Callable[[], bool]]:
    """The same from the process that has imported everything."""
    process = FORKING.Process(target=work, args=(words, settings, log))
    process.start()
    try:
        yield process.is_alive
    finally:
        process.terminate()
        process.join(20)
        assert not process.is_alive()


def work(words: list[str], settings: dict[str, str], log: Path) -> None:
    """What a forked process does."""
    import app

    with log.open("w") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    os.environ.clear()
    os.environ.update(settings)
    os.chdir(ROOT)
    app.commands(words)
