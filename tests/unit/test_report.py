"""The page and the tables; everything in the articles is invented."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from html.parser import HTMLParser

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given

from dragoman.errors import ScoreError
from dragoman.report import Page, Run, colours, markdown, render, table
from dragoman.report.compare import Mark, compare
from dragoman.report.layout import blocks, parts
from dragoman.report.words import shown
from dragoman.schema import EntityType, RelationType, Schema
from dragoman.score import score
from dragoman.types import LAYERS, Document, Entity, Relation
from tests.builders import ROOT

SCHEMA = Schema(
    name="invented",
    version=1,
    entities={
        "STATE": EntityType(description="A state", kind="country", color="#2f6fb3"),
        "PACT": EntityType(description="A pact", kind="agreement", color="#ffee00"),
        "DAY": EntityType(description="A day", kind="date", color="no colour; } body { display: none"),
    },
    relations={
        "signs": RelationType(description="Signs", source=("STATE",), target=("PACT",)),
        "borders": RelationType(description="Borders", source=("STATE",), target=("STATE",), symmetric=True),
        "signed_on": RelationType(description="When", source=("PACT",), target=("DAY",)),
    },
)

TREATY = (
    "Freedonia and Sylvania sign the Lake Pact\n"
    "Freedonia signed the Lake Pact on Monday. Sylvania followed, said a spokesman in Fredville.\n"
    "It had waited since the spring."
)
HOSTILE = (
    "</script><script>alert(1)</script> <img src=x onerror=alert(2)> & \"Freedonia\" & 'Sylvania'.\n"
    "Family 👩‍👩‍👧‍👦 of \u202eFreedonia\u202c met \x00 \x07 Sylvania, و فريدونيا.\n" + "x" * 5000 + "\n"
    "word " + "Freedonia borders Sylvania " * 200 + "end."
)


def span(number: int, text: str, words: str, label: str, nth: int = 0) -> Entity:
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    return Entity(id=f"T{number}", start=start, end=start + len(words), label=label)


def article(
    identifier: str,
    text: str,
    spans: list[tuple[str, str] | tuple[str, str, int]],
    relations: tuple[str, ...] = (),
    **rest: object,
) -> Document:
    """Spans as (words, label, which occurrence) get T1, T2, ...; relations as "T1 label T2"."""
    links = enumerate((line.split() for line in relations), 1)
    return Document.new(
        id=identifier,
        text=text,
        schema=SCHEMA.reference,
        layers=rest.pop("layers", LAYERS),
        entities=tuple(span(n, text, *found) for n, found in enumerate(spans, 1)),
        relations=tuple(Relation(id=f"R{n}", source=a, label=b, target=c) for n, (a, b, c) in links),
        **rest,
    )


def treaty(identifier: str = "lake-pact") -> tuple[Document, Document]:
    """A pair with every verdict: see ``test_each_span_gets_its_verdict``."""
    gold = article(
        identifier,
        TREATY,
        [
            ("Freedonia", "STATE"),
            ("Sylvania", "STATE"),
            ("Lake Pact", "PACT"),
            ("Freedonia", "STATE", 1),
            ("Lake Pact", "PACT", 1),
            ("Monday", "DAY"),
            ("Sylvania", "STATE", 1),
            ("spring", "DAY"),
        ],
        ("T1 signs T3", "T2 signs T3", "T1 borders T2", "T4 signs T5", "T5 signed_on T6", "T7 signs T5"),
        title=f"The Lake Pact, {identifier}",
        date="1933-05-01",
        meta={"kind": "treaty"},
    )
    predicted = article(
        identifier,
        TREATY,
        [
            ("Freedonia", "STATE"),
            ("Sylvania", "STATE"),
            ("Lake Pact", "PACT"),
            ("Freedonia", "STATE", 1),
            ("the Lake Pact", "PACT", 1),
            ("Monday", "PACT"),
            ("Fredville", "STATE"),
        ],
        ("T1 signs T3", "T2 borders T1", "T4 signs T5", "T1 signs T5"),
    )
    return gold, predicted


def hostile() -> tuple[Document, Document]:
    gold = article(
        'x"><b>',
        HOSTILE,
        [
            ("<script>", "PACT"),
            ("Freedonia\u202c met", "STATE"),
            ("met \x00 \x07 Sylvania", "DAY"),
            ("Freedonia", "STATE", 1),
            ("Freedonia", "PACT", 1),
            ("x" * 5000, "DAY"),
            ("فريدونيا", "STATE"),
        ],
        ("T2 borders T7", "T4 signs T5", "T1 signed_on T6"),
        title="\u202e</title><script>alert(3)</script>",
        meta={"kind": "<i>news</i>"},
    )
    return gold, article('x"><b>', HOSTILE, [("Family", "DAY"), ("👩‍👩‍👧‍👦", "STATE")], ("T2 borders T2",))


def run(name: str, pairs: list[tuple[Document, Document]]) -> Run:
    """A run with scorecards of all three settings; the later two predict nothing of their own."""
    gold, predicted = (tuple(side) for side in zip(*pairs, strict=True))
    given = [msgspec.structs.replace(document, relations=document.relations[:1]) for document in gold]
    cards = (
        score(gold, predicted, SCHEMA),
        score(gold, given, SCHEMA, given="mentions"),
        score(gold, given, SCHEMA, given="clusters"),
    )
    return Run(name=name, about=f"Invented articles of {name}.", gold=gold, predicted=predicted, cards=cards)


def sample() -> Page:
    """Two runs, one with enough articles for intervals."""
    clean = treaty("all-right")[0]
    many = [treaty(f"pact-{number}") for number in range(10)]
    return Page(
        title="How right is it?",
        model="linear 0123abcd",
        trained_on="two invented articles",
        runs=(run("first", [treaty(), (clean, clean)]), run("second", many)),
    )


def page(*pairs: tuple[Document, Document]) -> Page:
    return Page(title="<h1>&amp;", model="</script>", trained_on="<b>", runs=(run("<r>", list(pairs)),))


def unscored(gold: tuple[Document, ...], predicted: tuple[Document, ...]) -> Page:
    """One run without scorecards."""
    runs = (Run(name="r", about="a", gold=gold, predicted=predicted, cards=()),)
    return Page(title="t", model="m", trained_on="n", runs=runs)


class Reader(HTMLParser):
    """The tags of a page, and the text of each article line, both sides in turn."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.lines: list[str] = []
        self._line = self._tag = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "p" and dict(attrs).get("class") == "text":
            self._line = True
            self.lines.append("")
        self._tag = self._tag or tag == "small"

    def handle_endtag(self, tag: str) -> None:
        self._line = self._line and tag != "p"
        self._tag = self._tag and tag != "small"

    def handle_data(self, data: str) -> None:
        if self._line and not self._tag:
            self.lines[-1] += data


