"""Expected numbers are worked by hand in the comments, or come with their derivation."""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from dragoman.errors import DragomanError, ScoreError
from dragoman.report import agreement_markdown, agreement_table
from dragoman.schema import EntityType, RelationType, Schema
from dragoman.score import Agreement, agreement, gamma, resample, score, units
from dragoman.score.coefficients import (
    cohen,
    cohen_kappa,
    fleiss,
    fleiss_kappa,
    krippendorff,
    krippendorff_alpha,
    scott,
    scott_pi,
)
from dragoman.types import Document, Entity, Relation, text_hash
from tests.builders import SCHEMA, lakeside, spans

# --- on plain arrays


def test_a_table_of_two_annotators() -> None:
    # p_o = 35/50; marginals 25/50 and 30/50: Cohen's p_e = .5*.6 + .5*.4 = .5, kappa .2/.5;
    # pooled (.55, .45): Scott's p_e = .505; alpha = 1 - (1 - pi) * (2N - 1) / 2N with N = 50
    table = [[20, 5], [10, 15]]
    found = cohen(table)
    assert found.value == pytest.approx(0.4)
    assert (found.observed, found.expected, found.units) == (pytest.approx(0.7), pytest.approx(0.5), 50)
    assert scott_pi(table) == pytest.approx(0.195 / 0.495)
    assert scott(table).expected == pytest.approx(0.505)
    first, second = "y" * 25 + "n" * 25, "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert krippendorff_alpha([first, second]) == pytest.approx(1 - (0.3 / 0.495) * 99 / 100)
    assert round(krippendorff_alpha([first, second]) or 0, 6) == 0.4
    assert fleiss_kappa([[2, 0]] * 20 + [[1, 1]] * 15 + [[0, 2]] * 15) == pytest.approx(0.195 / 0.495)


def test_one_category_is_undefined_and_says_why() -> None:
    for found in (
        cohen([[10, 0], [0, 0]]),
        cohen("y" * 10, "y" * 10),
        scott([[10]]),
        fleiss([[3, 0], [3, 0]]),
        krippendorff(["yyy", "yyy"]),
    ):
        assert found.value is None
        assert (found.observed, found.expected) == (1, 1)
        assert "0/0" in (found.reason or "")


@pytest.mark.parametrize(
    "found",
    [cohen([]), cohen("", ""), scott([[0, 0], [0, 0]]), fleiss([]), krippendorff([]), krippendorff(["ab"])],
)
def test_nothing_to_compare_is_undefined_and_says_why(found: object) -> None:
    assert msgspec.structs.asdict(found) == {  # type: ignore[arg-type]
        "value": None,
        "observed": None,
        "expected": None,
        "units": 0,
        "reason": "undefined: no unit has two answers",
    }


def test_total_disagreement_is_below_chance() -> None:
    # p_o = 0, p_e = 2 * (.5 * .5): kappa -1; alpha: Do = 1, De = 2*4*4 / (8*7), 1 - 56/32
    assert cohen_kappa("aabb", "bbaa") == -1
    assert krippendorff_alpha(["aabb", "bbaa"]) == pytest.approx(1 - 56 / 32)


def test_fleiss_by_hand() -> None:
    # three answers each: shares of agreeing pairs 1, 1, 1/3; p_a = 5/9: (7/9 - 41/81) / (40/81)
    found = fleiss([[3, 0], [0, 3], [2, 1]])
    assert found.observed == pytest.approx(7 / 9)
    assert found.expected == pytest.approx(41 / 81)
    assert found.value == pytest.approx(22 / 40)


def test_alpha_with_missing_answers_by_hand() -> None:
    # units aaa, aaa, bbb, b-a, and one with a single answer that says nothing: 11 answers, 7 a and
    # 4 b; agreeing 3 + 3 + 3 + 0: Do = 2/11, De = 2*7*4 / (11*10)
    values = [[*list("aabb"), "c"], ["a", "a", "b", None, None], ["a", "a", "b", "a", math.nan]]
    found = krippendorff(values)
    assert found.value == pytest.approx(1 - (2 / 11) / (56 / 110))
    assert found.units == 4
    numbers = np.array([[1, 1, 2, 2, 3], [1, 1, 2, np.nan, np.nan], [1, 1, 2, 1, np.nan]])
    assert krippendorff_alpha(numbers) == found.value


