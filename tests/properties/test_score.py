"""Scores against a deliberately simple reference, and what no score may depend on."""

from itertools import permutations
from random import Random
from unittest.mock import patch

import hypothesis.strategies as st
import msgspec
from hypothesis import given, settings

from dragoman.score import alignment, kinds, score
from dragoman.score.alignment import SCHEMES, Scheme, align
from dragoman.score.columns import spans_of
from dragoman.score.kinds import GOLD_ONLY, PAIRED, PREDICTED_ONLY
from dragoman.score.matching import facts, overlap, pair_facts, pair_spans
from dragoman.types import Document, Entity
from tests.builders import SCHEMA
from tests.properties.strategies import documents


def best_pairing(gold: tuple[Entity, ...], predicted: tuple[Entity, ...], scheme: Scheme) -> tuple[int, int]:
    """(COR, INC or PAR) of the best of all one-to-one alignments, by trying them all."""
    best = (0, 0)
    slots = [*range(len(predicted)), *[-1] * len(gold)]
    for chosen in set(permutations(slots, len(gold))):
        correct = other = 0
        for index, slot in enumerate(chosen):
            if slot < 0 or not overlap(gold[index], predicted[slot]):
                continue
            same_span = gold[index].spans == predicted[slot].spans
            same_label = gold[index].label == predicted[slot].label
            right = {
                "strict": same_span and same_label,
                "exact": same_span,
                "partial": same_span,
                "type": same_label,
            }[scheme]
            correct += right
            other += not right
        best = max(best, (correct, other))
    return best


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Document, Document]:
    """Gold and prediction of one text."""
    gold = draw(documents(scored=False))
    text = gold.text or ""
    other = draw(documents(scored=False))
    kept = [entity for entity in other.entities if entity.end <= len(text)]
    kept += [entity for entity in gold.entities if draw(st.booleans())]
    entities = tuple(
        msgspec.structs.replace(entity, id=f"T{n}", surface=entity.cut(text)) for n, entity in enumerate(kept)
    )
    ids = [entity.id for entity in entities]
    relations = tuple(
        msgspec.structs.replace(
            relation, id=f"R{n}", source=draw(st.sampled_from(ids)), target=draw(st.sampled_from(ids))
        )
        for n, relation in enumerate(gold.relations)
        if ids
    )
    layers = ("entities", "relations", "clusters")
    return (
        msgspec.structs.replace(gold, layers=layers),
        msgspec.structs.replace(gold, layers=layers, entities=entities, relations=relations, clusters=()),
    )


@settings(max_examples=200)
@given(pairs(), st.sampled_from(SCHEMES))
def test_alignment_is_as_good_as_trying_them_all(pair: tuple[Document, Document], scheme: Scheme) -> None:
    gold, predicted = pair[0].entities[:4], pair[1].entities[:4]
    found = pair_spans(gold, predicted, scheme)
    assert (len(found.correct), len(found.other)) == best_pairing(gold, predicted, scheme)
    assert len(found.correct) + len(found.other) + len(found.missed) == len(gold)
    assert len(found.correct) + len(found.other) + len(found.spurious) == len(predicted)


@given(pairs(), st.randoms())
def test_scores_ignore_every_order(pair: tuple[Document, Document], rng: Random) -> None:
    def shuffled(document: Document) -> Document:
        parts = [list(document.entities), list(document.relations), list(document.clusters)]
        for part in parts:
            rng.shuffle(part)
        return msgspec.structs.replace(
            document, entities=tuple(parts[0]), relations=tuple(parts[1]), clusters=tuple(parts[2])
        )

    straight = score([pair[0]], [pair[1]], SCHEMA)
    mixed = score([pair[0]], [shuffled(pair[1])], SCHEMA)
    assert straight.rows == mixed.rows
    assert straight.confusion == mixed.confusion


@given(pairs())
def test_gold_and_predicted_add_up(pair: tuple[Document, Document]) -> None:
    for row in score([pair[0]], [pair[1]], SCHEMA).rows:
        if row.label == "micro":
            assert row.correct + row.incorrect + row.partial + row.missed == row.gold
            assert row.correct + row.incorrect + row.partial + row.spurious == row.predicted
        for rate in (row.precision, row.recall, row.f1):
            assert rate is None or 0 <= rate <= 1


@given(documents(scored=False))
def test_gold_against_itself_is_one_or_undefined(document: Document) -> None:
    gold = msgspec.structs.replace(document, layers=("entities", "relations", "clusters"))
    for row in score([gold], [gold], SCHEMA).rows:
        assert row.f1 in (1, None), (row.metric, row.label)


@given(pairs())
def test_hard_facts_are_a_part_of_any_mention_facts(pair: tuple[Document, Document]) -> None:
    gold, predicted = facts(pair[0]), facts(pair[1])
    hard = pair_facts(gold, predicted, rule="hard")
    assert len(hard) <= len(pair_facts(gold, predicted, rule="any-mention"))
    assert len(hard) <= min(len(gold), len(predicted))


@given(pairs())
def test_kinds_of_error_add_up(pair: tuple[Document, Document]) -> None:
    card = score([pair[0]], [pair[1]], SCHEMA)
    for found in kinds([pair[0]], [pair[1]], SCHEMA):
        row = card.row(f"{found.task}.strict")
        assert found.correct == row.correct
        if found.task == "entities":
            both = sum(found.count(kind) for kind in PAIRED["entities"]) + found.correct
            assert both + sum(found.count(kind) for kind in GOLD_ONLY["entities"]) == row.gold
            assert both + sum(found.count(kind) for kind in PREDICTED_ONLY["entities"]) == row.predicted


@given(st.lists(pairs(), min_size=2, max_size=4))
def test_scores_of_documents_add_up(found: list[tuple[Document, Document]]) -> None:
    renamed = [
        tuple(msgspec.structs.replace(side, id=f"d{n}") for side in pair) for n, pair in enumerate(found)
    ]
    whole = score([pair[0] for pair in renamed], [pair[1] for pair in renamed], SCHEMA)
    parts = [score([one], [two], SCHEMA) for one, two in renamed]
    for row in whole.rows:
        if row.label in ("macro", "weighted", "per-document"):
            continue
        for name in ("gold", "predicted", "correct", "incorrect", "partial", "missed", "spurious"):
            total = sum(getattr(one.row(row.metric, row.label), name) for one in parts)
            assert getattr(row, name) == total, (row.metric, row.label, name)
    assert score([p[0] for p in reversed(renamed)], [p[1] for p in renamed], SCHEMA).rows == whole.rows


@given(pairs(), st.sampled_from(SCHEMES), st.integers(1, 3))
def test_large_components_are_aligned_as_well_as_small_ones(
    pair: tuple[Document, Document], scheme: Scheme, least: int
) -> None:
    places = {label: number for number, label in enumerate(SCHEMA.entities)}
    gold, predicted = spans_of([[pair[0]], [pair[1]]], places)
    usual = align(gold, predicted, (scheme,), least=least)[scheme]
    with patch.object(alignment, "DENSE", 0):
        found = align(gold, predicted, (scheme,), least=least)[scheme]
    same = [
        int((gold.label[pairs.gold] == predicted.label[pairs.predicted]).sum()) for pairs in (usual, found)
    ]
    assert (len(found.gold), found.correct.sum()) == (len(usual.gold), usual.correct.sum())
    assert same[0] == same[1]
    assert len(set(found.gold.tolist())) == len(found.gold)
    assert len(set(found.predicted.tolist())) == len(found.predicted)
