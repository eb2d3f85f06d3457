"""An annotator in a real browser: what is seen and done in the page is what comes back."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dragoman.annotate import project, serve
from dragoman.formats import inline
from dragoman.types import Document
from tests.builders import SCHEMA, lakeside

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("label_studio_sdk", reason="the extra labelstudio is not installed")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(
        serve.ENVIRONMENT not in os.environ, reason=f"{serve.ENVIRONMENT} names no label-studio command"
    ),
    pytest.mark.xdist_group("labelstudio"),
]
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ODD = """id: odd-text-2001
date: 2001-02-03

🙂 회담 in [서울]{T1 GPE} ended
[Sylvania]{T2 GPE} 🇰🇷 and its  [envoy]{T3 ROLE} left;  [Freedonia]{T4 GPE} stayed on [Monday]{T5 DATE}.
---
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serve.Running]:
    with serve.running(tmp_path_factory.mktemp("label-studio")) as found:
        yield found


@pytest.fixture(scope="module")
def page(server: serve.Running) -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1500, "height": 1000})
        opened.goto(f"{server.url}/user/login/")
        opened.fill("input[name=email]", server.user)
        opened.fill("input[name=password]", server.password)
        opened.keyboard.press("Enter")
        opened.wait_for_url(re.compile("/projects|/$"))
        yield opened
        browser.close()


def open_task(page: Any, client: Any, server: serve.Running, document: Document, name: str) -> int:
    """Send a document with its annotations as a prediction, and open it; the project's number."""
    sent = project.push(client, server.url, name, [document], SCHEMA, form="predictions", version="gold")
    (task,) = client.tasks.list(project=sent.project, fields="task_only")
    marks = page.locator(".lsf-richtext__container .htx-highlight")
    for _ in range(4):
        page.goto(f"{server.url}/projects/{sent.project}/data?task={task.id}")
        try:
            playwright.expect(marks).to_have_count(len(document.entities), timeout=15_000)
        except AssertionError:
            continue  # under load the page sometimes shows no prediction
        return sent.project
    raise AssertionError("the page never showed the prediction")


def submit(page: Any) -> None:
    with page.expect_response(
        lambda answer: "/annotations" in answer.url and answer.request.method == "POST"
    ) as answer:
        page.get_by_label("Submit current annotation").click()
    assert answer.value.status == 201


def drag(page: Any, text: str) -> None:
    """Select a stretch of the text with the mouse."""
    place = page.evaluate(
        """wanted => {
            const root = document.querySelector(".lsf-richtext__container");
            const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const at = node.data.indexOf(wanted);
                if (at < 0) continue;
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + wanted.length);
                const box = range.getBoundingClientRect();
                return [box.left, box.right, box.top + box.height / 2];
            }
        }""",
        text,
    )
    left, right, middle = place
    page.mouse.move(left + 0.5, middle)
    page.mouse.down()
    page.mouse.move((left + right) / 2, middle, steps=5)
    page.mouse.move(right - 0.2, middle, steps=5)
    page.mouse.up()


@pytest.mark.parametrize("document", [lakeside(), inline.parse(ODD, "odd.txt", schema=SCHEMA.reference)])
def test_what_is_submitted_unchanged_comes_back_unchanged(
    page: Any, server: serve.Running, tmp_path: Path, document: Document
) -> None:
    client = project.connect(server.url, server.key)
    number = open_task(page, client, server, document, f"unchanged {document.id}")
    submit(page)
    pulled = project.pull(client, server.url, str(number), tmp_path, SCHEMA)
    (one,) = pulled.annotations
    assert (one.document, one.origin, one.annotator) == (document, "accepted", serve.LOGIN)
    assert pulled.notes == ()


def test_a_span_that_is_drawn_is_added(page: Any, server: serve.Running, tmp_path: Path) -> None:
    client = project.connect(server.url, server.key)
    document = lakeside()
    number = open_task(page, client, server, document, "drawn")
    page.locator(".lsf-label", has_text="EVENT").first.click()
    drag(page, "signed the")
    marks = page.locator(".lsf-richtext__container .htx-highlight")
    playwright.expect(marks).to_have_count(len(document.entities) + 1)
    submit(page)
    (one,) = project.pull(client, server.url, str(number), tmp_path, SCHEMA).annotations
    before = {(e.id, e.start, e.end, e.label) for e in document.entities}
    added = {(e.id, e.start, e.end, e.label) for e in one.document.entities} - before
    start = (document.text or "").index("signed the")
    assert added == {(f"T{len(before) + 1}", start, start + len("signed the"), "EVENT")}
    assert (one.origin, one.document.relations) == ("changed", document.relations)


def test_a_relation_that_is_drawn_is_added(page: Any, server: serve.Running, tmp_path: Path) -> None:
    client = project.connect(server.url, server.key)
    document = lakeside()
    number = open_task(page, client, server, document, "related")
    starts = {entity.id: entity.start for entity in document.entities}
    page.locator(f'.htx-highlight[data-start="{starts["T7"]}"]').click()
    page.keyboard.press("Alt+r")
    page.locator(f'.htx-highlight[data-start="{starts["T1"]}"]').click()
    page.locator("#Relations-draggable").click()
    drawn = page.locator(".lsf-relations__item").last
    drawn.hover()
    drawn.get_by_label("Show Relation Labels").click()
    drawn.get_by_test_id("select-trigger-").click()
    page.get_by_role("option", name="opposes").click()
    page.keyboard.press("Escape")
    submit(page)
    (one,) = project.pull(client, server.url, str(number), tmp_path, SCHEMA).annotations
    added = {(r.source, r.label, r.target) for r in one.document.relations} - {
        (r.source, r.label, r.target) for r in document.relations
    }
    assert added == {("T7", "opposes", "T1")}
    assert set(document.relations) < set(one.document.relations)
