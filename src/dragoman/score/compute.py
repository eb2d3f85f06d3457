"""Scores of token tags, called as metrics of Hugging Face ``evaluate`` are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dragoman.errors import ScoreError
from dragoman.formats import tags
from dragoman.score.alignment import Scheme
from dragoman.score.averages import AVERAGES
from dragoman.score.columns import Spans
from dragoman.score.doors import spans

RESERVED = {*AVERAGES, "overall_precision", "overall_recall", "overall_f1", "malformed", "signature"}


def compute(
    *,
    predictions: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    dialect: str,
    mode: str,
    scheme: Scheme = "strict",
) -> dict[str, Any]:
    """Score tag sequences: precision, recall, f1 and number per label and over all.

    predictions, references: a list of tags per sentence, as many tags on either side. dialect,
    mode: how tags become spans, see ``formats.tags.decode``; there is no default, since the
    dialect alone moves F1. scheme: strict, exact, partial or type; spans are counted in tokens.

    Keys: each label, ``overall_precision``, ``overall_recall``, ``overall_f1``, ``malformed``
    (malformed tags of either side) and ``signature``. Undefined rates are None.

    Raises ScoreError for sides of different lengths, ValueError for an unknown dialect or tag.

    >>> found = compute(predictions=[["B-GPE", "O"]], references=[["B-GPE", "B-ORG"]],
    ...                 dialect="IOB2", mode="strict")
    >>> found["overall_precision"], found["overall_recall"], found["GPE"]["f1"]
    (1.0, 0.5, 1.0)
    """
    known, reading = tags.named(dialect), tags.moded(mode)
    if len(predictions) != len(references):
        raise ScoreError(f"{len(references)} references and {len(predictions)} predictions: expected as many")
    places: dict[str, int] = {}
    columns: list[list[tuple[int, int, int, int]]] = [[], []]
    malformed = [0, 0]
    for number, (gold, predicted) in enumerate(zip(references, predictions, strict=True)):
        if len(gold) != len(predicted):
            raise ScoreError(
                f"sentence {number}: {len(gold)} reference tags and {len(predicted)} predicted ones"
            )
        for side, row in enumerate((gold, predicted)):
            decoded = tags.decode(row, dialect=known, mode=reading)
            malformed[side] += decoded.malformed
            columns[side] += [
                (number, start, end, places.setdefault(label, len(places)))
                for start, end, label in decoded.spans
            ]
    taken = sorted(set(places) & RESERVED)
    if taken:
        raise ScoreError(f"the label {taken[0]!r} is a key of the result; rename it")
    sides = [Spans.from_rows(rows) for rows in columns]
    card = spans(sides[0], sides[1], labels=tuple(places), documents=len(references), schemes=(scheme,))
    metric = f"entities.{scheme}"
    found: dict[str, Any] = {
        row.label: {"precision": row.precision, "recall": row.recall, "f1": row.f1, "number": row.gold}
        for row in sorted(card.rows, key=lambda row: row.label)
        if row.label not in AVERAGES
    }
    micro = card.row(metric)
    found["overall_precision"], found["overall_recall"], found["overall_f1"] = (
        micro.precision,
        micro.recall,
        micro.f1,
    )
    found["malformed"] = {"references": malformed[0], "predictions": malformed[1]}
    found["signature"] = f"{card.signatures[metric]}|tags:{known}, {reading}"
    return found
