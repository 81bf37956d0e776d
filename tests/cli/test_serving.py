"""What opens in the browser: nothing by `serve`, the page by Sayso alone, the sorted sample photos by `quickstart`."""

import threading

import pytest

from tests.support.commands import invoke


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """The addresses that a browser was asked for, by a server that takes connections and ends."""
    addresses = []

    def serve(studio, host, port, password, listening, proxy, hosts):
        listening(f"http://{host}:{port}")
        for thread in threading.enumerate():  # the one that opens a page, if there is one
            if thread.daemon and thread.name.startswith("opens"):
                thread.join(10)

    monkeypatch.setattr("ui.server.serve", serve)
    monkeypatch.setattr("webbrowser.open", addresses.append)
    monkeypatch.setenv("SAYSO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BROWSER", "any")
    return addresses


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ([], "http://127.0.0.1:7901/"),
        (["serve", "--open"], "http://127.0.0.1:7901/"),
        (["quickstart", "--port", "7902"], "http://127.0.0.1:7902/#samples"),
    ],
)
def test_the_page_is_opened(words, address, opened, monkeypatch):
    monkeypatch.setenv("SAYSO_PORT", "7901")
    invoke(*words)
    assert opened == [address]


@pytest.mark.parametrize("words", [["serve"], ["quickstart", "--no-open"]])
def test_no_page_is_opened(words, opened):
    invoke(*words)
    assert opened == []


def test_without_a_desktop_nothing_opens(opened, monkeypatch):
    import app

    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    app.open_page("http://127.0.0.1:7860/")
    assert opened == []


def test_a_bad_port_in_the_environment_is_a_sentence(opened, monkeypatch):
    monkeypatch.setenv("SAYSO_PORT", "many")
    _, said = invoke(code=2)
    assert "SAYSO_PORT" in said or "port" in said
