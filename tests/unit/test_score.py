"""Expected numbers are worked by hand in the comments."""

from typing import Any

import msgspec
import pytest

from dragoman.errors import ScoreError
from dragoman.score import Row, compare, score, to_latex
from dragoman.score.alignment import SCHEMES, Scheme
from dragoman.score.counts import Counts
from dragoman.score.matching import pair_spans
from dragoman.types import Cluster, Document
from tests.builders import SCHEMA, lakeside, spans


def row(gold: Document, predicted: Document, metric: str, label: str = "micro") -> Row:
    return score([gold], [predicted], SCHEMA).row(metric, label)


def test_precision_is_undefined_when_nothing_was_predicted() -> None:
    assert Counts(gold=3).precision is None
    assert Counts(gold=3).recall == 0
    assert Counts(gold=3).f1 == 0
    assert Counts().f1 is None


@pytest.mark.parametrize(
    ("scheme", "correct", "incorrect", "partial"),
    # gold GPE[0,5) PERSON[10,20) EVENT[30,40); predicted GPE[0,5) PERSON[10,15) ORG[30,40) LOC[50,55)
    [("strict", 1, 2, 0), ("exact", 2, 1, 0), ("partial", 2, 0, 1), ("type", 2, 1, 0)],
)
def test_four_schemes_of_semeval(scheme: str, correct: int, incorrect: int, partial: int) -> None:
    gold = spans((0, 5, "GPE"), (10, 20, "PERSON"), (30, 40, "EVENT"))
    predicted = spans((0, 5, "GPE"), (10, 15, "PERSON"), (30, 40, "ORG"), (50, 55, "LOC"))
    found = row(gold, predicted, f"entities.{scheme}")
    assert (found.gold, found.predicted) == (3, 4)
    assert (found.correct, found.incorrect, found.partial) == (correct, incorrect, partial)
    assert (found.missed, found.spurious) == (0, 1)
    assert found.precision == (correct + partial / 2) / 4
    assert found.recall == (correct + partial / 2) / 3


def test_a_greedy_pairing_would_lose_one_here() -> None:
    # gold [0,10) overlaps both predictions, gold [8,20) only the second: pairing the first gold
    # with the second prediction would leave one of each alone
    gold = spans((0, 10, "GPE"), (8, 20, "GPE"))
    predicted = spans((9, 20, "GPE"), (0, 3, "GPE"))
    found = row(gold, predicted, "entities.partial")
    assert (found.partial, found.missed, found.spurious) == (2, 0, 0)


def test_one_correct_outweighs_many_overlaps() -> None:
    # strict: [0,30) is right; pairing it with the inner spans instead would give two INC
    gold = spans((0, 30, "EVENT"), (0, 4, "GPE"))
    predicted = spans((0, 30, "EVENT"), (2, 4, "GPE"), (5, 9, "GPE"))
    paired = pair_spans(gold.entities, predicted.entities, "strict")
    assert paired.correct == ((0, 0),)
    assert paired.other == ((1, 1),)
    assert paired.spurious == (2,)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_gold_against_itself_is_one_even_nested_and_duplicated(scheme: Scheme) -> None:
    gold = spans((0, 30, "EVENT"), (0, 4, "GPE"), (0, 4, "ORG"), (3, 9, "GPE"), (3, 9, "GPE"))
    paired = pair_spans(gold.entities, gold.entities, scheme)
    assert len(paired.correct) == 5


def test_a_prediction_made_twice_is_right_once() -> None:
    gold = spans((0, 5, "GPE"), (10, 15, "EVENT"), relations=["T1 participates_in T2"])
    predicted = spans(
        (0, 5, "GPE"), (10, 15, "EVENT"), relations=["T1 participates_in T2", "T1 participates_in T2"]
    )
    found = row(gold, predicted, "relations.strict")
    assert (found.gold, found.predicted, found.correct, found.spurious) == (1, 2, 1, 1)
    assert found.recall == 1
    assert row(gold, predicted, "facts.any-mention").predicted == 1


def test_strict_relations_need_types_boundaries_do_not() -> None:
    gold = spans((0, 5, "GPE"), (10, 15, "EVENT"), relations=["T1 participates_in T2"])
    predicted = spans((0, 5, "ORG"), (10, 15, "EVENT"), relations=["T1 participates_in T2"])
    assert row(gold, predicted, "relations.strict").correct == 0
    assert row(gold, predicted, "relations.boundaries").correct == 1


def test_direction_counts_unless_the_relation_is_symmetric() -> None:
    gold = spans((0, 5, "GPE"), (10, 15, "GPE"), relations=["T1 supports T2"])
    turned = spans((0, 5, "GPE"), (10, 15, "GPE"), relations=["T2 supports T1"])
    assert row(gold, turned, "relations.strict").correct == 0
    assert row(gold, turned, "facts.any-mention").correct == 0
    relations = dict(SCHEMA.relations)
    relations["supports"] = msgspec.structs.replace(relations["supports"], symmetric=True)
    symmetric = msgspec.structs.replace(SCHEMA, relations=relations)
    card = score([gold], [turned], symmetric)
    for metric in ("relations.strict", "relations.boundaries", "facts.any-mention", "facts.hard"):
        assert card.row(metric).correct == 1


