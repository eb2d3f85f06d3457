"""Do confidences mean what they say? Reliability, calibration error, and the best threshold."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from dragoman import __version__
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import tally
from dragoman.score.scorecard import pair_documents
from dragoman.types import Document, Given

Floats = NDArray[np.float64]


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Predictions whose score is in (low, high], the first bin with 0.

    score: their mean score; accuracy: the share of them that is right; None for an empty bin.
    """

    low: float
    high: float
    count: int
    score: float | None
    accuracy: float | None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What keeping only predictions of at least this score would give."""

    threshold: float
    precision: float
    recall: float
    f1: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How scores and rights go together.

    ece: expected calibration error, the mean gap between score and accuracy over the bins,
    weighted by their counts (Naeini et al. 2015), None without a prediction. curve: by falling
    threshold. best: the point of highest F1, of several the one with the highest threshold;
    choose it on dev, never on test.
    """

    metric: str
    predicted: int
    gold: int
    ece: float | None
    bins: tuple[Bin, ...]
    curve: tuple[Point, ...]
    best: Point | None
    signature: str


def calibration(
    gold: Iterable[Document],
    predicted: Iterable[Document],
    schema: Schema,
    *,
    metric: str = "entities.strict",
    bins: int = 10,
    given: Given = "nothing",
) -> Calibration:
    """Compare the scores of predicted entities or relations with whether they are right.

    metric: ``entities.strict``, ``entities.exact``, ``relations.strict`` or
    ``relations.boundaries``. bins: of equal width from 0 to 1.

    Raises ScoreError for another metric, a prediction without a score, or what ``score`` refuses.
    """
    pairs = pair_documents(gold, predicted, schema, given)
    task, _, match = metric.partition(".")
    if metric not in ("entities.strict", "entities.exact", "relations.strict", "relations.boundaries"):
        raise ScoreError(
            f"no calibration by {metric!r}; expected entities.strict or .exact, relations.strict "
            "or .boundaries"
        )
    if bins < 1:
        raise ScoreError(f"{bins} bins: expected 1 or more")
    material = tally.Material(pairs, schema)
    kept = material.kept(task)
    if not kept:
        raise ScoreError(f"no gold document lists {task} as annotated; see its key `layers`")
    scores = _scores([two for _, two in kept], task)
    sides = material.sides(kept)
    types = match == "strict"
    if task == "entities":
        gold_key, key = tally.span_numbers([sides.gold, sides.predicted], types=types)
    else:
        links = material.links(kept)
        gold_key, key, gold_counts, counts = tally.keyed(
            (sides.gold, links[0]), (sides.predicted, links[1]), material.symmetric, types=types
        )
        gold_key, key, scores = gold_key[gold_counts], key[counts], scores[counts]
    surest = np.argsort(-scores, kind="stable")  # of predictions that say the same the surest is right
    right: NDArray[np.bool_] = np.zeros(len(scores), bool)
    right[surest[tally.shared_rows(gold_key, key[surest])[1]]] = True
    curve = _curve(scores, right, len(gold_key))
    best = max(curve, key=lambda point: (point.f1, point.threshold), default=None)
    found_bins = _bins(scores, right, bins)
    gaps = [
        abs(b.score - b.accuracy) * b.count
        for b in found_bins
        if b.score is not None and b.accuracy is not None
    ]
    return Calibration(
        metric=metric,
        predicted=len(scores),
        gold=len(gold_key),
        ece=sum(gaps) / len(scores) if len(scores) else None,
        bins=found_bins,
        curve=curve,
        best=best,
        signature="|".join(
            (
                f"calibration:{metric}",
                f"bins:{bins} of equal width",
                f"given:{given}",
                f"schema:{schema.reference}",
                f"gold:{material.gold_digest()[:12]}",
                f"documents:{len(kept)}",
                f"dragoman:{__version__}",
            )
        ),
    )


def _scores(documents: list[Document], task: str) -> Floats:
    found = []
    for document in documents:
        for item in document.entities if task == "entities" else document.relations:
            if item.score is None:
                raise ScoreError(
                    f"{document.id}: {item.id} has no score, so nothing can be said of its calibration"
                )
            found.append(item.score)
    return np.array(found, dtype=np.float64)


def _bins(scores: Floats, right: NDArray[np.bool_], number: int) -> tuple[Bin, ...]:
    edges = np.linspace(0.0, 1.0, number + 1)
    place = np.clip(np.searchsorted(edges, scores, side="left") - 1, 0, number - 1)
    found = []
    for index in range(number):
        inside = place == index
        count = int(inside.sum())
        found.append(
            Bin(
                low=float(edges[index]),
                high=float(edges[index + 1]),
                count=count,
                score=float(scores[inside].mean()) if count else None,
                accuracy=float(right[inside].mean()) if count else None,
            )
        )
    return tuple(found)


def _curve(scores: Floats, right: NDArray[np.bool_], gold: int) -> tuple[Point, ...]:
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(right[order])
    if not len(ordered):
        return ()
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    found = []
    for index in last:
        kept, hit = int(index) + 1, int(hits[index])
        recall = hit / gold if gold else 0.0
        precision = hit / kept
        f1 = 2 * hit / (kept + gold)
        found.append(Point(threshold=float(ordered[index]), precision=precision, recall=recall, f1=f1))
    return tuple(found)


def above(
    documents: Iterable[Document], least: float, *, relations_least: float | None = None
) -> tuple[tuple[Document, ...], int]:
    """The documents without the entities and relations scored below ``least``, and how many these are.

    relations_least: another threshold for relations. What has no score stays; what hangs on an entity
    that goes (relations, a place in a cluster) goes too.
    """
    found = []
    left = 0
    of_relations = least if relations_least is None else relations_least
    for document in documents:
        entities = tuple(e for e in document.entities if e.score is None or e.score >= least)
        kept = {entity.id for entity in entities}
        relations = tuple(
            r
            for r in document.relations
            if (r.score is None or r.score >= of_relations) and r.source in kept and r.target in kept
        )
        members = [(c, tuple(m for m in c.members if m in kept)) for c in document.clusters]
        clusters = [
            msgspec.structs.replace(cluster, members=of)
            for cluster, of in members
            if len(of) > 1 or (of and cluster.value is not None)
        ]
        left += len(document.entities) + len(document.relations) - len(entities) - len(relations)
        found.append(
            msgspec.structs.replace(
                document,
                entities=entities,
                relations=relations,
                clusters=tuple(clusters),
            )
        )
    return tuple(found), left
