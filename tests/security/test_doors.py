"""Who may come in, with how much, in what time: other sites, passwords, sizes, connections, permissions, leftovers."""

import asyncio
import os
import socket
import stat
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from fastapi.testclient import TestClient
from filelock import FileLock

from clipcore import BadInput
from storage import Library
from storage.files import write_beside
from tests.support.fakes import FakeEncoder, photo
from ui.guard.bodies import LARGER, MOST, Bodies
from ui.guard.connections import Connection
from ui.guard.passwords import FREE, LONGEST, Passwords
from ui.guard.uploads import Incoming
from ui.server import create_app

from .routes import api_routes

BASIC = {"right": "Basic eDpzZXNhbWUtb3Blbg==", "wrong": "Basic eDp3cm9uZw=="}  # x:sesame-open, x:wrong


# other sites


@pytest.mark.parametrize(
    "path", ["/", "/config", "/gradio_api/info", "/gradio_api/queue/status", "/api/images", "/theme.css"]
)
@pytest.mark.parametrize("origin", ["http://localhost:9999", "http://127.0.0.1:8000", "null", "http://evil.example"])
def test_no_other_page_may_read(served, path, origin):
    answer = served.client.get(path, headers={"Origin": origin, "Cookie": "a=b"})
    assert "access-control-allow-origin" not in answer.headers
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    before = served.client.options(path, headers=asked)
    assert before.status_code == 400
    assert "access-control-allow-origin" not in before.headers


def test_the_policy_lets_no_foreign_script_run(served):
    one, other = (served.client.get("/") for _ in range(2))
    policy = one.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in scripts
    assert "default-src 'none'" in policy
    nonce = scripts.partition("'nonce-")[2].rstrip("'")
    assert len(nonce) > 20
    assert one.text.count("<script") == one.text.count(f'<script nonce="{nonce}"') > 2
    assert nonce not in other.text
    assert "nonce" not in served.client.get("/api/images").headers["content-security-policy"]


@pytest.mark.parametrize("origin", ["http://[::1", "http://", "//", "http://127.0.0.1:7860.evil.example"])
def test_origins_that_are_none(served, origin):
    assert served.client.post("/api/label/undo", json={}, headers={"Origin": origin}).status_code == 403


# passwords


def test_wrong_passwords_are_slowed_down_per_address():
    now = 0.0
    doors = Passwords("sesame-open", lambda: now)
    tried = 0
    for _ in range(10 * LONGEST):  # fifty minutes of a try each second
        if not doors.wait("10.0.0.1"):
            assert not doors.admits("10.0.0.1", BASIC["wrong"])
            tried += 1
        now += 1
    assert tried < FREE + 20
    assert doors.wait("10.0.0.1") > 60
    assert not doors.wait("10.0.0.2")  # nobody else waits
    assert doors.admits("10.0.0.2", BASIC["right"])
    now += LONGEST
    assert doors.admits("10.0.0.1", BASIC["right"])
    assert not doors.wait("10.0.0.1")


def test_a_network_is_one_address_and_the_list_has_an_end(monkeypatch):
    monkeypatch.setattr("ui.guard.passwords.KEPT", 100)
    doors = Passwords("sesame-open", lambda: 0.0)
    for host in range(FREE + 1):
        doors.admits(f"2001:db8::{host:x}", BASIC["wrong"])
    assert doors.wait("2001:db8::ffff")
    assert not doors.wait("2001:db8:0:1::1")
    for host in range(1000):
        doors.admits(f"10.0.{host // 250}.{host % 250}", BASIC["wrong"])
    assert len(doors._failed) <= 100


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!!!", "Bearer x", "Basic eDo=", "basic \xff", "Basic " + "A" * 10_000]
)
def test_headers_that_carry_no_password(header):
    assert not Passwords("sesame-open").admits("10.0.0.1", header)


def test_too_many_wrong_passwords_are_said(served):
    client = TestClient(create_app(served.studio, "127.0.0.1", "sesame-open"), base_url="http://127.0.0.1:7860")
    found = [client.get("/api/pulse", headers={"Authorization": BASIC["wrong"]}).status_code for _ in range(FREE + 3)]
    assert found == [401] * FREE + [429] * 3
    answer = client.get("/api/pulse", headers={"Authorization": BASIC["right"]})
    assert answer.status_code == 429  # else one could go on guessing
    assert int(answer.headers["retry-after"]) >= 1
    other = TestClient(client.app, base_url="http://127.0.0.1:7860", client=("10.1.1.1", 1))
    assert other.get("/api/pulse", headers={"Authorization": BASIC["right"]}).status_code == 200


