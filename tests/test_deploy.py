"""The files in deploy/ and the Dockerfile say what the program knows: its options, ports, variables and routes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.commands import invoke

DEPLOY = Path(__file__).parents[1] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VALUES = yaml.safe_load((DEPLOY / "values.yaml").read_text())
UNIT = (DEPLOY / "sayso.service").read_text()
DOCKERFILE = (DEPLOY.parent / "Dockerfile").read_text()
VARIABLES = "\n".join(file.read_text() for file in (DEPLOY.parent / "docs").glob("operations.md"))


@pytest.fixture(scope="module")
def options():
    return set(re.findall(r"--[a-z-]+", invoke("serve", "--help")[0]))


@pytest.mark.parametrize(
    "words",
    [
        COMPOSE["services"]["sayso"]["command"],
        VALUES["args"],
        re.search(r"^ExecStart=\S+ app\.py (.*)$", UNIT, re.MULTILINE)[1].split(),
        re.findall(r'"([^"]+)"', re.search(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[1]),
    ],
    ids=["compose", "helm", "systemd", "docker"],
)
def test_serve_knows_every_option(words, options):
    assert words[0] == "serve"
    assert {word for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize(
    "variables",
    [
        COMPOSE["services"]["sayso"]["environment"],
        VALUES["env"],
        re.findall(r"SAYSO_[A-Z]+(?==)", UNIT),
        re.findall(r"SAYSO_[A-Z]+(?==/)", DOCKERFILE),
    ],
    ids=["compose", "helm", "systemd", "docker"],
)
def test_every_variable_is_documented(variables):
    assert list(variables)
    assert all(f"`{name}`" in VARIABLES for name in variables if name.startswith("SAYSO_"))


def test_ports_and_probes_are_those_of_the_program():
    from ui.guard.visitors import OPEN

    port = VALUES["containerPort"]
    assert f"EXPOSE {port}" in DOCKERFILE
    assert f"sayso:{port}" in (DEPLOY / "Caddyfile").read_text()
    assert f"127.0.0.1:{port}" in (DEPLOY / "nginx.conf").read_text()
    for probe in ("livenessProbe", "readinessProbe"):
        assert VALUES[probe]["httpGet"]["path"] in OPEN
        assert VALUES[probe]["httpGet"]["port"] == port
    assert f"127.0.0.1:{port}/healthz" in DOCKERFILE
    assert str(port) in invoke("serve", "--help")[0]


def test_uploads_are_as_large_as_the_program_takes():
    from ui.guard.bodies import LARGER

    most = max(LARGER.values()) // 1_000_000
    assert f"client_max_body_size {most}m;" in (DEPLOY / "nginx.conf").read_text()
    assert f"max_size {most}MB" in (DEPLOY / "Caddyfile").read_text()


def test_nothing_runs_as_root_or_may_write_beside_its_data():
    assert "USER 1000" in DOCKERFILE
    sayso = COMPOSE["services"]["sayso"]
    assert sayso["read_only"]
    assert sayso["cap_drop"] == ["ALL"]
    assert "ports" not in sayso  # the proxy alone is reached from outside
    assert VALUES["securityContext"]["runAsNonRoot"]


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_a_probe_is_let_in_beside_a_host_name(probe):
    """Kubernetes calls a pod by its address, which the check of the Host header refuses; so the probe must say a name."""
    from ui.server import LOOPBACK

    said = {header["name"]: header["value"] for header in VALUES[probe]["httpGet"].get("httpHeaders", [])}
    assert "--host-name" in VALUES["args"]
    assert said.get("Host") in LOOPBACK


def test_measured_speeds_are_kept_where_a_read_only_root_can_be_written():
    assert "SAYSO_CACHE=/data/" in DOCKERFILE
    assert "VOLUME /data" in DOCKERFILE


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path):
    file = tmp_path / "sayso.service"
    file.write_text(UNIT.replace("/opt/sayso/.venv/bin/python", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", "--recursive-errors=no", str(file)], capture_output=True, text=True)
    assert "sayso.service" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
