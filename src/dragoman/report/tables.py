"""Scorecards as plain text for terminals and as Markdown for a README."""

from __future__ import annotations

from collections.abc import Sequence

from dragoman.errors import ScoreError
from dragoman.report.words import (
    DASH,
    PER_LABEL,
    SHOWN_AVERAGES,
    count,
    given_words,
    interval,
    percent,
    sentence,
    shown,
    signatures,
)
from dragoman.score.averages import ALL, AVERAGES, Row
from dragoman.score.calibration import Calibration
from dragoman.score.compare import Comparison
from dragoman.score.coreference import Coreference
from dragoman.score.export import changes
from dragoman.score.kinds import MEANING, Kinds
from dragoman.score.scorecard import Scorecard

HEAD = ("P", "R", "F1", "interval", "gold", "predicted", "correct")
Lines = list[tuple[str, ...]]


def table(card: Scorecard, metrics: Sequence[str] | None = None) -> str:
    """A scorecard as aligned plain text, rates times 100.

    metrics: which metrics to print, all if None; ScoreError for one that the card lacks.
    Averages come first, then every label under the strictest metric of its kind. An
    undefined rate is an en dash. Ends with what reproduces the numbers, and no line break.
    """
    chosen = _chosen(card, metrics)
    lines: Lines = [("metric", "average", *HEAD)]
    for metric in chosen:
        for average in SHOWN_AVERAGES:
            name = metric if average == SHOWN_AVERAGES[0] else ""
            lines.append((name, average, *_cells(card.row(metric, average))))
    parts = [
        f"{card.given}: {given_words(card.given)}, {count(len(card.documents), 'document')}",
        _aligned(lines, 2),
    ]
    if card.note:
        parts.append(card.note)
    parts += changes(card)
    for metric in (metric for metric in PER_LABEL if metric in chosen):
        rows = [(shown(row.label), *_cells(row)) for row in _labels(card, metric)]
        parts.append(_aligned([(metric, *HEAD), *rows], 1))
    sliced = [row for row in card.rows if row.slice != ALL and row.metric in chosen]
    if sliced:
        lines = [(row.metric, shown(row.slice), *_cells(row)) for row in sliced]
        parts.append(_aligned([("metric", "slice", *HEAD), *lines], 2))
    parts.append("\n".join(f"{signature}  ({names})" for names, signature in signatures(card, chosen)))
    return "\n\n".join(parts)


def comparisons(found: Sequence[Comparison]) -> str:
    """Comparisons of systems as plain text, rates times 100, with their notes and signature."""
    head = ("first", "second", "F1", "F1", "difference", "interval", "p", "adjusted", "effect")
    lines: Lines = [head]
    for one in found:
        spread = (
            DASH if one.low is None or one.high is None else f"{100 * one.low:+.1f} to {100 * one.high:+.1f}"
        )
        numbers = [DASH if value is None else f"{value:.4f}" for value in (one.p, one.adjusted_p)]
        difference = DASH if one.difference is None else f"{100 * one.difference:+.1f}"
        effect = DASH if one.effect is None else f"{one.effect:+.1f}"
        names = (shown(one.first), shown(one.second))
        lines.append(
            (*names, percent(one.first_f1), percent(one.second_f1), difference, spread, *numbers, effect)
        )
    notes = dict.fromkeys(sentence(one.note) for one in found if one.note)
    return "\n\n".join([_aligned(lines, 2), *notes, *dict.fromkeys(one.signature for one in found)])


def kinds_table(found: Sequence[Kinds]) -> str:
    """The kinds of error of every task, with strict F1 (x 100) if one kind alone were repaired."""
    parts = []
    for one in found:
        lines: Lines = [(one.task, "count", "F1 if repaired", "")]
        lines.append(("correct", str(one.correct), percent(one.f1), "F1 as it is"))
        lines += [(k.kind, str(k.count), percent(k.repaired_f1), MEANING[k.kind]) for k in one.kinds]
        widths = [max(len(line[column]) for line in lines) for column in range(3)]
        parts.append(
            "\n".join(
                f"{line[0]:{widths[0]}}  {line[1]:>{widths[1]}}  {line[2]:>{widths[2]}}  {line[3]}".rstrip()
                for line in lines
            )
        )
    return "\n\n".join(parts)