def clustered(document: Document, *members: str) -> Document:
    return msgspec.structs.replace(document, clusters=(Cluster(id="C1", members=members),))


def test_facts_match_through_any_shared_mention_or_hard() -> None:
    # gold: T1 and T2 are one state; stated of T1. predicted: stated of T2, clustered with T1 only partly
    places = ((0, 5, "GPE"), (20, 25, "GPE"), (40, 45, "GPE"), (50, 55, "EVENT"))
    gold = clustered(spans(*places, relations=["T1 participates_in T4"]), "T1", "T2")
    predicted = clustered(spans(*places, relations=["T2 participates_in T4"]), "T1", "T2", "T3")
    assert row(gold, predicted, "relations.strict").correct == 0
    assert row(gold, predicted, "facts.any-mention").f1 == 1
    assert row(gold, predicted, "facts.hard").f1 == 0


def test_a_fact_stated_twice_counts_once() -> None:
    places = ((0, 5, "GPE"), (20, 25, "GPE"), (50, 55, "EVENT"))
    both = ["T1 participates_in T3", "T2 participates_in T3"]
    gold = clustered(spans(*places, relations=both), "T1", "T2")
    assert row(gold, gold, "facts.any-mention").gold == 1
    assert row(gold, gold, "relations.strict").gold == 2


def test_facts_are_matched_one_to_one() -> None:
    # two predicted halves of one gold cluster both fit the one gold fact: one is right, one spurious
    places = ((0, 5, "GPE"), (20, 25, "GPE"), (50, 55, "EVENT"))
    both = ["T1 participates_in T3", "T2 participates_in T3"]
    gold = clustered(spans(*places, relations=both), "T1", "T2")
    found = row(gold, spans(*places, relations=both), "facts.any-mention")
    assert (found.gold, found.predicted, found.correct, found.spurious) == (1, 2, 1, 1)


def test_layers_that_were_not_annotated_are_not_scored() -> None:
    gold = msgspec.structs.replace(spans((0, 5, "GPE")), layers=("entities",))
    predicted = spans((0, 5, "GPE"), (10, 15, "EVENT"), relations=["T1 participates_in T2"])
    assert not [metric for metric in score([gold], [predicted], SCHEMA).metrics if "entities" not in metric]


def test_below_ten_documents_there_is_no_interval_and_the_reason_is_given() -> None:
    card = score([lakeside()], [lakeside()], SCHEMA)
    assert card.row("entities.strict").low is None
    assert card.note == "no interval: fewer than 10 documents"


def test_intervals_hold_the_value_and_depend_on_the_seed_alone() -> None:
    gold = [lakeside(f"a-{n}") for n in range(12)]
    predicted = [
        msgspec.structs.replace(document, entities=document.entities[: n % 8 + 1], relations=(), clusters=())
        for n, document in enumerate(gold)
    ]
    card = score(gold, predicted, SCHEMA, seed=3)
    found = card.row("entities.strict")
    assert found.low is not None
    assert found.high is not None
    assert found.f1 is not None
    assert found.low < found.f1 < found.high
    assert card == score(gold[::-1], predicted[::-1], SCHEMA, seed=3)
    assert card.rows != score(gold, predicted, SCHEMA, seed=4).rows


def test_macro_averages_the_labels_with_gold() -> None:
    # GPE 1.0, EVENT 0.0; ORG has no gold and is left out: (1 + 0) / 2
    gold = spans((0, 5, "GPE"), (10, 15, "EVENT"))
    predicted = spans((0, 5, "GPE"), (30, 35, "ORG"))
    assert row(gold, predicted, "entities.strict", "macro").f1 == 0.5


def test_confusion_adds_up_to_the_spans() -> None:
    gold = spans((0, 5, "GPE"), (10, 15, "EVENT"), (20, 25, "GPE"))
    predicted = spans((0, 5, "ORG"), (10, 15, "EVENT"), (40, 45, "DATE"))
    table = score([gold], [predicted], SCHEMA).confusion
    assert table["GPE"]["ORG"] == 1
    assert table["GPE"]["-"] == 1
    assert table["EVENT"]["EVENT"] == 1
    assert table["-"]["DATE"] == 1
    assert sum(sum(cells.values()) for cells in table.values()) == 4


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ([], "different articles"),
        ([lakeside("other")], "different articles"),
        ([lakeside(), lakeside()], "two documents"),
        ([spans((0, 5, "GPE"), identifier="lakeside-accord-1987")], "different texts"),
        ([msgspec.structs.replace(lakeside(), schema="other/1")], "annotated by"),
    ],
)
def test_what_cannot_be_compared_is_refused(predicted: list[Document], message: str) -> None:
    with pytest.raises(ScoreError, match=message):
        score([lakeside()], predicted, SCHEMA)