def test_categories_may_be_sets() -> None:
    one = [frozenset("ab"), frozenset("a"), frozenset[str]()]
    two = [frozenset("ba"), frozenset("b"), frozenset[str]()]
    # p_o = 2/3, p_e = 2 * 1/9
    assert cohen_kappa(one, two) == pytest.approx((6 / 9 - 2 / 9) / (7 / 9))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: cohen_kappa("ab", "abc"), "different numbers of units"),
        (lambda: cohen_kappa("ab", ["a", None]), "missing"),
        (lambda: cohen_kappa([[1, 2, 3], [1, 2, 3]]), "same categories down and across"),
        (lambda: cohen_kappa([[1, -1], [0, 1]]), "0 or more"),
        (lambda: cohen_kappa([[1, math.inf], [0, 1]]), "0 or more"),
        (lambda: cohen_kappa([[1, 2], [3]]), "table of counts"),
        (lambda: cohen_kappa("abc"), "table of counts"),
        (lambda: scott_pi([1, 2, 3]), "rows and columns"),
        (lambda: fleiss_kappa([[3, 0], [1, 1]]), "same number of answers"),
        (lambda: fleiss_kappa([[1, 0], [0, 1]]), "two or more"),
        (lambda: krippendorff_alpha([[["a"]], [["b"]]]), "hashable"),
        (lambda: krippendorff_alpha([1, 2]), "hashable"),
        (lambda: krippendorff_alpha(["ab", "a"]), "None where an answer is missing"),
    ],
)
def test_what_is_no_answer_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(ScoreError, match=says):
        call()


# --- on documents


def marks(*found: tuple[int, int, str], identifier: str = "d", relations: Sequence[str] = ()) -> Document:
    """Words of one letter, so that code points 0-1, 2-3, ... are the tokens."""
    document = spans(*found, identifier=identifier, length=20, relations=relations)
    text = "x " * 10
    return msgspec.structs.replace(document, text=text, sha256=text_hash(text))


ANN = marks((0, 1, "GPE"), (4, 5, "PERSON"), (8, 9, "ORG"), relations=["T2 represents T1"])
BOB = marks((0, 1, "GPE"), (4, 5, "GPE"), (12, 13, "ORG"), relations=["T2 represents T1"])


def test_two_annotators_by_hand() -> None:
    found = agreement({"ann": [ANN], "bob": [BOB]}, SCHEMA)
    # strict: one of 3 and 3; by span two of 3 and 3; the relation's source has two labels
    assert found.row("pairwise-f1", "entities.strict").value == pytest.approx(1 / 3)
    assert found.row("pairwise-f1", "entities.strict").n_units == 5
    assert found.row("pairwise-f1", "entities.exact").value == pytest.approx(2 / 3)
    assert found.row("pairwise-f1", "relations.strict").value == 0
    assert found.row("pairwise-f1", "entities.strict", "GPE").value == pytest.approx(2 / 3)
    # shared spans: (GPE, GPE), (PERSON, GPE): p_o = 1/2, p_e = 1/2 * 1
    kappa = found.row("cohen-kappa", "shared-spans")
    assert (kappa.value, kappa.n_units) == (0, 2)
    # ten tokens: GPE-GPE, PERSON-GPE, ORG-O, O-ORG, six O-O; 20 answers: 3 GPE, 1 PERSON, 2 ORG, 14 O
    alpha = found.row("krippendorff-alpha", "tokens")
    assert alpha.value == pytest.approx(1 - (6 / 20) / ((400 - 9 - 1 - 4 - 196) / (20 * 19)))
    assert alpha.n_units == 10
    # ORG against the rest: 2 of 20 answers, none of them together
    org = found.row("krippendorff-alpha", "tokens", "ORG")
    assert org.value == pytest.approx(1 - (4 / 20) / (2 * 2 * 18 / (20 * 19)))
    assert org.n_units == 2
    assert org.note == resample.TOO_FEW
    with pytest.raises(ScoreError, match="no row EVENT"):
        found.row("krippendorff-alpha", "tokens", "EVENT")


def test_alpha_over_spans_and_pairs_by_hand() -> None:
    rounds = {"ann": [ANN], "bob": [BOB]}
    # spans: GPE-GPE, PERSON-GPE, ORG-none, none-ORG: 8 answers: 3 GPE, 1 PERSON, 2 ORG, 2 none
    over_spans = agreement(rounds, SCHEMA, unit="spans").row("krippendorff-alpha")
    assert over_spans.value == pytest.approx(1 - (6 / 8) / ((64 - 9 - 1 - 4 - 4) / 56))
    assert (over_spans.unit, over_spans.n_units) == ("spans", 4)
    # two shared spans, two ordered pairs: the same relation, and none by both
    over_pairs = agreement(rounds, SCHEMA, unit="pairs").row("krippendorff-alpha")
    assert (over_pairs.value, over_pairs.n_units) == (1, 2)


