"""The examples of deploy/ and the Dockerfile, held against the program: their options, variables, port and addresses exist."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

import app
from tests.support.processes import ROOT

DEPLOY = ROOT / "deploy"
FILES = [ROOT / "Dockerfile", *sorted(DEPLOY.iterdir())]
SERVE = typer.main.get_command(app.commands).commands["serve"]  # type: ignore[attr-defined]
PORT = next(one.default for one in SERVE.params if one.name == "port")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VALUES = yaml.safe_load((DEPLOY / "values.yaml").read_text())
UNIT = (DEPLOY / "sayso.service").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
POD = VALUES["controllers"]["sayso"]["containers"]["app"]


def words_of(key: str) -> list[str]:
    """What follows a word of the Dockerfile, the last time it stands there, as JSON."""
    return json.loads(re.findall(rf"^(?:HEALTHCHECK .*)?{key} (\[.*?\])$", DOCKERFILE.replace("\\\n", ""), re.M)[-1])


COMMANDS = {
    "Dockerfile": words_of("CMD"),
    "compose": COMPOSE["services"]["sayso"]["command"],
    "values": POD["args"],
    "unit": shlex.split(re.findall(r"^ExecStart=\S+ \S+app\.py (.*)$", UNIT, re.M)[0]),
}


@pytest.mark.parametrize("where", COMMANDS)
def test_the_command_line_understands_what_they_start(where):
    first, *options = COMMANDS[where]
    assert first == "serve"
    SERVE.make_context("serve", [*options])  # raises for an option that there is not


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_variable_is_read_by_the_program_or_by_the_files_themselves(file):
    sources = [ROOT / "app.py", ROOT / "install.py", *(ROOT / "cli").rglob("*.py"), *(ROOT / "clipcore").rglob("*.py")]
    known = set(re.findall(r"SAYSO_[A-Z]+", "\n".join(one.read_text() for one in sources)))
    own = {"SAYSO_NAME", "SAYSO_UPSTREAM"}  # of the compose file, for the Caddyfile
    assert set(re.findall(r"SAYSO_[A-Z]+", file.read_text())) <= known | own


def test_the_port_is_the_programs():
    assert f"EXPOSE {PORT}\n" in DOCKERFILE
    assert COMPOSE["services"]["caddy"]["environment"]["SAYSO_UPSTREAM"] == f"sayso:{PORT}"
    assert VALUES["service"]["sayso"]["ports"]["http"]["port"] == PORT
    for name in ("Caddyfile", "nginx.conf"):
        assert f"127.0.0.1:{PORT}" in (DEPLOY / name).read_text()


def test_probes_ask_what_is_served_to_whoever_asks():
    from ui.guard.visitors import OPEN

    asked = [probe["spec"]["httpGet"] for probe in POD["probes"].values()]
    assert {one["path"] for one in asked} == set(OPEN)
    assert {one["port"] for one in asked} == {PORT}


def test_the_containers_run_as_nobody_in_particular_and_change_nothing_of_themselves():
    assert DOCKERFILE.rindex("USER 1000") > DOCKERFILE.rindex("COPY")
    assert "--chown" not in DOCKERFILE
    service = COMPOSE["services"]["sayso"]
    assert service["read_only"] and service["tmpfs"] == ["/tmp"] and service["cap_drop"] == ["ALL"]
    assert POD["securityContext"]["readOnlyRootFilesystem"] and POD["securityContext"]["runAsNonRoot"]


def test_the_volumes_of_the_compose_file_are_there():
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            source = volume.rsplit(":", 2 if volume.endswith(":ro") else 1)[0]
            assert source.startswith("$") or source in COMPOSE["volumes"] or (DEPLOY / source).is_file()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path):
    file = tmp_path / "sayso.service"
    file.write_text(UNIT.replace("/opt/sayso/.venv/bin/python", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", str(file)], capture_output=True, text=True)
    assert "sayso.service" not in done.stderr and done.returncode == 0, done.stderr
