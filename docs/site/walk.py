"""Walk the built site in Chromium: python -m docs.site.walk [FOLDER]

Fails on a link that leads nowhere, on anything that is asked of another host, on an error of a script, and on what breaks
axe-core's rules for WCAG 2.2, A and AA, in light and in dark.
"""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

from docs.moving import chromium_page
from docs.site.pages import ROOT

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# where the links of a page lead, and which parts of it can be led to
LINKS = (
    "() => [...document.querySelectorAll('a[href], img[src], link[href], script[src]')].map((node) => node.href || node.src)"
)
PARTS = "() => [...document.querySelectorAll('[id]')].map((node) => node.id)"


def walk(folder: Path) -> list[str]:
    """What is wrong with the site in a folder, a line each."""
    from axe_playwright_python.sync_playwright import Axe

    wrong: list[str] = []
    led: list[tuple[str, str]] = []
    parts: dict[str, set[str]] = {}
    files = sorted(folder.glob("*.html"))
    with chromium_page(1200, 900) as page:
        page.on("request", lambda request: wrong.append(f"asks {request.url}") if is_foreign(request.url) else None)
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        for file in files:
            page.goto(file.as_uri())
            parts[file.as_uri()] = set(page.evaluate(PARTS))
            led += [(file.name, link) for link in page.evaluate(LINKS) if link.startswith("file:")]
            wrong += broken(Axe(), page, file.name)
            if file.name == "index.html":
                page.evaluate("document.body.dataset.theme = 'dark'")
                wrong += broken(Axe(), page, f"{file.name}, dark")
    for name, link in sorted(set(led)):
        target, part = urldefrag(link)
        if not Path(unquote(urlsplit(target).path)).is_file():
            wrong.append(f"{name} links to {link}, which is not there")
        elif part and target in parts and unquote(part) not in parts[target]:
            wrong.append(f"{name} links to {link}, and there is no such part")
    print(f"{len(files)} pages, {len(set(led))} links")
    return wrong


def is_foreign(url: str) -> bool:
    return not url.startswith(("file:", "data:", "blob:", "about:"))


def broken(axe: Any, page: Any, name: str) -> list[str]:
    found = axe.run(page, options=RULES).response["violations"]
    return [f"{name}: {rule['id']}, {rule['nodes'][0]['html'][:200]}" for rule in found]


if __name__ == "__main__":
    wrong = walk(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "site"))
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))
