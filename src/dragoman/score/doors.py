"""One function per task, over documents or plain columns, each with one tidy result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from dragoman import __version__
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import averages, resample, tally
from dragoman.score.alignment import SCHEMES, Scheme, align
from dragoman.score.averages import Row
from dragoman.score.columns import Spans
from dragoman.score.scorecard import Scorecard, score
from dragoman.score.slices import Slices
from dragoman.types import Document, Given


def spans(
    gold: Iterable[Document] | Spans,
    predicted: Iterable[Document] | Spans,
    *,
    schema: Schema | None = None,
    labels: Sequence[str] = (),
    documents: int | None = None,
    schemes: Sequence[Scheme] = SCHEMES,
    least: int = 1,
    seed: int = 0,
    slices: Slices | None = None,
) -> Scorecard:
    """Score spans under the schemes strict, exact, partial and type (``alignment.align``).

    gold, predicted: documents, then ``schema`` names their labels; or columns as
    ``Spans.from_arrays`` makes them, then ``labels`` names the label indices and ``documents`` is
    their number (else the highest index says it), so that documents without a span count too.
    least: how many offsets two spans must share to overlap; of columns alone.

    >>> card = spans(Spans.from_arrays([0, 0], [0, 6], [5, 9], [0, 1]),
    ...              Spans.from_arrays([0, 0], [0, 6], [5, 8], [0, 1]), labels=["GPE", "ORG"])
    >>> [(metric, card.row(metric).correct) for metric in card.metrics]
    [('entities.strict', 1), ('entities.exact', 1), ('entities.partial', 1), ('entities.type', 2)]
    """
    if isinstance(gold, Spans) and isinstance(predicted, Spans):
        return _of_columns(gold, predicted, labels, documents, schemes, least, seed)
    if isinstance(gold, Spans) or isinstance(predicted, Spans):
        raise ScoreError("one side is documents, the other columns: give both in the same form")
    metrics = tuple(f"entities.{scheme}" for scheme in schemes)
    return score(gold, predicted, _known(schema), seed=seed, metrics=metrics, slices=slices)


def relations(
    gold: Iterable[Document],
    predicted: Iterable[Document],
    *,
    schema: Schema,
    given: Given = "nothing",
    seed: int = 0,
    slices: Slices | None = None,
) -> Scorecard:
    """Score relations strict and by boundaries, and end to end the entities beside them.

    given: what of the gold the extractor was shown; ``nothing`` is end to end.
    """
    metrics = ("entities.strict", "relations.strict", "relations.boundaries")
    return score(gold, predicted, schema, given=given, seed=seed, metrics=metrics, slices=slices)


def facts(
    gold: Iterable[Document],
    predicted: Iterable[Document],
    *,
    schema: Schema,
    rules: Sequence[tally.Rule] = tally.RULES,
    given: Given = "nothing",
    seed: int = 0,
    slices: Slices | None = None,
) -> Scorecard:
    """Score facts, relations between clusters, under the named rules for equal clusters."""
    metrics = tuple(f"facts.{rule}" for rule in rules)
    return score(gold, predicted, schema, given=given, seed=seed, metrics=metrics, slices=slices)


def _known(schema: Schema | None) -> Schema:
    if schema is None:
        raise ScoreError("documents are scored by a schema: name it with schema=")
    return schema


def _of_columns(
    gold: Spans,
    predicted: Spans,
    labels: Sequence[str],
    documents: int | None,
    schemes: Sequence[Scheme],
    least: int,
    seed: int,
) -> Scorecard:
    count = 1 + max(int(side.document.max(initial=-1)) for side in (gold, predicted))
    if documents is not None and documents < count:
        raise ScoreError(f"a span stands in document {count - 1}, but there are only {documents} documents")
    count = count if documents is None else documents
    if not count:
        raise ScoreError("there is no document: give spans, or the number of documents")
    highest = max(int(side.label.max(initial=-1)) for side in (gold, predicted))
    if highest >= len(labels):
        raise ScoreError(f"a span has the label {highest}, but {len(labels)} labels are named")
    unknown = [scheme for scheme in schemes if scheme not in SCHEMES]
    if unknown or least < 1:
        raise ScoreError(
            f"schemes {', '.join(schemes)} with least {least}: expected some of "
            f"{', '.join(SCHEMES)}, and 1 or more shared offsets"
        )
    names = tuple(map(str, range(count)))
    groups = tally.Sorted(tuple(labels), gold.label, predicted.label)
    found = tally.Sides(names, gold, predicted, align(gold, predicted, schemes, least=least))
    rows: list[Row] = []
    hashes = [_digest(side, labels) for side in (gold, predicted)]
    signatures = {}
    for scheme, counted in tally.count_schemes(found, schemes, groups):
        metric = f"entities.{scheme}"
        rows += averages.rows(metric, counted, seed)
        signatures[metric] = "|".join(
            (
                "task:entities",
                f"match:{scheme}",
                f"overlap:{least} or more",
                f"average:{', '.join(averages.AVERAGES)} over labels with gold",
                f"labels:{','.join(labels)}",
                f"gold:columns@{hashes[0][:12]}",
                f"documents:{count}",
                f"bootstrap:{resample.described(count, seed)}",
                f"dragoman:{__version__}",
            )
        )
    return Scorecard(
        given="nothing",
        documents=names,
        schema="-",
        gold_sha256=hashes[0],
        predicted_sha256=hashes[1],
        version=__version__,
        seed=seed,
        note=resample.TOO_FEW if count < resample.LEAST_DOCUMENTS else None,
        signatures=signatures,
        rows=tuple(rows),
        confusion={},
    )


def _digest(side: Spans, labels: Sequence[str]) -> str:
    columns = (side.document, side.start, side.end, side.label)
    order = np.lexsort(tuple(reversed(columns)))
    hashed = hashlib.sha256("\n".join(labels).encode())
    for column in columns:
        hashed.update(column[order].astype("<i8").tobytes())
    return hashed.hexdigest()