def test_three_annotators_by_hand() -> None:
    rounds = {"ann": [ANN], "bob": [BOB], "cas": [ANN]}
    found = agreement(rounds, SCHEMA)
    # pairs ann-bob 1/3, ann-cas 1, bob-cas 1/3
    mean = found.row("pairwise-f1", "entities.strict")
    assert mean.value == pytest.approx(5 / 9)
    assert mean.annotators == ("ann", "bob", "cas")
    by_pair = {
        row.annotators: row.value
        for row in found.rows
        if row.unit == "entities.strict" and row.label == "all" and len(row.annotators) == 2
    }
    assert by_pair == {("ann", "bob"): 1 / 3, ("ann", "cas"): 1, ("bob", "cas"): 1 / 3}
    # shared spans GGG, PGP: shares 1, 1/3; 4 GPE, 2 PERSON of 6: p_e = 20/36
    assert found.row("fleiss-kappa").value == pytest.approx((2 / 3 - 20 / 36) / (16 / 36))


def test_the_same_annotations_agree_fully_and_unused_labels_have_no_row() -> None:
    documents = [lakeside(f"a-{n}") for n in range(12)]
    for unit in ("tokens", "spans", "pairs"):
        found = agreement({"ann": documents, "bob": documents}, SCHEMA, unit=unit, resamples=50)  # type: ignore[arg-type]
        assert {row.value for row in found.rows} == {1.0}
        assert {(row.low, row.high) for row in found.rows} == {(1.0, 1.0)}
        assert {row.documents for row in found.rows} == {12}
        used = {entity.label for entity in documents[0].entities}
        assert {row.label for row in found.rows if row.unit == "entities.strict"} == {"all", *used}


def test_symmetric_relations_have_no_direction() -> None:
    schema = cases_schema(["GPE"], ["near", "below"], symmetric=["near"])
    one = lettered([(0, 0, "GPE"), (2, 2, "GPE")], [(0, 1, "near"), (0, 1, "below")])
    two = lettered([(0, 0, "GPE"), (2, 2, "GPE")], [(1, 0, "near"), (1, 0, "below")])
    assert units.pairs([one, two], schema.symmetric) == Counter(
        {
            (frozenset({"near", "below"}), frozenset({"near"})): 1,
            (frozenset[str](), frozenset({"below"})): 1,
        }
    )


def test_relations_outside_shared_spans_are_told() -> None:
    one = lettered([(0, 0, "GPE"), (2, 2, "GPE"), (4, 4, "GPE")], [(0, 2, "near"), (0, 0, "near")])
    two = lettered([(0, 0, "GPE"), (2, 2, "GPE")], [])
    schema = cases_schema(["GPE"], ["near"])
    row = agreement({"ann": [one], "bob": [two]}, schema, unit="pairs").row("krippendorff-alpha")
    assert row.value is None
    assert row.n_units == 2
    assert (row.note or "").startswith("2 relations do not lie between two shared spans; undefined: every")


def test_of_nested_mentions_the_outermost_is_the_label_of_a_token() -> None:
    inner, outer = frozenset({"GPE"}), frozenset({"ORG"})
    document = marks((0, 1, "GPE"), (0, 5, "ORG"), (8, 9, "ORG"), (8, 9, "GPE"), (11, 16, "GPE"))
    # 8-9 has two labels: the first of the alphabet; 11-16 reaches from a space into the token 14-15
    assert units.tokens([document]) == Counter({(outer,): 3, (inner,): 3, (frozenset[str](),): 4})


def test_discontinuous_mentions_cover_their_fragments_only() -> None:
    whole = marks((0, 9, "GPE"))
    parts = msgspec.structs.replace(
        whole, entities=(msgspec.structs.replace(whole.entities[0], fragments=((0, 1), (8, 9))),)
    )
    label = frozenset({"GPE"})
    assert units.tokens([whole, parts]) == Counter(
        {(label, label): 2, (label, units.NONE): 3, (units.NONE, units.NONE): 5}
    )
    assert units.spans([whole, parts]) == Counter({(label, units.NONE): 1, (units.NONE, label): 1})


# --- articles that only some did


def test_drop_takes_shared_articles_and_says_how_many_were_left_out() -> None:
    first, second = lakeside("a"), lakeside("b")
    found = agreement({"ann": [second, first], "bob": [first]}, SCHEMA)
    assert (found.documents, found.left_out) == (("a",), ("b",))
    assert found.note == "1 article left out, annotated by fewer than 2 of the annotators: b"
    assert "|documents:1|left out:1|" in found.signature
    assert found.note in agreement_table(found)


