"""The page in a real browser, opened from the file system, never with a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dragoman.report import render
from tests.unit.test_report import SCHEMA, hostile, page, sample

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}

EMPTY = """() => [...document.querySelectorAll(
  "main, section, article, nav, table, caption, tbody, th, td, details, h1, h2, h3, h4, p, li, dd"
)].filter((node) => !node.textContent.trim() && node.id !== "status").map((node) => node.outerHTML)"""

COVERED = """() => {
  const letters = (text) => {
    const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT), found = [];
    while (walker.nextNode()) {
      if (walker.currentNode.parentElement.closest("svg, .sr")) continue;
      const range = document.createRange();
      range.selectNodeContents(walker.currentNode);
      found.push(...range.getClientRects());
    }
    return found;
  };
  // 3 px: the box of a letter is taller than the letter
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top < a.bottom - 3;
  return [...document.querySelectorAll(".text:has(.arcs)")].flatMap((text) =>
    [...text.querySelectorAll(".arcs text, .arcs .line")]
      .filter((mark) => letters(text).some((letter) => meet(letter, mark.getBoundingClientRect())))
      .map((mark) => mark.textContent || mark.getAttribute("d")));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("report")
    found = {"sample": folder / "sample.html", "hostile": folder / "hostile.html"}
    found["sample"].write_text(render(sample(), SCHEMA), "utf-8")
    found["hostile"].write_text(render(page(hostile()), SCHEMA), "utf-8")
    return found


