"""A scorer for spaCy's training configuration; spaCy itself is never imported here.

[components.ner.scorer]
@scorers = "dragoman.spans.v1"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from dragoman.errors import ScoreError
from dragoman.score.alignment import Scheme
from dragoman.score.averages import AVERAGES
from dragoman.score.columns import Spans
from dragoman.score.doors import spans


def make_scorer(spans_key: str | None = None, scheme: Scheme = "strict") -> Callable[..., dict[str, Any]]:
    """A function that scores spaCy Examples by characters, whatever their tokens are.

    spans_key: score ``doc.spans[spans_key]`` instead of ``doc.ents``; nested and overlapping spans
    count like any other. Keys of its result: ``ents_p``, ``ents_r``, ``ents_f``, ``ents_per_type``
    (or ``spans_KEY_p`` and so on), as spaCy's own, and ``dragoman_signature``.
    """

    def score(examples: Iterable[Any], **_: Any) -> dict[str, Any]:
        rows: list[list[tuple[int, int, int, int]]] = [[], []]
        places: dict[str, int] = {}
        count = 0
        for number, example in enumerate(examples):
            count += 1
            docs = example.reference, example.predicted
            if docs[0].text != docs[1].text:
                raise ScoreError(f"example {number}: the reference and the prediction are of different texts")
            for side, doc in enumerate(docs):
                found = doc.ents if spans_key is None else doc.spans.get(spans_key, ())
                rows[side] += [
                    (number, s.start_char, s.end_char, places.setdefault(s.label_, len(places)))
                    for s in found
                ]
        prefix = "ents" if spans_key is None else f"spans_{spans_key}"
        if not count:
            return {f"{prefix}_{rate}": None for rate in "prf"} | {f"{prefix}_per_type": {}}
        sides = [Spans.from_rows(side) for side in rows]
        card = spans(sides[0], sides[1], labels=tuple(places), documents=count, schemes=(scheme,))
        micro = card.row(f"entities.{scheme}")
        per_type = {
            row.label: {"p": row.precision or 0.0, "r": row.recall or 0.0, "f": row.f1 or 0.0}
            for row in card.rows
            if row.label not in AVERAGES
        }
        return {
            f"{prefix}_p": micro.precision,
            f"{prefix}_r": micro.recall,
            f"{prefix}_f": micro.f1,
            f"{prefix}_per_type": per_type,
            "dragoman_signature": card.signatures[f"entities.{scheme}"],
        }

    return score
