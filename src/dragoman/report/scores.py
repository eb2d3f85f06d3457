"""Scorecards arranged as the tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from dragoman.report.words import (
    METRIC_WORDS,
    PER_LABEL,
    RANGE_WORDS,
    SHOWN_AVERAGES,
    given_words,
    interval,
    metric_words,
    percent,
    sentence,
    signatures,
)
from dragoman.score.averages import ALL, AVERAGES, Row
from dragoman.score.scorecard import Scorecard

SPANS = "entities."
NONE = "-"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """Rates of one row of one card, as text; ``width`` is F1 as a CSS percentage, or empty."""

    precision: str
    recall: str
    f1: str
    interval: str
    width: str
    predicted: int
    correct: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a table: one metric or label under each setting.

    span: over how many lines ``head`` reaches, 0 where the line above has it.
    """

    head: str
    span: int
    average: str
    gold: int
    cells: tuple[Cell | None, ...]


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """A table of scores; the settings stand side by side."""

    caption: str
    settings: tuple[str, ...]
    lines: tuple[Line, ...]
    intervals: bool


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the confusion. share: of its row, as a CSS percentage. kind: right, wrong or none."""

    count: int
    share: str
    kind: str


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Everything numeric about one run.

    notes: why intervals are missing, each once. confusion: (gold label, cells) rows.
    signatures: (setting, metrics, signature).
    """

    averages: tuple[Grid, ...]
    bars: tuple[Grid, ...]
    notes: tuple[str, ...]
    confusion: tuple[tuple[str, tuple[Share, ...]], ...]
    meanings: tuple[tuple[str, str], ...]
    signatures: tuple[tuple[str, str, str], ...]


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """The one metric of a kind. cells: a row for each run, a cell for each setting."""

    title: str
    settings: tuple[str, ...]
    cells: tuple[tuple[Cell | None, ...], ...]


def arrange(cards: Sequence[Scorecard]) -> Scores:
    """The tables of one run's scorecards."""
    metrics = _metrics(cards)
    families = [[m for m in metrics if m.startswith(SPANS)], [m for m in metrics if not m.startswith(SPANS)]]
    captions = ("Entities: spans and their types", "Relations and facts")
    bars = [metric for metric in PER_LABEL if metric in metrics]
    notes = [sentence(card.note) for card in cards if card.note]
    if any(row.low is not None for card in cards for row in card.rows):
        notes.append(RANGE_WORDS)
    return Scores(
        averages=tuple(
            _averages(caption, names, _with(cards, names))
            for caption, names in zip(captions, families, strict=True)
            if names
        ),
        bars=tuple(_bars(metric, _with(cards, [metric])) for metric in bars),
        notes=tuple(dict.fromkeys(notes)),
        confusion=next((_confusion(card) for card in cards if card.confusion), ()),
        meanings=tuple(METRIC_WORDS[metric] for metric in metrics if metric in METRIC_WORDS),
        signatures=tuple(
            (given_words(card.given), names, signature)
            for card in cards
            for names, signature in signatures(card, card.metrics)
        ),
    )


def headlines(runs: Sequence[Sequence[Scorecard]]) -> list[Headline]:
    """Micro averages under the strictest metric of each kind, for every run and setting."""
    found = []
    for metric in PER_LABEL:
        settings = dict.fromkeys(c.given for cards in runs for c in _with(cards, [metric]))
        if not settings:
            continue
        found.append(
            Headline(
                title=metric.partition(".")[0].capitalize(),
                settings=tuple(given_words(setting) for setting in settings),
                cells=tuple(tuple(_found(cards, metric, given) for given in settings) for cards in runs),
            )
        )
    return found


def _found(cards: Iterable[Scorecard], metric: str, given: str) -> Cell | None:
    card = next((card for card in _with(cards, [metric]) if card.given == given), None)
    return _cell(card.row(metric)) if card else None


def _metrics(cards: Iterable[Scorecard]) -> list[str]:
    return list(dict.fromkeys(metric for card in cards for metric in card.metrics))


def _with(cards: Iterable[Scorecard], metrics: Iterable[str]) -> list[Scorecard]:
    return [card for card in cards if set(metrics) & set(card.metrics)]


def _averages(caption: str, metrics: Sequence[str], cards: Sequence[Scorecard]) -> Grid:
    lines = []
    for metric in metrics:
        for average in SHOWN_AVERAGES:
            span = len(SHOWN_AVERAGES) if average == SHOWN_AVERAGES[0] else 0
            lines.append(
                _line(metric_words(metric), span, average, [_row(c, metric, average) for c in cards])
            )
    return _grid(caption, cards, lines)


def _bars(metric: str, cards: Sequence[Scorecard]) -> Grid:
    labels = dict.fromkeys(
        row.label
        for c in cards
        for row in c.rows
        if row.metric == metric and row.slice == ALL and row.label not in AVERAGES
    )
    lines = [_line(label, 1, "", [_row(card, metric, label) for card in cards]) for label in labels]
    kind = metric.partition(".")[0].capitalize()
    return _grid(f"{kind} by label: {metric_words(metric).lower()}", cards, lines)


def _grid(caption: str, cards: Sequence[Scorecard], lines: list[Line]) -> Grid:
    return Grid(
        caption=caption,
        settings=tuple(given_words(card.given) for card in cards),
        lines=tuple(lines),
        intervals=any(cell.interval for line in lines for cell in line.cells if cell),
    )


def _line(head: str, span: int, average: str, rows: Sequence[Row | None]) -> Line:
    gold = next(row.gold for row in rows if row)
    cells = tuple(_cell(row) if row else None for row in rows)
    return Line(head=head, span=span, average=average, gold=gold, cells=cells)


def _row(card: Scorecard, metric: str, label: str) -> Row | None:
    return next(
        (row for row in card.rows if (row.metric, row.label, row.slice) == (metric, label, ALL)), None
    )


def _cell(row: Row) -> Cell:
    return Cell(
        precision=percent(row.precision),
        recall=percent(row.recall),
        f1=percent(row.f1),
        interval=interval(row),
        width="" if row.f1 is None else f"{100 * row.f1:.3g}%",
        predicted=row.predicted,
        correct=row.correct,
    )


def _confusion(card: Scorecard) -> tuple[tuple[str, tuple[Share, ...]], ...]:
    names = list(card.confusion)
    rows = []
    for gold in names:
        cells = card.confusion[gold]
        total = sum(cells.values())
        shares = []
        for name in names:
            kind = "none" if gold == name == NONE else "right" if gold == name else "wrong"
            share = 100 * cells[name] / total if total else 0.0
            shares.append(Share(count=cells[name], share=f"{share:.3g}%", kind=kind))
        rows.append((gold, tuple(shares)))
    return tuple(rows)