def calibration_table(found: Calibration) -> str:
    """The reliability of scores by bin, the calibration error, and the best threshold."""
    lines: Lines = [("score", "predictions", "mean score", "right")]
    for one in found.bins:
        cells = ["" if value is None else f"{value:.3f}" for value in (one.score, one.accuracy)]
        lines.append((f"{one.low:.2f} to {one.high:.2f}", str(one.count), *(cell or DASH for cell in cells)))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    table = "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )
    error = DASH if found.ece is None else f"{found.ece:.4f}"
    parts = [f"{found.metric}: {count(found.predicted, 'prediction')}, {found.gold:,} gold", table]
    parts.append(f"expected calibration error {error}")
    if found.best is not None:
        best = found.best
        rates = f"P {percent(best.precision)}, R {percent(best.recall)}, F1 {percent(best.f1)}"
        parts.append(f"best threshold here {best.threshold:g}: {rates}")
        task = found.metric.partition(".")[0]
        parts.append(f"to score so: dragoman score ... --min-score {task}={best.threshold!r}")
    return "\n\n".join([*parts, found.signature])


def markdown(card: Scorecard) -> str:
    """A scorecard as Markdown tables: averages, labels, slices; with its notes and signatures."""
    lines: Lines = [("metric", "average", *HEAD)]
    for metric in card.metrics:
        lines += [(f"`{metric}`", average, *_cells(card.row(metric, average))) for average in SHOWN_AVERAGES]
    text = _piped(lines, 2)
    title = f"{given_words(card.given).capitalize()}, {count(len(card.documents), 'document')}"
    parts = [f"{title}:", text]
    for metric in (metric for metric in PER_LABEL if metric in card.metrics):
        if found := _labels(card, metric):
            parts.append(_piped([(f"`{metric}`", *HEAD), *((row.label, *_cells(row)) for row in found)], 1))
    sliced = [row for row in card.rows if row.slice != ALL]
    if sliced:
        lines = [(f"`{row.metric}`", row.slice, *_cells(row)) for row in sliced]
        parts.append(_piped([("metric", "slice", *HEAD), *lines], 2))
    note = [sentence(card.note)] if card.note else []
    note += [sentence(told) for told in changes(card)]
    marks = [f"`{signature}`" for _, signature in signatures(card, card.metrics)]
    return "\n\n".join([*parts, *note, *marks])


def _piped(lines: Lines, left: int) -> str:
    """Rows as a Markdown table; the first ``left`` columns are aligned left."""
    head, *body = _trimmed(lines)
    rule = (*["---"] * left, *("--:" for _ in head[left:]))
    return "\n".join(
        "| " + " | ".join(_escaped(cell) for cell in line) + " |" for line in (head, rule, *body)
    )


def coreference_table(found: Coreference) -> str:
    """The four metrics and the CoNLL average as plain text, rates times 100, with the signature."""
    lines: Lines = [("metric", "P", "R", "F1")]
    for name in ("muc", "b3", "ceafe", "lea"):
        rates = getattr(found, name)
        lines.append((name, percent(rates.precision), percent(rates.recall), percent(rates.f1)))
    lines.append(("conll", "", "", percent(found.conll)))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    table = "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines
    )
    return f"{table}\n\n{found.signature}"


def _chosen(card: Scorecard, metrics: Sequence[str] | None) -> Sequence[str]:
    for metric in metrics or ():
        if metric not in card.metrics:
            known = ", ".join(card.metrics)
            raise ScoreError(f"no metric {metric} in this scorecard; it has {known}")
    return card.metrics if metrics is None else metrics


def _labels(card: Scorecard, metric: str) -> list[Row]:
    return [
        row for row in card.rows if row.metric == metric and row.slice == ALL and row.label not in AVERAGES
    ]


def _cells(row: Row) -> tuple[str, ...]:
    rates = (percent(row.precision), percent(row.recall), percent(row.f1))
    return (*rates, interval(row) or DASH, str(row.gold), str(row.predicted), str(row.correct))


def _trimmed(lines: Lines) -> Lines:
    """The lines without the column of intervals where no line has one."""
    column = lines[0].index("interval")
    if any(line[column] != DASH for line in lines[1:]):
        return lines
    return [line[:column] + line[column + 1 :] for line in lines]


def _aligned(lines: Lines, left: int) -> str:
    """Columns padded to their widest cell; the first ``left`` ones are aligned left."""
    kept = _trimmed(lines)
    widths = [max(len(line[column]) for line in kept) for column in range(len(kept[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in kept
    )


def _escaped(cell: str) -> str:
    return shown(cell).replace("|", "\\|")
