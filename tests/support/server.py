"""The real app as a real process, for tests that need one: free port, private folders, its output in a file."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def served(folder: Path, *options: str, **env: str) -> Iterator[str]:
    """Serve a home below `folder` and give the address; fails, with the server's own words, if it does not come up or if a
    mistake of ours is in its log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log_path = folder / "server.log"
    command = [sys.executable, "app.py", "serve", "--home", str(folder / "home"), "--port", str(port), *options]
    settings = {**os.environ, "GRADIO_TEMP_DIR": str(folder / "gradio"), "HF_HUB_OFFLINE": "1", **env}
    with log_path.open("w") as log:  # a pipe that nobody reads would fill up and stop the server
        server = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=subprocess.STDOUT)
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(480):
                try:
                    urllib.request.urlopen(url, timeout=2)
                    break
                except urllib.error.HTTPError:
                    break  # it answers, if only to ask for a password
                except OSError:
                    assert server.poll() is None, log_path.read_text()
                    time.sleep(0.25)
            else:
                raise AssertionError("the app did not answer:\n" + log_path.read_text())
            yield url
            said = log_path.read_text()
            assert "Traceback" not in said, said  # the page shows a toast, or nothing
        finally:
            server.terminate()
            server.wait(20)
