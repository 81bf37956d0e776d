"""Build the site of the docs: python -m docs.site [FOLDER]

It goes to `site` unless told, needs no network, and asks the browser for nothing from elsewhere. Every warning is an error.
Sphinx comes with requirements-docs.txt.
"""

import sys
import tempfile
from pathlib import Path

from docs.site.pages import ROOT, gather


def main() -> int:
    try:
        from sphinx.cmd.build import main as build
    except ImportError:
        sys.exit("Sphinx is not installed: .venv/bin/pip install -r requirements-docs.txt")
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site")
    with tempfile.TemporaryDirectory() as folder:
        gather(Path(folder))
        return build(["-W", "--keep-going", "-q", "-b", "html", "-c", str(Path(__file__).parent), folder, str(target)])


if __name__ == "__main__":
    sys.exit(main())