def test_pairwise_keeps_what_two_did() -> None:
    a, b = marks((0, 1, "GPE"), identifier="a"), marks((0, 1, "GPE"), identifier="b")
    other = marks((0, 1, "ORG"), identifier="b")
    rounds = {"ann": [a, b], "bob": [a, other], "cas": [a]}
    dropped = agreement(rounds, SCHEMA, unit="spans")
    assert (dropped.documents, dropped.left_out) == (("a",), ("b",))
    assert dropped.row("krippendorff-alpha").value is None
    kept = agreement(rounds, SCHEMA, unit="spans", missing="pairwise")
    assert (kept.documents, kept.left_out) == (("a", "b"), ())
    # units GGG and GO-: 5 answers, 4 G and 1 O; Do = 2/5, De = 2*4*1 / (5*4)
    assert kept.row("krippendorff-alpha").value == pytest.approx(0)
    # ann-bob: one of two right, 1/2; the others only article a, 1
    assert kept.row("pairwise-f1", "entities.strict").value == pytest.approx(5 / 6)
    assert [row.documents for row in kept.rows if row.unit == "entities.strict"][:4] == [2, 2, 1, 1]
    kappa = kept.row("fleiss-kappa")
    assert (kappa.documents, kappa.n_units) == (1, 1)
    assert "1 article not annotated for this by enough annotators" in (kappa.note or "")


def test_pairs_of_annotators_without_a_shared_article_are_told() -> None:
    rounds = {"ann": [lakeside("a")], "bob": [lakeside("a"), lakeside("b")], "cas": [lakeside("b")]}
    with pytest.raises(ScoreError, match="pairwise"):
        agreement(rounds, SCHEMA)
    found = agreement(rounds, SCHEMA, missing="pairwise")
    mean = found.row("pairwise-f1", "entities.strict")
    assert mean.value == 1
    assert (mean.note or "").startswith("mean over 2 of 3 pairs: the others share no article")
    assert ("ann", "cas") not in {row.annotators for row in found.rows}
    assert found.row("fleiss-kappa").documents == 0


def test_a_layer_that_one_did_not_annotate_is_missing_not_wrong() -> None:
    without = msgspec.structs.replace(lakeside("b"), layers=("entities",), relations=(), clusters=())
    rounds = {"ann": [lakeside("a"), lakeside("b")], "bob": [lakeside("a"), without]}
    found = agreement(rounds, SCHEMA, unit="pairs")
    assert found.row("pairwise-f1", "entities.strict").documents == 2
    for row in (found.row("pairwise-f1", "relations.strict"), found.row("krippendorff-alpha")):
        assert (row.value, row.documents) == (1, 1)
        assert "1 article not annotated for this by enough annotators" in (row.note or "")
    nothing = agreement({"ann": [lakeside("b")], "bob": [without]}, SCHEMA)
    facts = nothing.row("pairwise-f1", "facts.any-mention")
    assert (facts.value, facts.documents) == (None, 0)
    assert "undefined: no article to compare" in (facts.note or "")


