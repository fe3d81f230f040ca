"""Photograph built pages, for authors: light, dark and as wide as a phone, from top to bottom.

    python -m tools.screenshots                      every page
    python -m tools.screenshots notebooks/01_mdps    only this one

The pictures go to _build/screenshots.
"""

from __future__ import annotations

import sys

from tools import browser


def main(names: list[str]) -> None:
    """Photograph these pages, or all."""
    browser.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with browser.launched() as chromium:
        for name in names or browser.pages():
            for look in browser.LOOKS:
                target = browser.SCREENSHOTS / f"{name.replace('/', '-')}-{look}.png"
                with browser.visit(chromium, f"{name}.html", look) as seen:
                    seen.page.screenshot(path=target, full_page=True)
                print(target.relative_to(browser.ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
