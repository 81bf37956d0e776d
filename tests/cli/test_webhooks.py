"""Webhooks on the command line, and told by a server."""

import json
import time

from tests.storage.test_webhooks import receiver
from tests.support.commands import invoke, sayso
from tests.support.fakes import photo
from tests.support.server import served


def test_added_tested_listed_and_removed(tmp_path):
    with receiver(200, 410) as (address, came):
        (made,), _ = sayso("webhooks", "add", address, "--events", "done,failed", "--json", home=tmp_path)
        assert made["secret"].startswith("whsec_")
        (tested,), _ = sayso("webhooks", "test", made["id"], "--json", home=tmp_path)
        assert tested["last"] == "200"
        assert json.loads(came[0][1])["type"] == "test"
        assert "answered 410" in invoke("webhooks", "test", made["id"], home=tmp_path, code=2)[1]
    (listed,), _ = sayso("webhooks", "--json", home=tmp_path)
    assert made["secret"] not in str(listed)
    assert (listed["events"], listed["last"], listed["waiting"]) == (["done", "failed"], "answered 410", 0)
    assert address in invoke("webhooks", home=tmp_path)[0]
    assert "no number" in invoke("webhooks", "remove", "it", home=tmp_path, code=2)[1]
    sayso("webhooks", "remove", made["id"], home=tmp_path)
    assert sayso("webhooks", "--json", home=tmp_path)[0] == []


def test_a_server_tells_that_an_import_is_in(tmp_path):
    from docs.sayso_client import Sayso

    (token,), _ = sayso("tokens", "add", "robot", "--scopes", "read,label,manage", "--json", home=tmp_path / "home")
    with receiver(200) as (address, came):
        sayso("webhooks", "add", address, home=tmp_path / "home")
        with served(tmp_path, SAYSO_PASSWORD="sesame-open") as server:
            client = Sayso(server, token["token"])
            job = client.wait(client.add([photo(tmp_path / "red.png", "red", (60, 40))]))
            until = time.monotonic() + 60
            while not came and time.monotonic() < until:
                time.sleep(0.05)
    told = json.loads(came[0][1])
    assert (told["type"], told["data"]["id"], told["data"]["result"]) == ("job.done", job.id, job.result)
