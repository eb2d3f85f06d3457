"""Small cases with expected counts, worked out by definition (MUC-5, SemEval-2013 task 9.1)."""

import msgspec
import pytest

from dragoman.schema import EntityType, RelationType, Schema
from dragoman.score import score
from dragoman.types import Document, Entity, Relation

Span = tuple[int, int, str]
Link = tuple[int, int, str]

# id: title, gold and predicted documents of token spans [start, end inclusive, label],
# (COR, INC, PAR, MIS, SPU) in strict, exact, partial and type
SPANS: dict[str, tuple[str, list[list[Span]], list[list[Span]], tuple[tuple[int, ...], ...]]] = {
    "S01": (
        "nested gold, perfect prediction",
        [[(0, 4, "ORG"), (2, 2, "LOC")]],
        [[(0, 4, "ORG"), (2, 2, "LOC")]],
        ((2, 0, 0, 0, 0), (2, 0, 0, 0, 0), (2, 0, 0, 0, 0), (2, 0, 0, 0, 0)),
    ),
    "S02": (
        "nested response listed before the exact response",
        [[(0, 4, "ORG")]],
        [[(2, 2, "LOC"), (0, 4, "ORG")]],
        ((1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1)),
    ),
    "S04": (
        "duplicate predictions",
        [[(0, 1, "PER")]],
        [[(0, 1, "PER"), (0, 1, "PER")]],
        ((1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1)),
    ),
    "S05": (
        "one gold covered by two predictions",
        [[(0, 3, "PER")]],
        [[(0, 1, "PER"), (2, 3, "PER")]],
        ((0, 1, 0, 0, 1), (0, 1, 0, 0, 1), (0, 0, 1, 0, 1), (1, 0, 0, 0, 1)),
    ),
    "S07": (
        "identical span with two gold labels, both predicted (order swapped)",
        [[(0, 1, "PER"), (0, 1, "ORG")]],
        [[(0, 1, "ORG"), (0, 1, "PER")]],
        ((2, 0, 0, 0, 0), (2, 0, 0, 0, 0), (2, 0, 0, 0, 0), (2, 0, 0, 0, 0)),
    ),
    "S08": (
        "identical span with two predicted labels, wrong label listed first",
        [[(0, 1, "ORG")]],
        [[(0, 1, "PER"), (0, 1, "ORG")]],
        ((1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1)),
    ),
    "S10": (
        "overlapping prediction listed before the exact one",
        [[(0, 3, "PER")]],
        [[(2, 5, "PER"), (0, 3, "PER")]],
        ((1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1)),
    ),
    "S11": (
        "label only in predictions; tags given from the gold only",
        [[(0, 0, "PER")]],
        [[(0, 0, "PER"), (2, 2, "LOC")]],
        ((1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1), (1, 0, 0, 0, 1)),
    ),
    "S13": (
        "gold empty, predictions exist",
        [[]],
        [[(0, 0, "PER")]],
        ((0, 0, 0, 0, 1), (0, 0, 0, 0, 1), (0, 0, 0, 0, 1), (0, 0, 0, 0, 1)),
    ),
    "S14": (
        "both empty documents (first document empty)",
        [[], [(0, 0, "PER")]],
        [[], [(0, 0, "PER")]],
        ((1, 0, 0, 0, 0), (1, 0, 0, 0, 0), (1, 0, 0, 0, 0), (1, 0, 0, 0, 0)),
    ),
    "S16": (
        "overlap under one percent of a long gold span",
        [[(0, 249, "LAW")]],
        [[(10, 11, "LAW")]],
        ((0, 1, 0, 0, 0), (0, 1, 0, 0, 0), (0, 0, 1, 0, 0), (1, 0, 0, 0, 0)),
    ),
    "S17": (
        "gold listed in reverse document order",
        [[(14, 17, "B"), (0, 12, "A")]],
        [[(0, 17, "A")]],
        ((0, 1, 0, 1, 0), (0, 1, 0, 1, 0), (0, 0, 1, 1, 0), (1, 0, 0, 1, 0)),
    ),
    "S19": (
        "adjacent, no overlap",
        [[(0, 1, "PER")]],
        [[(2, 3, "PER")]],
        ((0, 0, 0, 1, 1), (0, 0, 0, 1, 1), (0, 0, 0, 1, 1), (0, 0, 0, 1, 1)),
    ),
    "S20": (
        "first type-matching response is far, nearer one is exact but listed later",
        [[(0, 1, "PER"), (3, 9, "PER")]],
        [[(1, 8, "PER"), (3, 9, "PER")]],
        ((1, 1, 0, 0, 0), (1, 1, 0, 0, 0), (1, 0, 1, 0, 0), (2, 0, 0, 0, 0)),
    ),
}

