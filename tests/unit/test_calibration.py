"""Confidences against rights, worked by hand."""

import msgspec
import pytest

from dragoman.errors import ScoreError
from dragoman.score import above, calibration
from dragoman.types import Document
from tests.builders import SCHEMA, lakeside, spans


def scored(document: Document, *scores: float) -> Document:
    entities = tuple(
        msgspec.structs.replace(entity, score=score)
        for entity, score in zip(document.entities, scores, strict=True)
    )
    return msgspec.structs.replace(document, entities=entities)


GOLD = spans((0, 5, "GPE"), (10, 15, "GPE"), (20, 25, "GPE"))
PREDICTED = scored(
    spans((0, 5, "GPE"), (10, 15, "GPE"), (30, 35, "GPE"), (40, 45, "GPE")), 0.9, 0.8, 0.6, 0.1
)


def test_bins_error_curve_and_best_threshold() -> None:
    found = calibration([GOLD], [PREDICTED], SCHEMA, bins=2)
    assert [(b.count, b.accuracy) for b in found.bins] == [(1, 0.0), (3, 2 / 3)]
    assert found.ece == pytest.approx((abs(0.1 - 0) + 3 * abs(2.3 / 3 - 2 / 3)) / 4)
    assert [(p.threshold, p.precision, p.recall) for p in found.curve] == [
        (0.9, 1.0, 1 / 3),
        (0.8, 1.0, 2 / 3),
        (0.6, 2 / 3, 2 / 3),
        (0.1, 0.5, 2 / 3),
    ]
    assert found.best is not None
    assert (found.best.threshold, found.best.f1) == (0.8, 0.8)


def test_equal_scores_are_kept_or_dropped_together() -> None:
    tied = scored(spans((0, 5, "GPE"), (30, 35, "GPE")), 0.5, 0.5)
    found = calibration([GOLD], [tied], SCHEMA)
    assert [(p.threshold, p.precision) for p in found.curve] == [(0.5, 0.5)]


def test_of_equal_statements_the_surest_is_right() -> None:
    places = ((0, 5, "GPE"), (10, 15, "GPE"))
    gold = spans(*places, relations=["T1 supports T2"])
    twice = spans(*places, relations=["T1 supports T2", "T1 supports T2"])
    relations = tuple(
        msgspec.structs.replace(r, score=s) for r, s in zip(twice.relations, (0.2, 0.9), strict=True)
    )
    found = calibration(
        [gold], [msgspec.structs.replace(twice, relations=relations)], SCHEMA, metric="relations.strict"
    )
    assert [(p.threshold, p.precision) for p in found.curve] == [(0.9, 1.0), (0.2, 0.5)]


def test_nothing_predicted_is_undefined() -> None:
    found = calibration([GOLD], [spans()], SCHEMA)
    assert (found.ece, found.best, found.curve) == (None, None, ())


def test_what_has_no_score_is_refused() -> None:
    with pytest.raises(ScoreError, match="T1 has no score"):
        calibration([GOLD], [spans((0, 5, "GPE"))], SCHEMA)
    with pytest.raises(ScoreError, match="no calibration by"):
        calibration([GOLD], [PREDICTED], SCHEMA, metric="facts.hard")


def test_what_is_scored_below_goes_with_what_hangs_on_it() -> None:
    document = lakeside()
    first = document.clusters[0].members[0]
    entities = tuple(
        msgspec.structs.replace(entity, score=0.2 if entity.id == first else None)
        for entity in document.entities
    )
    found, left = above([msgspec.structs.replace(document, entities=entities)], 0.5)
    hanging = [relation for relation in document.relations if first in (relation.source, relation.target)]
    assert left == 1 + len(hanging)
    assert first not in {entity.id for entity in found[0].entities}
    assert not [relation for relation in found[0].relations if relation in hanging]
    assert not [cluster for cluster in found[0].clusters if first in cluster.members]
    assert above([document], 1.0) == ((document,), 0)