def test_the_same_input_gives_the_same_bytes() -> None:
    program = "import hashlib, tests.unit.test_report as t; from dragoman.report import render;"
    program += "print(hashlib.sha256(render(t.sample(), t.SCHEMA).encode()).hexdigest())"
    expected = hashlib.sha256(render(sample(), SCHEMA).encode()).hexdigest()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


def test_the_order_of_annotations_never_matters() -> None:
    gold, predicted = treaty()
    turned = [
        msgspec.structs.replace(d, entities=d.entities[::-1], relations=d.relations[::-1])
        for d in (gold, predicted)
    ]
    assert render(page((gold, predicted)), SCHEMA) == render(page((turned[0], turned[1])), SCHEMA)


def test_every_run_and_article_appears() -> None:
    shown_page, html = sample(), render(sample(), SCHEMA)
    for one in shown_page.runs:
        assert one.name in html
        assert one.about in html
        for document in one.gold:
            assert document.id in html
            assert document.title is None or document.title in html
    assert html.count("<article ") == 12
    assert all(label in html for label in (*SCHEMA.entities, *SCHEMA.relations))


def test_hostile_text_is_text() -> None:
    html = render(page(hostile()), SCHEMA)
    assert html.count("<script") == 1
    assert "img" not in Reader(html).tags
    assert not set("\u202e\u202c\x00\x07") & set(html)


def test_every_line_is_shown_in_full_on_both_sides() -> None:
    lines = Reader(render(page(hostile()), SCHEMA)).lines
    expected = [shown(line) for line in HOSTILE.split("\n")]
    # the third line, without any prediction, stands twice all the same; so does every other
    # but the last, in which nothing is marked
    assert lines == [line for line in expected[:3] for _ in range(2)] + expected[3:]