# id: title, gold entities and relations, predicted ones, (right, predicted, gold) by boundaries and strict
RELATIONS: dict[
    str, tuple[str, list[Span], list[Link], list[Span], list[Link], tuple[tuple[int, ...], ...]]
] = {
    "R01": (
        "perfect",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for"), (1, 2, "based_in")],
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for"), (1, 2, "based_in")],
        ((2, 2, 2), (2, 2, 2)),
    ),
    "R02": (
        "wrong entity type of one argument",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for"), (1, 2, "based_in")],
        [(0, 0, "ORG"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for"), (1, 2, "based_in")],
        ((2, 2, 2), (1, 2, 2)),
    ),
    "R04": (
        "reversed symmetric relation",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "sibling")],
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(1, 0, "sibling")],
        ((1, 1, 1), (1, 1, 1)),
    ),
    "R05": (
        "symmetric relation listed twice in the gold, once in the prediction",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "sibling"), (1, 0, "sibling")],
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "sibling")],
        ((1, 1, 1), (1, 1, 1)),
    ),
    "R07": (
        "two gold labels on one pair, one predicted",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for"), (0, 1, "founded")],
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for")],
        ((1, 1, 2), (1, 1, 2)),
    ),
    "R08": (
        "argument entity not detected",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for"), (1, 2, "based_in")],
        [(0, 0, "PER"), (2, 3, "ORG")],
        [(0, 1, "work_for")],
        ((1, 1, 2), (1, 1, 2)),
    ),
    "R10": (
        "spurious relation between right entities",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for")],
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [(0, 1, "work_for"), (0, 2, "lives_in")],
        ((1, 2, 1), (1, 2, 1)),
    ),
    "R11": (
        "nothing in gold, nothing predicted",
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [],
        [(0, 0, "PER"), (2, 3, "ORG"), (5, 5, "LOC")],
        [],
        ((0, 0, 0), (0, 0, 0)),
    ),
}


def schema() -> Schema:
    links = {link[2] for case in RELATIONS.values() for links in (case[2], case[4]) for link in links}
    return Schema(
        name="cases",
        version=1,
        overlap=True,
        entities={
            label: EntityType(description=label, kind=label)
            for label in sorted(
                {span[2] for case in SPANS.values() for side in case[1:3] for spans in side for span in spans}
                | {span[2] for case in RELATIONS.values() for side in (case[1], case[3]) for span in side}
            )
        },
        relations={
            label: RelationType(description=label, source=(), target=(), symmetric=label == "sibling")
            for label in sorted(links)
        },
    )


def document(name: str, spans: list[Span], links: list[Link] = []) -> Document:  # noqa: B006
    text = "x" * 400
    entities = tuple(
        Entity(id=f"T{n}", start=start, end=end + 1, label=label, surface=text[start : end + 1])
        for n, (start, end, label) in enumerate(spans)
    )
    relations = tuple(
        Relation(id=f"R{n}", label=label, source=f"T{source}", target=f"T{target}")
        for n, (source, target, label) in enumerate(links)
    )
    empty = Document.new(id=name, text=text, schema="cases/1", layers=("entities", "relations"))
    return msgspec.structs.replace(empty, entities=entities, relations=relations)


@pytest.mark.parametrize("case", SPANS, ids=lambda case: f"{case}-{SPANS[case][0]}")
def test_span_cases(case: str) -> None:
    _, gold, predicted, expected = SPANS[case]
    card = score(
        [document(str(n), spans) for n, spans in enumerate(gold)],
        [document(str(n), spans) for n, spans in enumerate(predicted)],
        schema(),
    )
    for metric, counts in zip(("strict", "exact", "partial", "type"), expected, strict=True):
        row = card.row(f"entities.{metric}")
        assert (row.correct, row.incorrect, row.partial, row.missed, row.spurious) == counts, metric


@pytest.mark.parametrize("case", RELATIONS, ids=lambda case: f"{case}-{RELATIONS[case][0]}")
def test_relation_cases(case: str) -> None:
    _, spans, links, found_spans, found_links, expected = RELATIONS[case]
    card = score([document("d", spans, links)], [document("d", found_spans, found_links)], schema())
    for metric, counts in zip(("boundaries", "strict"), expected, strict=True):
        row = card.row(f"relations.{metric}")
        assert (row.correct, row.predicted, row.gold) == counts, metric
