"""The browser in which pages are tested and photographed: one that is installed, never on the network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import yaml
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tools.provenance import ROOT

HTML = ROOT / "_build" / "html"
SCREENSHOTS = ROOT / "_build" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ELSEWHERE = re.compile(r"^(?!file:|data:|blob:|about:)")
LOOKS = ("light", "dark", "phone")
DESKTOP, PHONE = (1280, 900), (390, 844)


def executable() -> str | None:
    """Return the path of an installed Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """Start the installed browser, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """An open page, what it asked for from elsewhere (and did not get), and what it complained about."""

    page: Page
    look: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def visit(browser: Browser, address: str, look: str = "light") -> Iterator[Visit]:
    """Open a built page from the disk, as a reader without a network does, and wait until its formulas are set.

    Args:
        browser: the one to open it in.
        address: within the built book, such as ``search.html?q=Bellman``.
        look: "light", "dark" or "phone".
    """
    width, height = PHONE if look == "phone" else DESKTOP
    scheme: Literal["dark", "light"] = "dark" if look == "dark" else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    seen = Visit(context.new_page(), look)

    def refuse(route: Route) -> None:
        seen.foreign.append(route.request.url)
        route.abort()

    context.route(ELSEWHERE, refuse)
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    seen.page.goto(f"{HTML.as_uri()}/{address}", wait_until="load")
    if look == "dark":
        seen.page.evaluate("Object.assign(document.documentElement.dataset, {theme: 'dark', mode: 'dark'})")
    seen.page.evaluate("window.MathJax?.startup?.promise")
    yield seen
    context.close()


def pages() -> list[str]:
    """Return every page that the table of contents names, without its ending: ``book/index``, ..."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