def test_the_page_allows_no_script_but_its_own_and_no_network() -> None:
    html = render(sample(), SCHEMA)
    policy = html.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html
    assert " src=" not in html


def test_an_empty_prediction_is_shown_as_missed() -> None:
    gold, _ = treaty()
    html = render(page((gold, msgspec.structs.replace(gold.bare(), title=None))), SCHEMA)
    assert html.count('class="count missed"') == 4  # entities and relations, of the run and the article
    assert 'class="s l0 right"' not in html.split('id="run-1"')[1]


def test_undefined_rates_are_a_dash_and_never_0() -> None:
    gold = article("quiet", "Nothing happened.", [])
    card = score([gold], [gold], SCHEMA)
    html = render(page((gold, gold)), SCHEMA)
    for text in (table(card), markdown(card), html):
        assert "–" in text
        assert "0.0" not in text.replace("dragoman:0.", "")
    assert "F1 <b>–</b>" in html


def test_layers_that_were_not_annotated_are_not_marked_wrong() -> None:
    gold, predicted = treaty()
    only = msgspec.structs.replace(gold, layers=("entities",), relations=())
    found = compare(only, predicted, SCHEMA)
    assert {link.verdict for link in found.predicted.links} == {"unscored"}
    assert found.f1("relations") is None
    html = render(unscored((only,), (predicted,)), SCHEMA)
    assert "not annotated in the gold, so not scored" in html


def test_each_span_gets_its_verdict() -> None:
    found = compare(*treaty(), SCHEMA)
    assert [(mark.surface, mark.verdict) for mark in found.gold.marks] == [
        ("Freedonia", "right"),
        ("Sylvania", "right"),
        ("Lake Pact", "right"),
        ("Freedonia", "right"),
        ("Lake Pact", "boundary"),
        ("Monday", "type"),
        ("Sylvania", "missed"),
        ("spring", "missed"),
    ]
    assert [mark.verdict for mark in found.predicted.marks[4:]] == ["boundary", "type", "spurious"]
    assert found.predicted.marks[4].detail == "wrong boundary, gold is PACT “Lake Pact”"


def test_each_relation_gets_its_verdict_and_reason() -> None:
    found = compare(*treaty(), SCHEMA)
    assert [(link.label, link.verdict, link.detail) for link in found.gold.links] == [
        ("borders", "right", "right"),  # symmetric, predicted the other way round
        ("signs", "right", "right"),
        ("signs", "missed", "not predicted"),
        ("signs", "missed", "“Lake Pact” was not found exactly"),
        ("signed_on", "missed", "“Lake Pact” was not found exactly"),
        ("signs", "missed", "“Sylvania” was not found exactly"),
    ]
    assert [link.verdict for link in found.predicted.links].count("spurious") == 2
    # 5 spans (2 pairs that overlap, 2 missed, 1 spurious), 4 missed and 2 spurious relations
    assert found.errors == 5 + 4 + 2
    # 4 right of 8 gold and 7 predicted; 2 right of 6 gold and 4 predicted
    assert found.f1("entities") == pytest.approx(8 / 15)
    assert found.f1("relations") == pytest.approx(4 / 10)


def test_an_article_without_text_still_shows_its_counts() -> None:
    gold, predicted = (document.without_text() for document in treaty())
    html = render(page((gold, predicted)), SCHEMA)
    assert "The text of this article is not at hand" in html
    assert "characters 0 to 9" in html


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Page(title="t", model="m", trained_on="n", runs=()), "no run"),
        (unscored((), ()), "no article"),
        (unscored(treaty()[:1], ()), "different articles"),
    ],
    ids=["run", "article", "prediction"],
)
def test_what_cannot_be_shown_is_refused(broken: Page, message: str) -> None:
    with pytest.raises(ScoreError, match=message):
        render(broken, SCHEMA)


def test_a_label_outside_the_schema_is_refused() -> None:
    gold, predicted = treaty()
    odd = msgspec.structs.replace(gold, entities=(span(1, TREATY, "Monday", "WEEKDAY"),), relations=())
    with pytest.raises(ScoreError, match="unknown label 'WEEKDAY'"):
        render(unscored((odd,), (predicted,)), SCHEMA)