@pytest.mark.parametrize(
    ("rounds", "settings", "says"),
    [
        ({"ann": [ANN]}, {}, "two annotators or more, found 1"),
        ({}, {}, "two annotators or more, found 0"),
        ({"ann": [ANN], "bob": []}, {}, "bob: the annotator has no document"),
        ({"ann": [ANN, ANN], "bob": [BOB]}, {}, "ann: two documents have the id d"),
        ({"ann": [lakeside("a")], "bob": [lakeside("b")]}, {}, "no article was annotated by all"),
        ({"ann": [ANN], "bob": [spans(identifier="d")]}, {}, "d: ann and bob annotated different texts"),
        (
            {"ann": [ANN], "bob": [msgspec.structs.replace(BOB, schema="x/1")]},
            {},
            "ann used the schema diplomacy/1, bob x/1",
        ),
        (
            {n: [msgspec.structs.replace(BOB, schema="x/1")] for n in ("ann", "bob")},
            {},
            "annotated by x/1, but the schema given is diplomacy/1",
        ),
        ({"ann": [ANN.without_text()], "bob": [BOB.without_text()]}, {}, "DRAGOMAN_TEXTS"),
        ({"ann": [marks((0, 1, "NONSENSE"))], "bob": [BOB]}, {}, "unknown label 'NONSENSE'"),
        ({"ann": [ANN], "bob": [BOB]}, {"unit": "words"}, "no unit 'words'"),
        ({"ann": [ANN], "bob": [BOB]}, {"missing": "guess"}, "no policy 'guess'"),
        ({"ann": [ANN], "bob": [BOB]}, {"resamples": 0}, "1 or more"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    rounds: dict[str, list[Document]], settings: dict[str, object], says: str
) -> None:
    with pytest.raises(ScoreError, match=says):
        agreement(rounds, SCHEMA, **settings)  # type: ignore[arg-type]


def test_a_relation_without_an_end_is_refused() -> None:
    broken = marks((0, 1, "GPE"), relations=["T1 represents T9"])
    with pytest.raises(ScoreError, match="T9"):
        agreement({"ann": [broken], "bob": [BOB]}, SCHEMA, unit="pairs")


def test_without_texts_spans_are_compared_all_the_same() -> None:
    with_texts = agreement({"ann": [ANN], "bob": [BOB]}, SCHEMA, unit="spans")
    without = agreement({"ann": [ANN.without_text()], "bob": [BOB.without_text()]}, SCHEMA, unit="spans")
    assert without.rows == with_texts.rows


# --- intervals


def varied(seed: int, number: int) -> tuple[list[Document], list[Document], list[Document]]:
    """Three annotators of some articles, who differ at random."""
    generator = np.random.default_rng(seed)
    rounds: tuple[list[Document], ...] = ([], [], [])
    for index in range(number):
        for documents in rounds:
            labels = generator.choice(["GPE", "ORG", "PERSON", ""], size=10, p=[0.4, 0.2, 0.1, 0.3])
            found = [(2 * n, 2 * n + 1, str(label)) for n, label in enumerate(labels) if label]
            links = [
                f"T{n + 1} represents T{n + 2}" for n in range(len(found) - 1) if generator.random() < 0.5
            ]
            documents.append(marks(*found, identifier=f"a-{index:02}", relations=links))
    return rounds  # type: ignore[return-value]


@pytest.mark.parametrize("unit", ["tokens", "spans", "pairs"])
@pytest.mark.parametrize("annotators", [2, 3])
def test_intervals_are_those_of_computing_every_resample_from_scratch(unit: str, annotators: int) -> None:
    rounds = dict(zip(("ann", "bob", "cas"), varied(3, 12)[:annotators], strict=False))
    resamples = 25
    found = agreement(rounds, SCHEMA, unit=unit, seed=5, resamples=resamples)  # type: ignore[arg-type]
    drawn = resample.weights(12, seed=5, resamples=resamples)
    again: list[Agreement] = []
    for weights in drawn:
        copies = {
            name: [
                msgspec.structs.replace(document, id=f"{document.id}-{copy}")
                for document, weight in zip(documents, weights, strict=True)
                for copy in range(weight)
            ]
            for name, documents in rounds.items()
        }
        again.append(agreement(copies, SCHEMA, unit=unit, resamples=1))  # type: ignore[arg-type]
    for row in found.rows:
        values = [
            other.value
            for once in again
            for other in once.rows
            if (other.metric, other.unit, other.label, other.annotators)
            == (row.metric, row.unit, row.label, row.annotators)
            and other.value is not None
        ]
        low, high = np.percentile(values, [2.5, 97.5])
        assert (row.low, row.high) == (pytest.approx(low), pytest.approx(high)), row


def test_resamples_without_a_value_are_told() -> None:
    rounds: dict[str, list[Document]] = {"ann": [], "bob": []}
    for index in range(12):
        found = [(0, 1, "GPE"), *([(4, 5, "ORG")] if index == 0 else [])]
        for documents in rounds.values():
            documents.append(marks(*found, identifier=f"a-{index:02}"))
    row = agreement(rounds, SCHEMA).row("pairwise-f1", "entities.strict", "ORG")
    assert (row.value, row.low, row.high) == (1, 1, 1)
    # an article stays out of a resample with probability (11/12)^12 = 0.352
    told = (row.note or "").split()
    assert told[:2] == ["undefined", "in"]
    assert 600 < int(told[2]) < 800


def test_the_signature_names_what_reproduces_the_numbers() -> None:
    one, two, _ = varied(1, 11)
    found = agreement({"ann": one, "bob": two}, SCHEMA, unit="spans", seed=4, resamples=30)
    fields = dict(field.split(":", 1) for field in found.signature.split("|"))
    assert fields["unit"] == "spans"
    assert fields["missing"] == "drop"
    assert fields["annotators"] == "ann, bob"
    assert fields["documents"] == "11"
    assert fields["bootstrap"] == "30 resamples, seed 4"
    assert fields["dragoman"] == found.version
    assert "\n" not in found.signature
    assert found == agreement({"ann": one, "bob": two}, SCHEMA, unit="spans", seed=4, resamples=30)
    changed = [two[0].bare(), *two[1:]]
    changed[0] = msgspec.structs.replace(changed[0], layers=two[0].layers)
    assert agreement({"ann": one, "bob": changed}, SCHEMA, unit="spans").signature != found.signature


def test_tables_show_undefined_values_as_dashes_and_escape_names() -> None:
    nothing = marks()
    found = agreement({"a|b": [nothing], "bob\u202e": [nothing]}, SCHEMA)
    table, page = agreement_table(found), agreement_markdown(found)
    assert "–" in table
    assert "undefined: nobody marked any" in table
    assert "bob[U+202E]" in table
    assert "\u202e" not in table + page
    defined = agreement({"ann": [ANN], "bob": [BOB]}, SCHEMA)
    assert agreement_table(defined).count(resample.TOO_FEW) == 1
    assert "| pairwise-f1 | entities.strict | 33.3 | 5 | 1 |" in agreement_markdown(defined)


# --- CrossRE: two annotators of the last annotation round, 72 sentences (Bassignana and Plank 2022)
# Expected numbers: worked out by definition from the two files.

FIXED = {"persn": "person", "organization": "organisation"}
UNDIRECTED = frozenset(["social", "compare", "opposite", "win-defeat", "named", "related-to"])
Links = list[tuple[int, int, str]]


def cases_schema(entities: Iterable[str], relations: Iterable[str], symmetric: Iterable[str] = ()) -> Schema:
    return Schema(
        name="cases",
        version=1,
        overlap=True,
        entities={label: EntityType(description=label, kind=label) for label in sorted(entities)},
        relations={
            label: RelationType(description=label, source=(), target=(), symmetric=label in set(symmetric))
            for label in sorted(relations)
        },
    )


def lettered(
    marked: Sequence[tuple[int, int, str]], links: Links, identifier: str = "d", tokens: Sequence[str] = ()
) -> Document:
    """A document from spans of tokens, ends inclusive, and relations between them by index."""
    words = tokens or ["x"] * 10
    starts = [sum(map(len, words[:n])) + n for n in range(len(words))]
    empty = Document.new(
        id=identifier, text=" ".join(words), schema="cases/1", layers=("entities", "relations")
    )
    return msgspec.structs.replace(
        empty,
        entities=tuple(
            Entity(id=f"T{n}", start=starts[first], end=starts[last] + len(words[last]), label=label)
            for n, (first, last, label) in enumerate(marked)
        ),
        relations=tuple(
            Relation(id=f"R{n}", label=label, source=f"T{source}", target=f"T{target}")
            for n, (source, target, label) in enumerate(links)
        ),
    )


class CrossRE:
    """The sentences of both annotators."""

    def __init__(self, folder: Path) -> None:
        self.sides = [
            [json.loads(line) for line in (folder / f"{name}.json").read_text("utf-8").splitlines()]
            for name in ("NLP-expert", "linguist")
        ]

    def rounds(
        self, *, fixed: bool = False, change: Callable[[Links], Links] = list
    ) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {}
        for name, side in zip(("NLP-expert", "linguist"), self.sides, strict=True):
            found[name] = []
            for number, record in enumerate(side):
                marked = [
                    (s, e, FIXED.get(label, label) if fixed else label) for s, e, label in record["ner"]
                ]
                place = {(s, e): index for index, (s, e, _) in enumerate(marked)}
                links = [(place[r[0], r[1]], place[r[2], r[3]], r[4]) for r in record["relations"]]
                found[name].append(lettered(marked, change(links), f"s-{number:02}", record["sentence"]))
        return found

    def schema(self, rounds: dict[str, list[Document]], symmetric: Iterable[str] = ()) -> Schema:
        every = [document for documents in rounds.values() for document in documents]
        return cases_schema(
            {entity.label for document in every for entity in document.entities},
            {relation.label for document in every for relation in document.relations},
            symmetric,
        )

    def types(self) -> list[list[str]]:
        """The type of every token, typing errors mended: of the longest entity that covers it, else O."""
        found: list[list[str]] = []
        for side in self.sides:
            row: list[str] = []
            for record in side:
                types = ["O"] * len(record["sentence"])
                for start, end, label in sorted(record["ner"], key=lambda ner: ner[1] - ner[0]):
                    types[start : end + 1] = [FIXED.get(label, label)] * (end + 1 - start)
                row += types
            found.append(row)
        return found


@pytest.fixture(scope="module")
def crossre() -> CrossRE:
    data = os.environ.get("DRAGOMAN_DATA")
    if not data:
        pytest.skip("DRAGOMAN_DATA is not set, so the two annotators of CrossRE can't be read")
    return CrossRE(Path(data) / "crossre" / "annotators")


def f1_of(
    rounds: dict[str, list[Document]], schema: Schema, metric: str, label: str = "micro"
) -> tuple[object, ...]:
    one, two = rounds.values()
    row = score(one, two, schema).row(metric, label)
    return row.gold, row.predicted, row.correct, row.f1 and round(row.f1, 6)


def sequences(
    rounds: dict[str, list[Document]], count: Callable[[units.Versions], Counter[units.Answers]]
) -> list[list[units.Answer | None]]:
    """The answers of both annotators, unit by unit."""
    total: Counter[units.Answers] = Counter()
    for versions in zip(*rounds.values(), strict=True):
        total += count(versions)
    return [list(side) for side in zip(*total.elements(), strict=True)]


def parts(found: object) -> tuple[object, ...]:
    """(units, observed, expected, value) with six digits."""
    fields = msgspec.structs.asdict(found)  # type: ignore[arg-type]
    return (fields["units"], *(round(fields[name], 6) for name in ("observed", "expected", "value")))


def both_gave(sides: list[list[units.Answer | None]]) -> list[list[units.Answer | None]]:
    """The units to which both gave a label."""
    kept = [pair for pair in zip(*sides, strict=True) if all(pair)]
    return [list(side) for side in zip(*kept, strict=True)]


def test_crossre_spans(crossre: CrossRE) -> None:
    raw, fixed = crossre.rounds(), crossre.rounds(fixed=True)
    assert f1_of(raw, crossre.schema(raw), "entities.exact") == (375, 379, 372, 0.986737)
    assert f1_of(raw, crossre.schema(raw), "entities.strict") == (375, 379, 356, 0.944297)
    assert f1_of(fixed, crossre.schema(fixed), "entities.strict") == (375, 379, 358, 0.949602)
    for rounds, expected in (
        (raw, (372, 0.956989, 0.053279, 0.954569)),
        (fixed, (372, 0.962366, 0.053648, 0.960232)),
    ):
        assert parts(cohen(*sequences(rounds, units.shared_spans))) == expected
        found = agreement(rounds, crossre.schema(rounds), resamples=20)
        kappa = found.row("cohen-kappa", "shared-spans")
        assert (kappa.n_units, round(kappa.value or 0, 6)) == (expected[0], expected[3])
    assert round(found.row("pairwise-f1", "entities.strict").value or 0, 6) == 0.949602
    assert round(found.row("pairwise-f1", "entities.exact").value or 0, 6) == 0.986737
    assert len(found.documents) == 72


def test_crossre_tokens(crossre: CrossRE) -> None:
    one, two = crossre.types()
    assert parts(cohen(one, two)) == (2284, 0.984676, 0.449565, 0.97216)
    inside = [[label != "O" for label in side] for side in (one, two)]
    assert parts(cohen(*inside)) == (2284, 0.995184, 0.555505, 0.989165)
    assert round(krippendorff_alpha([one, two]) or 0, 6) == 0.972166


def test_crossre_relations(crossre: CrossRE) -> None:
    raw, fixed = crossre.rounds(), crossre.rounds(fixed=True)
    directed, undirected = crossre.schema(raw), crossre.schema(raw, UNDIRECTED)
    assert f1_of(raw, directed, "relations.boundaries") == (331, 332, 294, 0.886878)
    assert f1_of(raw, undirected, "relations.boundaries") == (331, 332, 295, 0.889894)
    assert f1_of(raw, directed, "relations.strict") == (331, 332, 263, 0.793363)
    assert f1_of(fixed, crossre.schema(fixed), "relations.strict") == (331, 332, 266, 0.802413)
    symmetric = crossre.schema(fixed, UNDIRECTED)
    assert f1_of(fixed, symmetric, "relations.strict") == (331, 332, 267, 0.80543)
    found = agreement(fixed, symmetric, resamples=20).row("pairwise-f1", "relations.strict")
    assert round(found.value or 0, 6) == 0.80543
    pairs = crossre.rounds(change=lambda links: sorted({(a, b, "linked") for a, b, _ in links}))
    assert f1_of(pairs, crossre.schema(pairs), "relations.boundaries") == (296, 295, 271, 0.91709)
    both_ways = crossre.rounds(
        change=lambda links: sorted({(min(a, b), max(a, b), "linked") for a, b, _ in links})
    )
    assert f1_of(both_ways, crossre.schema(both_ways), "relations.boundaries") == (295, 293, 276, 0.938776)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("artifact", (37, 37, 34, 0.918919)),
        ("cause-effect", (0, 4, 0, 0.0)),
        ("compare", (9, 2, 2, 0.363636)),
        ("general-affiliation", (26, 30, 25, 0.892857)),
        ("named", (20, 20, 19, 0.95)),
        ("opposite", (14, 14, 14, 1.0)),
        ("origin", (11, 10, 10, 0.952381)),
        ("part-of", (40, 38, 36, 0.923077)),
        ("physical", (35, 38, 35, 0.958904)),
        ("related-to", (17, 9, 6, 0.461538)),
        ("role", (49, 54, 46, 0.893204)),
        ("social", (12, 11, 11, 0.956522)),
        ("temporal", (9, 10, 9, 0.947368)),
        ("topic", (2, 4, 2, 0.666667)),
        ("type-of", (35, 34, 30, 0.869565)),
        ("usage", (6, 8, 6, 0.857143)),
        ("win-defeat", (9, 9, 9, 1.0)),
    ],
)
def test_crossre_relation_by_label(crossre: CrossRE, label: str, expected: tuple[float, ...]) -> None:
    rounds = crossre.rounds()
    assert f1_of(rounds, crossre.schema(rounds), "relations.boundaries", label) == expected