class Seen:
    """A page that notes everything that it should not do."""

    def __init__(self, browser: Any, path: Path, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESKTOP, **options})
        self.page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("dialog", lambda dialog: (self.troubles.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda request: self._asked(request.url, path.as_uri()))
        self.page.goto(path.as_uri())

    def _asked(self, url: str, own: str) -> None:
        if url.partition("#")[0] != own and not url.startswith("data:"):
            self.troubles.append(f"request: {url}")

    def walk(self) -> None:
        """Scroll through the whole page, so that everything is laid out and drawn."""
        self.page.evaluate(
            """async () => {
              for (let y = 0; y < document.documentElement.scrollHeight; y += 400) {
                window.scrollTo(0, y);
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
              }
            }"""
        )

    def until(self, condition: str) -> None:
        """Wait for a JavaScript condition; the page's own policy keeps Playwright from doing so."""
        for _ in range(100):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never true: {condition}")

    def count(self, selector: str) -> int:
        return int(self.page.locator(selector).count())


@pytest.fixture
def opened(browser: Any, files: dict[str, Path]) -> Iterator[Any]:
    pages: list[Seen] = []

    def open_page(name: str = "sample", **options: Any) -> Seen:
        pages.append(Seen(browser, files[name], **options))
        return pages[-1]

    yield open_page
    for seen in pages:
        seen.context.close()


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_the_page_opens_without_errors_or_requests(opened: Any, name: str) -> None:
    seen = opened(name)
    seen.walk()
    for button in ("#only-errors", "#all-arcs", "#theme"):
        seen.page.click(button)
    assert seen.troubles == []


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_nothing_on_the_page_is_empty(opened: Any, name: str) -> None:
    seen = opened(name)
    assert [node for node in seen.page.evaluate(EMPTY) if "<td></td>" not in node] == []


@pytest.mark.parametrize("name", ["sample", "hostile"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_never_scrolls_sideways(opened: Any, name: str, size: dict[str, int]) -> None:
    seen = opened(name, viewport=size)
    seen.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    seen.walk()
    width = seen.page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_line_with_relations_gets_its_arcs(opened: Any, size: dict[str, int]) -> None:
    seen = opened(viewport=size)
    seen.walk()
    assert seen.count(".text[data-arcs]") > 0
    assert seen.count(".text[data-arcs] .arcs .line") >= seen.count(".text[data-arcs]")
    assert seen.count(".text[data-arcs]:not(:has(.arcs .line))") == 0
    for verdict in ("right", "missed", "spurious"):
        assert seen.count(f".arcs .{verdict} .line") > 0


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_arcs_never_cover_the_text(opened: Any, size: dict[str, int]) -> None:
    seen = opened(viewport=size)
    seen.walk()
    assert seen.page.evaluate(COVERED) == []


def test_arcs_are_drawn_again_when_the_width_changes(opened: Any) -> None:
    seen = opened()
    seen.page.locator("#run-1-1").scroll_into_view_if_needed()
    path = "[...document.querySelectorAll('#run-1-1 .line')].map((one) => one.getAttribute('d')).join()"
    seen.until(path)
    before = seen.page.evaluate(path)
    seen.page.set_viewport_size(PHONE)
    seen.until(f"{path} !== {before!r}")


def test_arcs_wait_until_they_are_near(opened: Any) -> None:
    seen = opened()
    seen.until("!document.getElementById('tools').hidden")
    assert seen.count("#run-2-10 .arcs") == 0


def test_only_errors_leaves_articles_and_lines_with_errors(opened: Any) -> None:
    seen = opened()
    assert seen.page.locator("#run-1-2").is_visible()
    seen.page.click("#only-errors")
    assert seen.page.locator("#run-1-1").is_visible()
    assert not seen.page.locator("#run-1-2").is_visible()
    assert not seen.page.locator(".block:not([data-errors]):visible").count()
    assert "in 11 of 12 articles" in seen.page.inner_text("#status")
    seen.page.click("#only-errors")
    assert seen.page.locator("#run-1-2").is_visible()


def test_the_keyboard_reaches_the_relations_of_a_span(opened: Any) -> None:
    seen = opened()
    seen.page.locator("#run-1-1").scroll_into_view_if_needed()
    first = seen.page.locator("#run-1-1 [data-i][tabindex='0']").first
    number = first.get_attribute("data-i")
    first.focus()
    assert seen.count("#run-1-1 .arc.on") > 0
    seen.page.keyboard.press("ArrowRight")
    assert seen.page.evaluate("document.activeElement.dataset.i") != number
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    seen.page.keyboard.press("Escape")
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "false"


def test_the_skip_link_is_the_first_stop(opened: Any) -> None:
    seen = opened()
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"


def test_the_contents_open_and_lead_on_a_phone(opened: Any) -> None:
    seen = opened(viewport=PHONE)
    assert not seen.page.locator("#contents").is_visible()
    seen.page.click("#open-contents")
    seen.page.click("#contents a[href='#run-2-3']")
    assert not seen.page.locator("#contents").is_visible()
    assert seen.page.locator("#run-2-3 h4").is_visible()


def test_without_script_the_relations_are_listed(opened: Any) -> None:
    seen = opened(java_script_enabled=False)
    assert not seen.page.locator("#tools").is_visible()
    details = seen.page.locator("#run-1-1 details.relations")
    details.locator("summary").click()
    rows = details.locator("tbody tr").all_inner_texts()
    # 6 gold relations and 2 spurious ones
    assert len(rows) == 8
    assert sum("missed" in row for row in rows) == 4
    assert sum("spurious" in row for row in rows) == 2


def test_light_and_dark_look_different_and_can_be_chosen(opened: Any, tmp_path: Path) -> None:
    shots = []
    for scheme in ("light", "dark"):
        seen = opened(color_scheme=scheme)
        seen.page.locator("#run-1-1").scroll_into_view_if_needed()
        seen.page.wait_for_selector("#run-1-1 .arcs .line", state="attached")
        seen.page.screenshot(path=tmp_path / f"{scheme}.png")
        shots.append(seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert shots[0] != shots[1]
    assert all((tmp_path / f"{scheme}.png").stat().st_size > 10_000 for scheme in ("light", "dark"))
    seen = opened(color_scheme="light")
    for expected in (shots[0], shots[1], shots[0]):  # light, dark, and the system's again
        seen.page.click("#theme")
        found = seen.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert found == expected
