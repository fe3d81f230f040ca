"""The built book in a browser, from the disk and without a network: it is whole, it fits, it moves."""

from playwright.sync_api import Browser, Page

from tools import browser

PLAYERS = ".rlk-player"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNSET_FORMULAS = r"""
    [...document.querySelectorAll('.math, .mathjax_process')]
        .filter(e => /\\\(|\\\[/.test(e.innerText)).map(e => e.innerText)
"""
INVISIBLE = """
    [...document.querySelectorAll('article.bd-article svg')].filter(svg => {
        if (svg.closest('[hidden], details:not([open]), button, [aria-hidden=true], .toggle-hidden')) return false;
        const box = svg.getBoundingClientRect();
        return !(box.width > 1 && box.height > 1) || getComputedStyle(svg).visibility !== 'visible';
    }).map(svg => svg.getAttribute('aria-label') ?? svg.outerHTML.slice(0, 80))
"""


def test_page_needs_no_network_and_complains_about_nothing(opened: browser.Visit) -> None:
    assert opened.foreign == []
    assert opened.errors == []


def test_formulas_are_set(opened: browser.Visit) -> None:
    if opened.page.locator(".math").count():
        assert opened.page.locator("mjx-container").count() >= opened.page.locator(".math").count()
    assert opened.page.evaluate(UNSET_FORMULAS) == []
    assert opened.page.locator("mjx-merror, [data-mjx-error]").count() == 0


def test_page_fits_its_window(opened: browser.Visit) -> None:
    assert opened.page.evaluate(OVERFLOW) <= 0


def test_figures_are_visible(opened: browser.Visit) -> None:
    assert opened.page.evaluate(INVISIBLE) == []


def test_search_finds_a_word(chromium: Browser) -> None:
    with browser.visit(chromium, "search.html?q=Bellman") as seen:
        results = seen.page.locator("#search-results li a")
        results.first.wait_for(timeout=10_000)
        assert any("01_mdps" in (link.get_attribute("href") or "") for link in results.all())


def shown_frame(page: Page, player: int) -> str:
    """Return the key of the one frame that a player shows."""
    visible = page.locator(PLAYERS).nth(player).locator(".rlk-frame:not([hidden])")
    assert visible.count() == 1
    assert visible.is_visible()
    return visible.get_attribute("data-key") or ""


def unfold(page: Page) -> None:
    """Open every fold, as a reader does who wants to play with a figure that stands under "Deeper"."""
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")


def test_sliders_and_lists_change_the_picture(opened: browser.Visit) -> None:
    unfold(opened.page)
    players = opened.page.locator(PLAYERS)
    if "/notebooks/" in opened.page.url:
        assert players.count(), "a chapter has at least one explorable figure"
    for player in range(players.count()):
        for control in players.nth(player).locator("input[type=range], select").all():
            before = shown_frame(opened.page, player)
            if control.evaluate("e => e.tagName") == "SELECT":
                here, n = control.evaluate("e => e.selectedIndex"), control.locator("option").count()
                control.select_option(index=(here + 1) % n)
            else:
                control.focus()
                at_end = control.evaluate("e => e.value === e.max")
                control.press("ArrowLeft" if at_end else "ArrowRight")
            assert shown_frame(opened.page, player) != before


def test_play_buttons_move_the_picture(opened: browser.Visit) -> None:
    unfold(opened.page)
    players = opened.page.locator(PLAYERS)
    for player in range(players.count()):
        button = players.nth(player).locator(".rlk-play")
        if button.count():
            before = shown_frame(opened.page, player)
            button.click()
            frame = players.nth(player).locator(f".rlk-frame:not([hidden]):not([data-key='{before}'])")
            frame.wait_for(timeout=5_000)
            button.click()