def test_crossre_relations_of_shared_spans(crossre: CrossRE) -> None:
    rounds = crossre.rounds()
    every = sequences(rounds, units.pairs)
    assert parts(cohen(*every)) == (2520, 0.98254, 0.786284, 0.918301)
    assert parts(cohen(*([bool(answer) for answer in side] for side in every))) == (
        2520,
        0.987302,
        0.798161,
        0.937087,
    )
    shared = both_gave(every)
    assert parts(cohen(*shared)) == (271, 0.95572, 0.086301, 0.951537)
    assert round(krippendorff_alpha(shared) or 0, 6) == 0.951612
    single = [p for p in zip(*shared, strict=True) if all(len(answer or "") == 1 for answer in p)]
    assert parts(cohen(*map(list, zip(*single, strict=True)))) == (235, 0.957447, 0.107542, 0.952319)
    first = crossre.rounds(change=lambda links: list({(a, b): (a, b, c) for a, b, c in links[::-1]}.values()))
    assert parts(cohen(*both_gave(sequences(first, units.pairs)))) == (271, 0.95572, 0.101646, 0.950709)
    # only relations between two shared spans: 325 and 321 of them
    inside = [sum(len(answer or "") for answer in side) for side in every]
    match = sum(len((a or frozenset()) & (b or frozenset())) for a, b in zip(*every, strict=True))
    assert (*inside, match, round(2 * match / sum(inside), 6)) == (325, 321, 294, 0.910217)
    found = agreement(rounds, crossre.schema(rounds), unit="pairs", resamples=20).row("krippendorff-alpha")
    assert found.n_units == 2520
    assert found.value == krippendorff_alpha(every)