def test_a_table_reads_like_this() -> None:
    card = score(*([document] for document in treaty()), SCHEMA)
    # 4 of 8 gold and 7 predicted; by label 3 of 4 and 4, 1 of 2 and 3, 0 of 2 and 0:
    # macro F1 = (75 + 40 + 0) / 3
    assert table(card, ["entities.strict"]).rpartition("\n\n")[0] == (
        "nothing: end to end, 1 document\n"
        "\n"
        "metric           average     P     R    F1  gold  predicted  correct\n"
        "entities.strict  micro    57.1  50.0  53.3     8          7        4\n"
        "                 macro    54.2  41.7  38.3     8          7        4\n"
        "\n"
        "no interval: fewer than 10 documents\n"
        "\n"
        "entities.strict     P     R    F1  gold  predicted  correct\n"
        "STATE            75.0  75.0  75.0     4          4        3\n"
        "PACT             33.3  50.0  40.0     2          3        1\n"
        "DAY                 –   0.0   0.0     2          0        0"
    )


def test_tables_carry_what_reproduces_them() -> None:
    card = sample().runs[1].cards[0]
    for text in (table(card), markdown(card)):
        assert f"gold:-@{card.gold_sha256[:12]}" in text
        assert "given:nothing" in text
        assert "interval" in text


def test_a_metric_that_the_card_lacks_is_refused() -> None:
    with pytest.raises(ScoreError, match=r"no metric entities\.strict .* it has relations\.strict"):
        table(sample().runs[0].cards[1], ["entities.strict"])


def test_markdown_has_averages_labels_slices_and_what_was_changed() -> None:
    gold, _ = treaty()
    found = score([gold], [gold], SCHEMA)
    first = found.row("entities.strict")
    sliced = msgspec.structs.replace(first, slice="meta.kind=a|b")
    card = msgspec.structs.replace(found, rows=(*found.rows, sliced), conversion={"predicted malformed": 3})
    blocks = [block.splitlines() for block in markdown(card).split("\n\n") if block.startswith("|")]
    assert len(blocks[0]) == 2 + 2 * len(card.metrics)
    assert all(len({line.replace(r"\|", "").count("|") for line in lines}) == 1 for lines in blocks)
    assert any(
        line.startswith(f"| {label} |") for label in SCHEMA.relations for lines in blocks for line in lines
    )
    assert r"meta.kind=a\|b" in blocks[-1][-1]
    assert "3 predicted malformed" in markdown(card)


@given(st.text("ab. \n", max_size=30), st.data())
def test_any_spans_become_boxes_that_nest(text: str, data: st.DataObject) -> None:
    places = st.integers(0, max(0, len(text) - 1))
    marks = {}
    for number in range(data.draw(st.integers(0, 6)) if text else 0):
        start = data.draw(places)
        end = data.draw(st.integers(start + 1, len(text)))
        marks[number] = Mark(label="L", spans=((start, end),), surface="", verdict="right", detail="")
    cuts = blocks(text, [mark.spans[0] for mark in marks.values()])
    covered = dict.fromkeys(marks, "")
    for start, end in cuts:
        inside = {number: mark for number, mark in marks.items() if start <= mark.spans[0][0] < end}
        stack: list[int] = []
        shown_text = ""
        for part in parts(text, start, end, inside):
            if part.kind == "open":
                stack.append(part.mark)
            elif part.kind == "close":
                assert stack.pop() == part.mark
            else:
                shown_text += part.text
                for number in set(stack):
                    covered[number] += part.text
        assert not stack
        assert shown_text == text[start:end]
    assert covered == {number: text[slice(*mark.spans[0])] for number, mark in marks.items()}


@given(st.integers(0, 0xFFFFFF))
def test_any_colour_is_readable_on_both_papers(number: int) -> None:
    for paper in (colours.LIGHT_PAPER, colours.DARK_PAPER):
        ink = colours.ink(f"#{number:06x}", paper)
        rgb = int(ink[1:3], 16), int(ink[3:5], 16), int(ink[5:7], 16)
        assert colours.contrast(rgb, paper) >= 4.5
