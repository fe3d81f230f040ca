"""Everybody can read it: axe finds nothing serious in what is ours, in light and in dark. (What is the theme's is not.)"""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tools import browser

OURS = {"include": ["article.bd-article"], "exclude": [".rlk-player [hidden]"]}
AXE = {"preload": False, "resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
VISITS = [(name, look) for name in browser.pages() for look in ("light", "dark")]


@pytest.mark.parametrize("opened", VISITS, ids="-".join, indirect=True, scope="module")
def test_everybody_can_read_it(opened: browser.Visit) -> None:
    results = Axe().run(opened.page, context=OURS, options=AXE).response
    serious = [v for v in results["violations"] if v["impact"] in ("serious", "critical")]
    assert [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}" for v in serious] == []
