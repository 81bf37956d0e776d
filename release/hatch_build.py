"""Hatchling's hooks: the requirements from a checkout's own files, and the package as `release.package` writes it."""

import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


def requirements(file: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


class Requirements(MetadataHookInterface):
    """requirements.txt, and each file of requirements-extras as an extra."""

    def update(self, metadata: dict[str, Any]) -> None:
        root = Path(self.root)
        metadata["dependencies"] = requirements(root / "requirements.txt")
        extras = sorted((root / "requirements-extras").glob("*.txt"))
        metadata["optional-dependencies"] = {file.stem: requirements(file) for file in extras}


class Package(BuildHookInterface):
    """The package is written to a folder for a while, from which the wheel takes it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            raise ValueError("Sayso is edited in its checkout, which needs no installation: python app.py")
        self.written = tempfile.TemporaryDirectory()
        write_package = runpy.run_path(str(Path(self.root, "release", "package.py")))["write_package"]
        write_package(Path(self.root), Path(self.written.name))
        build_data["force_include"][self.written.name] = "sayso"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.written.cleanup()
