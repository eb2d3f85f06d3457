"""Every wrong item has one kind, and the kinds add up."""

import pytest

from dragoman.score import kinds
from dragoman.score.kinds import Kinds
from dragoman.types import Document
from tests.builders import SCHEMA, spans


def only(gold: Document, predicted: Document, task: int = 0) -> dict[str, int]:
    found: Kinds = kinds([gold], [predicted], SCHEMA)[task]
    return {kind.kind: kind.count for kind in found.kinds if kind.count} | (
        {"correct": found.correct} if found.correct else {}
    )


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ([(10, 20, "GPE")], [(10, 20, "GPE")], {"correct": 1}),
        ([(10, 20, "GPE")], [(10, 20, "ORG")], {"type": 1}),
        ([(10, 20, "GPE")], [(12, 20, "GPE")], {"left": 1}),
        ([(10, 20, "GPE")], [(10, 18, "GPE")], {"right": 1}),
        ([(10, 20, "GPE")], [(8, 22, "GPE")], {"too-long": 1}),
        ([(10, 20, "GPE")], [(12, 18, "GPE")], {"too-short": 1}),
        ([(10, 20, "GPE")], [(12, 22, "GPE")], {"shifted": 1}),
        ([(10, 20, "GPE")], [(12, 22, "ORG")], {"type-and-boundary": 1}),
        ([(10, 14, "GPE"), (16, 20, "GPE")], [(10, 20, "GPE")], {"right": 1, "merge": 1}),
        ([(10, 20, "GPE")], [(10, 14, "GPE"), (16, 20, "GPE")], {"right": 1, "split": 1}),
        ([(10, 20, "GPE")], [(10, 20, "GPE"), (10, 20, "GPE")], {"correct": 1, "duplicate": 1}),
        ([(10, 20, "GPE")], [(30, 40, "GPE")], {"missed": 1, "spurious": 1}),
    ],
)
def test_spans_are_sorted_by_what_is_wrong(
    gold: list[tuple[int, int, str]], predicted: list[tuple[int, int, str]], expected: dict[str, int]
) -> None:
    assert only(spans(*gold), spans(*predicted)) == expected


PLACES = ((0, 5, "GPE"), (10, 15, "EVENT"), (20, 25, "GPE"), (30, 35, "PERSON"))


@pytest.mark.parametrize(
    ("places", "predicted", "expected"),
    [
        (PLACES, "T1 participates_in T2", {"correct": 1}),
        (PLACES, "T1 opposes T2", {"label": 1}),
        (((0, 5, "ORG"), *PLACES[1:]), "T1 participates_in T2", {"argument-type": 1}),
        (((0, 7, "GPE"), *PLACES[1:]), "T1 participates_in T2", {"argument-boundary": 1}),
        (PLACES, "T3 participates_in T2", {"missed": 1, "spurious": 1}),
        (PLACES[1:], "T2 participates_in T1", {"argument-missed": 1, "spurious": 1}),
    ],
)
def test_relations_are_sorted_by_what_is_wrong(
    places: tuple[tuple[int, int, str], ...], predicted: str, expected: dict[str, int]
) -> None:
    gold = spans(*PLACES, relations=["T1 participates_in T2"])
    assert only(gold, spans(*places, relations=[predicted]), task=1) == expected


def test_a_relation_turned_round_has_the_wrong_direction() -> None:
    gold = spans(*PLACES, relations=["T1 supports T3"])
    assert only(gold, spans(*PLACES, relations=["T3 supports T1"]), task=1) == {"direction": 1}


def test_a_relation_made_twice_is_a_duplicate() -> None:
    gold = spans(*PLACES, relations=["T1 supports T3"])
    twice = spans(*PLACES, relations=["T1 supports T3", "T1 supports T3"])
    assert only(gold, twice, task=1) == {"correct": 1, "duplicate": 1}


def test_repair_says_what_would_be_gained() -> None:
    gold = spans((0, 5, "GPE"), (10, 15, "GPE"), (20, 25, "GPE"), (30, 35, "GPE"))
    predicted = spans((0, 5, "GPE"), (10, 15, "ORG"), (20, 27, "GPE"), (50, 55, "GPE"))
    found = {kind.kind: kind.repaired_f1 for kind in kinds([gold], [predicted], SCHEMA)[0].kinds}
    assert found["type"] == found["right"] == 2 * 2 / 8
    assert found["missed"] == pytest.approx(2 * 2 / 9)
    assert found["spurious"] == pytest.approx(2 * 1 / 7)
    assert found["split"] == 2 * 1 / 8


def test_what_strict_scores_as_right_is_right_here_too() -> None:
    gold = spans((0, 30, "GPE"), (0, 30, "PERSON"))
    found = kinds([gold], [spans((0, 10, "PERSON"), (0, 30, "PERSON"))], SCHEMA)[0]
    assert (found.correct, found.count("type"), found.count("type-and-boundary")) == (1, 0, 1)