@pytest.mark.parametrize(
    ("host", "password", "refused"),
    [("0.0.0.0", "seven77", True), ("::", "x", True), ("0.0.0.0", "eight888", False), ("127.0.0.1", "x", False)],
)
def test_short_passwords_are_for_this_computer_alone(served, host, password, refused):
    if refused:
        with pytest.raises(BadInput, match="8 letters"):
            create_app(served.studio, host, password)
    else:
        create_app(served.studio, host, password)


# how much


def test_every_route_has_a_bound(served):
    """Whatever is posted, read or not."""
    paths = [
        route.path
        for route in api_routes(served.app)
        if "POST" in route.methods and not any(one.fullmatch(route.path) for one in LARGER)
    ]
    assert len(paths) > 15
    for path in [*paths, "/gradio_api/queue/join", "/gradio_api/cancel", "/", "/nothing"]:
        answer = served.client.post(path, content=b" " * (MOST + 1), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413, path
        assert "Send less" in answer.json()["error"]


def test_a_body_that_does_not_say_how_long_it_is(served):
    def parts():
        for _ in range(10):
            yield b'["' + b"x" * 1_000_000

    for path in ("/api/names", "/gradio_api/queue/join", "/api/label"):
        answer = served.client.post(path, content=parts(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413, path


# how long


@pytest.fixture
def listening():
    """A server that reads each body, on a real socket, impatient."""

    class Impatient(Connection):
        head_seconds = 0.4

    async def echo(scope, receive, send):
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(Bodies(echo, first=0.4), http=Impatient, ws="none", lifespan="off", log_level="error")
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)
    listener.close()


def said(address, *parts, pause=0.0):
    """What a server says to these bytes until it closes the connection, and after how many seconds."""
    begun = time.monotonic()
    with socket.create_connection(address, timeout=20) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            while chunk := connection.recv(65536):
                answer += chunk
        except (BrokenPipeError, ConnectionResetError):
            pass
    return answer, time.monotonic() - begun


def test_connections_that_send_nothing_are_closed(listening):
    answer, seconds = said(listening)
    assert (answer, seconds < 5) == (b"", True)


def test_a_head_letter_by_letter_is_closed(listening):
    answer, seconds = said(listening, *(b"G" for _ in range(100)), pause=0.05)
    assert b"200" not in answer
    assert seconds < 6
    answer, _ = said(listening, b"GET / HTTP/1.1\r\nHost: x\r\n", *(b"X-A: b\r\n" for _ in range(60)), pause=0.05)
    assert b"200" not in answer


def test_a_body_byte_by_byte_is_refused(listening):
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    answer, _ = said(listening, head, b"x")
    assert answer.startswith(b"HTTP/1.1 408")
    answer, _ = said(listening, head, *(b"x" for _ in range(60)), pause=0.05)
    assert b"200" not in answer


def test_a_request_in_time_is_answered_and_the_next_one_too(listening):
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    with socket.create_connection(listening, timeout=20) as connection:
        for _ in range(3):
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(0.1)


# what is left behind


def test_what_is_kept_is_for_its_owner_alone(tmp_path):
    before = os.umask(0)
    try:
        with Library(tmp_path / "home", FakeEncoder()) as library:
            kept = library.keep_upload(photo(tmp_path / "a.png", "red").read_bytes(), "a.png")
            library.add(tmp_path, name="all")
            image = library.images()[0]
            library.thumbnail(image.id)
        incoming = Incoming(tmp_path / "home")
        write_beside(tmp_path / "out" / "a.xmp", b"x", private=False)
    finally:
        os.umask(before)
    assert kept.is_file()
    for folder, _, names in os.walk(tmp_path / "home"):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder
        for name in names:
            if Path(name).suffix in (".db", ".webp", ".png", ".faiss", ".json", ".npy"):
                assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600, name
    assert stat.S_IMODE((tmp_path / "out" / "a.xmp").stat().st_mode) == 0o666  # as the person's umask has it
    assert stat.S_IMODE(incoming.folder.stat().st_mode) == 0o700


def test_a_home_that_others_could_read_is_closed(tmp_path):
    with Library(tmp_path / "home"):
        pass
    for place in (tmp_path / "home", tmp_path / "home" / "sayso.db"):
        place.chmod(0o755)
    with Library(tmp_path / "home"):
        pass
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "sayso.db").stat().st_mode) & 0o077 == 0


def test_what_a_killed_server_left_is_emptied_and_a_living_one_keeps_its_own(tmp_path):
    living, killed = Incoming(tmp_path), Incoming(tmp_path)
    for each in (living, killed):
        (each.folder / "a").mkdir()
        (each.folder / "a" / "b.png").write_bytes(b"x")
    killed._lock.release()  # as the system does when a process dies
    now = Incoming(tmp_path)
    assert (living.folder / "a" / "b.png").is_file()
    assert not killed.folder.exists()
    now.empty()
    assert now.folder.is_dir()
    living._lock.release()
    now._lock.release()
    with FileLock(now.folder.with_suffix(".lock"), timeout=0):
        pass