def test_given_mentions_demands_the_gold_mentions() -> None:
    fewer = msgspec.structs.replace(lakeside(), entities=lakeside().entities[:3], relations=(), clusters=())
    with pytest.raises(ScoreError, match="not the gold ones"):
        score([lakeside()], [fewer], SCHEMA, given="mentions")
    card = score([lakeside()], [lakeside()], SCHEMA, given="mentions")
    assert not [metric for metric in card.metrics if metric.startswith("entities")]


def test_every_metric_has_a_signature_that_names_gold_and_version() -> None:
    card = score([lakeside()], [lakeside()], SCHEMA)
    for signature in card.signatures.values():
        assert f"gold:-@{card.gold_sha256[:12]}" in signature
        assert f"dragoman:{card.version}" in signature
        assert "documents:1" in signature
    named = score([lakeside()], [lakeside()], SCHEMA, gold_version="0.1.0")
    assert f"gold:0.1.0@{card.gold_sha256[:12]}" in named.signatures["entities.strict"]


def test_facts_need_the_clusters_of_the_gold() -> None:
    gold = spans((0, 5, "GPE"), (10, 15, "EVENT"), relations=["T1 participates_in T2"])
    without = msgspec.structs.replace(gold, layers=("entities", "relations"))
    assert not [metric for metric in score([without], [gold], SCHEMA).metrics if "facts" in metric]


def test_confusion_leaves_out_what_was_not_annotated() -> None:
    gold = msgspec.structs.replace(spans((0, 5, "GPE")), layers=("relations",), entities=())
    assert score([gold], [spans((0, 5, "GPE"))], SCHEMA).confusion == {}


def test_metrics_without_interval_are_named_where_others_have_one() -> None:
    gold = [lakeside(f"a-{n}") for n in range(12)]
    some = [msgspec.structs.replace(d, layers=("entities",)) for d in gold[:9]] + gold[9:]
    note = score(some, gold, SCHEMA).note
    assert note is not None
    assert note.startswith(
        "relations.strict, relations.boundaries, facts.any-mention, facts.first-mention, facts.hard, "
    )


def test_documents_whose_score_would_depend_on_order_are_refused() -> None:
    doubled = spans((0, 5, "GPE"), (10, 15, "GPE"), relations=["T1 supports T2"])
    same_id = tuple(msgspec.structs.replace(entity, id="T1") for entity in doubled.entities)
    with pytest.raises(ScoreError, match="share an id"):
        score([doubled], [msgspec.structs.replace(doubled, entities=same_id)], SCHEMA)
    twice = (Cluster(id="C1", members=("T1", "T2")), Cluster(id="C2", members=("T2", "T1")))
    with pytest.raises(ScoreError, match="two clusters"):
        score([doubled], [msgspec.structs.replace(doubled, clusters=twice)], SCHEMA)


def test_given_clusters_demands_the_gold_clusters() -> None:
    other = msgspec.structs.replace(lakeside(), clusters=())
    with pytest.raises(ScoreError, match="clusters are not the gold ones"):
        score([lakeside()], [other], SCHEMA, given="clusters")


def test_macro_precision_is_over_the_labels_that_were_predicted() -> None:
    # GPE 1/1; EVENT was never predicted, so its precision is undefined, not 0
    gold = spans((0, 5, "GPE"), (10, 15, "EVENT"))
    found = row(gold, spans((0, 5, "GPE")), "entities.strict", "macro")
    assert (found.precision, found.recall, found.f1) == (1, 0.5, 0.5)


def test_a_symmetric_relation_stated_both_ways_counts_once() -> None:
    relations = dict(SCHEMA.relations)
    relations["supports"] = msgspec.structs.replace(relations["supports"], symmetric=True)
    schema = msgspec.structs.replace(SCHEMA, relations=relations)
    places = ((0, 5, "GPE"), (10, 15, "GPE"))
    both = spans(*places, relations=["T1 supports T2", "T2 supports T1"])
    once = spans(*places, relations=["T2 supports T1"])
    for gold, predicted in ((both, once), (once, both), (both, both)):
        found = score([gold], [predicted], schema).row("relations.strict")
        assert (found.gold, found.predicted, found.correct) == (1, 1, 1)


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None, True])
def test_odd_seeds_are_refused(seed: Any) -> None:
    documents = [spans((0, 5, "GPE"))]
    with pytest.raises(ScoreError, match=r"seed: found .*, expected a whole number"):
        score(documents, documents, SCHEMA, seed=seed)
    with pytest.raises(ScoreError, match="resamples: found"):
        compare(documents, {"a": documents, "b": documents}, SCHEMA, resamples=seed)


def test_no_name_breaks_a_latex_table_or_its_comments() -> None:
    card = score([spans((0, 5, "GPE"))], [spans((0, 5, "GPE"))], SCHEMA, gold_version="1\n\\input{x}")
    row = msgspec.structs.replace(card.row("entities.strict"), slice="meta.kind=a\n^b\r")
    lines = to_latex(msgspec.structs.replace(card, rows=(row,))).splitlines()
    assert len([line for line in lines if not line.startswith("%")]) == 5
    assert r"meta.kind=a \textasciicircum{}b " in lines[3]
