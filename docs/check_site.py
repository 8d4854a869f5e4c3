"""Checks the built site: no dead link, and nothing that a browser would ask of another host.

python docs/check_site.py site
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
FROM_AFAR = re.compile(r"@import|url\(\s*['\"]?(?:https?:)?//")


class Page(HTMLParser):
    """The links, the loaded files and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what a tag links to, loads or is named."""
        of = {name: value or "" for name, value in attrs}
        self.anchors |= {of.get("id", ""), of.get("name", "")}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        canonical = tag == "link" and of.get("rel") in ("canonical", "alternate", "prev", "next")
        if tag in LOADED and LOADED[tag] in of and not canonical:
            self.loaded.append(of[LOADED[tag]])


def complaints(site: Path) -> list[str]:
    """What is wrong with a site, one line each.

    Args:
        site: The folder that it was built into.
    """
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    wrong = [
        f"{path}: reads a file from another host"
        for path in site.rglob("*.css")
        if FROM_AFAR.search(path.read_text(encoding="utf-8"))
    ]
    for path, page in pages.items():
        for link in {*page.links, *page.loaded}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    wrong.append(f"{path}: loads {link} from another host")
                continue
            root = site if parts.path.startswith("/") else path.parent
            target = (root / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                wrong.append(f"{path}: no file at {link}")
            elif (
                parts.fragment
                and target in pages
                and unquote(parts.fragment) not in pages[target].anchors
            ):
                wrong.append(f"{path}: nothing is named {link}")
    return wrong


if __name__ == "__main__":
    found = complaints(Path(sys.argv[1]).resolve())
    print("\n".join(found) or "no dead link, and no file from another host")
    sys.exit(bool(found))