def test_crossre_relations_in_order_of_the_text(crossre: CrossRE) -> None:
    """Every pair once: what runs against the order of the text is a label of its own."""
    rounds: dict[str, list[Document]] = {}
    for name, documents in crossre.rounds().items():
        rounds[name] = []
        for document in documents:
            entities = document.by_id()
            turned = []
            for relation in document.relations:
                source, target = relation.source, relation.target
                label = relation.label
                if entities[target].spans < entities[source].spans:
                    source, target = target, source
                    label += "" if label in UNDIRECTED else "-back"
                turned.append(msgspec.structs.replace(relation, source=source, target=target, label=label))
            rounds[name].append(msgspec.structs.replace(document, relations=tuple(turned)))
    every = list(zip(*sequences(rounds, units.pairs), strict=True))
    against = (units.NONE, units.NONE)
    for _ in range(len(every) // 2):
        every.remove(against)
    found = cohen(*map(list, zip(*every, strict=True)))
    assert parts(found) == (1260, 0.970635, 0.601023, 0.926399)


# --- gamma


def test_gamma_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("pygamma_agreement"):
        monkeypatch.setitem(__import__("sys").modules, "pygamma_agreement", None)
    with pytest.raises(DragomanError, match=r"dragoman\[gamma\]"):
        gamma({"ann": [ANN], "bob": [BOB]}, SCHEMA)


def test_gamma_of_equal_annotations_is_one() -> None:
    pytest.importorskip("pygamma_agreement")
    state = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    one = lakeside("a")
    found = gamma({"ann": [one, lakeside("b")], "bob": [one]}, SCHEMA, samples=5, seed=3)
    assert found.row("gamma").value == pytest.approx(1)
    assert found.row("gamma").n_units == 16
    assert found.row("gamma-cat").value == pytest.approx(1)
    assert found.left_out == ("b",)
    assert "|chance:5 samples, seed 3|" in found.signature
    assert (np.random.get_state()[1] == state).all()
    different = gamma({"ann": [ANN], "bob": [BOB]}, SCHEMA, samples=5)
    assert (different.row("gamma").value or 0) < 1
    assert different == gamma({"ann": [ANN], "bob": [BOB]}, SCHEMA, samples=5)


def test_gamma_of_nothing_is_undefined() -> None:
    pytest.importorskip("pygamma_agreement")
    row = gamma({"ann": [marks()], "bob": [BOB]}, SCHEMA).row("gamma")
    assert row.value is None
    assert row.note == "undefined: an annotator marked nothing"
    with pytest.raises(ScoreError, match="two annotators or more"):
        gamma({"ann": [ANN]}, SCHEMA)
    with pytest.raises(ScoreError, match="1 or more"):
        gamma({"ann": [ANN], "bob": [BOB]}, SCHEMA, samples=0)


@pytest.mark.slow
def test_crossre_gamma(crossre: CrossRE) -> None:
    pytest.importorskip("pygamma_agreement")
    # pygamma-agreement 0.5.9 itself, sentences one after another: 0.966 and 0.944, give or take 0.01
    rounds = crossre.rounds()
    found = gamma(rounds, crossre.schema(rounds))
    assert found.row("gamma").value == pytest.approx(0.9658, abs=0.01)
    assert found.row("gamma-cat").value == pytest.approx(0.9443, abs=0.01)
    assert found.row("gamma").n_units == 754
