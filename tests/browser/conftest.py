"""One browser for each file of tests, and each page opened once in each look."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tools import browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if browser.executable() is None:
        reason = f"no browser: none of {', '.join(browser.NAMES)} is installed"
        assert os.environ.get("RLKIT_BROWSER") != "required", reason
        pytest.skip(reason)
    assert browser.HTML.is_dir(), "the pages are not built: run `make book`"
    with browser.launched() as started:
        yield started


VISITS = [(name, look) for name in browser.pages() for look in browser.LOOKS] + [
    ("genindex", "light"),
    ("search", "light"),
]


@pytest.fixture(scope="module", params=VISITS, ids="-".join)
def opened(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[browser.Visit]:
    """Open each page in each look once, for all tests; leave a picture of it when one of them fails."""
    name, look = request.param
    failed = request.session.testsfailed
    with browser.visit(chromium, f"{name}.html", look) as seen:
        yield seen
        if request.session.testsfailed > failed:
            picture = browser.SCREENSHOTS / f"failed-{name.replace('/', '-')}-{look}.png"
            seen.page.screenshot(path=picture, full_page=True)
