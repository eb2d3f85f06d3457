"""Expected fractions are worked by definition; coval 87071a6 and the CoNLL scorer 8.01 agree."""

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given

from dragoman.score.coreference import coreference, score_groups
from dragoman.types import Document
from tests.builders import SCHEMA, lakeside
from tests.properties.strategies import documents

# gold, predicted, (R, P, F1) of MUC, B3, LEA, CEAFe
CASES = {
    "one mention in the wrong cluster": (
        "abc de",
        "ab cde",
        "2/3 2/3 2/3",
        "11/15 11/15 11/15",
        "3/5 3/5 3/5",
        "4/5 4/5 4/5",
    ),
    "everything in one cluster": (
        "abc de",
        "abcde",
        "1 3/4 6/7",
        "1 13/25 13/19",
        "1 2/5 4/7",
        "3/8 3/4 1/2",
    ),
    "a missed and an invented mention": (
        "abc d",
        "abx d",
        "1/2 1/2 1/2",
        "7/12 7/12 7/12",
        "1/2 1/2 1/2",
        "5/6 5/6 5/6",
    ),
    "perfect with singletons": ("ab c", "ab c", "1 1 1", "1 1 1", "1 1 1", "1 1 1"),
    "a split entity": ("abcd", "ab cd", "2/3 1 4/5", "1/2 1 2/3", "1/3 1 1/2", "2/3 1/3 4/9"),
}


@pytest.mark.parametrize("name", CASES)
def test_published_cases(name: str) -> None:
    gold, predicted, *expected = CASES[name]
    found = score_groups([([frozenset(g) for g in gold.split()], [frozenset(p) for p in predicted.split()])])
    for rates, numbers in zip((found.muc, found.b3, found.lea, found.ceafe), expected, strict=True):
        recall, precision, f1 = (float(Fraction(number)) for number in numbers.split())
        assert rates.recall == pytest.approx(recall)
        assert rates.precision == pytest.approx(precision)
        assert rates.f1 == pytest.approx(f1)


def test_counts_are_added_over_documents_before_rates() -> None:
    # MUC: links kept 1 + 0 of 1 + 3: a mean of the documents' rates would be 1/2
    one = ([frozenset("ab")], [frozenset("ab")])
    two = ([frozenset("abcd")], [frozenset(m) for m in "abcd"])
    assert score_groups([one, two]).muc.recall == 0.25


def test_undefined_is_none() -> None:
    found = score_groups([([], [])])
    assert found.muc.f1 is None
    assert found.conll is None
    assert score_groups([([frozenset("a")], [frozenset("a")])]).muc.f1 is None


def test_singletons_can_be_left_out() -> None:
    bare = msgspec.structs.replace(lakeside(), clusters=())
    assert coreference([lakeside()], [lakeside()], SCHEMA).conll == 1
    kept = coreference([lakeside()], [bare], SCHEMA)
    assert kept.b3.precision == 1
    assert coreference([lakeside()], [bare], SCHEMA, singletons=False).b3.precision is None


def test_layers_that_were_not_annotated_are_not_scored() -> None:
    without = msgspec.structs.replace(lakeside(), layers=("entities",), relations=(), clusters=())
    assert coreference([without], [lakeside()], SCHEMA).b3.f1 is None


@given(documents(scored=False))
def test_gold_against_itself_is_one_or_undefined(document: Document) -> None:
    # the same span with the same label twice is one mention to a coreference scorer
    by_key = {(entity.spans, entity.label): entity for entity in document.entities}
    ids = {entity.id for entity in by_key.values()}
    clusters = tuple(c for c in document.clusters if set(c.members) <= ids)
    distinct = msgspec.structs.replace(
        document,
        layers=("entities", "clusters"),
        entities=tuple(by_key.values()),
        relations=(),
        clusters=clusters,
    )
    found = coreference([distinct], [distinct], SCHEMA)
    assert {rates.f1 for rates in (found.muc, found.b3, found.ceafe, found.lea)} <= {None, 1}
