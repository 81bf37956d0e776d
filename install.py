"""Install what Sayso needs into .venv, beside this file; on Linux, macOS and Windows, with Python 3.11 or newer.

    python install.py [--dev] [--locked] [--extra heic]

Pip's torch for Linux brings some 4 GB of CUDA libraries, which nobody needs without an NVIDIA card. PyTorch has smaller
builds, and uv knows which of them fits this computer: so torch comes by uv, and if it cannot, by pip as all the rest does.
SAYSO_TORCH chooses: `auto`, `cpu` or another of uv's --torch-backend; `pip` spares the try.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PIP = (str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def main() -> None:
    parser = argparse.ArgumentParser(description="Install what Sayso needs into .venv.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    parser.add_argument("--locked", action="store_true", help="the exact versions of requirements.lock")
    parser.add_argument("--extra", action="append", default=[], help="a file of requirements-extras, such as heic")
    asked = parser.parse_args()
    files = ["requirements-dev.txt" if asked.dev else "requirements.txt"]
    files += [f"requirements-extras/{extra}.txt" for extra in asked.extra]
    if missing := [file for file in files if not (ROOT / file).is_file()]:
        sys.exit(f"There is no {missing[0]}; --extra names a file of requirements-extras.")
    lock = ["-c", "requirements.lock"] if asked.locked else []
    if not PYTHON.exists():
        make_environment(VENV)
    backend = os.environ.get("SAYSO_TORCH", "auto")
    if backend != "pip" and not any(VENV.glob("**/site-packages/torch-*.dist-info")):
        install_torch(backend, lock)
    # Python compiles what it imports, which is a small part of what there is
    run(*PIP, "--no-compile", *(word for file in files for word in ("-r", file)), *lock)


def make_environment(folder: Path) -> None:
    """A virtual environment with pip. Exits with a sentence where Python cannot make one."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python is told so
        sys.exit(f"Sayso needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    try:
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")  # as `python -m venv` does
    except subprocess.CalledProcessError:
        shutil.rmtree(folder)  # half of one would be taken for a whole one
        sys.exit("Python cannot make a virtual environment; on Debian and Ubuntu, apt install python3-venv, and try again.")


def install_torch(backend: str, lock: list[str], python: Path = PYTHON) -> None:
    """The build of torch that fits this computer, if it can be had; a sentence if not, for then pip's will do."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    torches = [line for line in lines if line.startswith("torch")]
    with tempfile.TemporaryDirectory() as folder:
        uv = shutil.which("uv") or fetched_uv(Path(folder))
        command = [uv, "pip", "install", "--quiet", "--no-deps", "--no-cache", "--python", str(python)]
        try:
            run(*command, "--torch-backend", backend, *torches, *lock, UV_HTTP_RETRIES="1")
        except (OSError, subprocess.CalledProcessError):
            print("PyTorch's own builds cannot be reached; pip's comes instead, which may be larger.", file=sys.stderr)


def fetched_uv(folder: Path) -> str:
    """uv for this once; an empty word if it cannot be had."""
    try:
        run(*PIP, "--target", str(folder), "uv")
    except subprocess.CalledProcessError:
        return ""
    return shutil.which("uv", path=str(folder / "bin")) or ""


def run(*command: str, **environment: str) -> None:
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
