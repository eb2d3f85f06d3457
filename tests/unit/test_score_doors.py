"""The doors to scores: columns and documents agree with one another and with other tools."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from random import Random

import msgspec
import numpy as np
import pytest

from dragoman import corpus
from dragoman.errors import ScoreError
from dragoman.score import (
    Floor,
    Links,
    Spans,
    agreement,
    alignment,
    compare,
    compute,
    coreference,
    facts,
    over_seeds,
    read_result,
    records,
    relations,
    resample,
    score,
    spans,
    to_csv,
    to_json,
    to_latex,
    to_pandas,
    verify,
)
from dragoman.score.coreference import clusters_of
from dragoman.score.slices import Slices, frequency, length, meta, seen, sentence
from dragoman.score.spacy_scorer import make_scorer
from dragoman.types import Document, Entity
from tests import builders
from tests.builders import SCHEMA, lakeside

LABELS = ("GPE", "ORG", "PERSON")
Tagged = list[list[str]]


def flat(number: int, seed: int = 3) -> tuple[Tagged, Tagged]:
    """IOB2 tags of sentences without overlaps, gold and a corruption of them."""
    rng = Random(seed)
    sides: tuple[Tagged, Tagged] = ([], [])
    for _ in range(number):
        gold = ["O"] * 12
        for start in (0, 4, 8):
            if rng.random() < 0.8:
                size = rng.randint(1, 3)
                gold[start : start + size] = ["B-x"] + ["I-x"] * (size - 1)
                label = rng.choice(LABELS)
                gold[start : start + size] = [f"{tag[0]}-{label}" for tag in gold[start : start + size]]
        predicted = list(gold)
        for start in (0, 4, 8):
            chance = rng.random()
            if chance < 0.15:
                predicted[start : start + 3] = ["O"] * 3
            elif chance < 0.3:
                other = rng.choice(LABELS)
                changed = [tag if tag == "O" else f"{tag[0]}-{other}" for tag in predicted[start : start + 3]]
                predicted[start : start + 3] = changed
            elif chance < 0.4 and predicted[start] != "O":
                predicted[start + 1 : start + 3] = ["O"] * 2
        sides[0].append(gold)
        sides[1].append(predicted)
    return sides


def test_flat_data_equal_seqeval() -> None:
    metrics = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed")
    scheme = pytest.importorskip("seqeval.scheme", reason="seqeval is not installed")
    gold, predicted = flat(60)
    ours = compute(predictions=predicted, references=gold, dialect="IOB2", mode="strict")
    theirs = metrics.classification_report(
        gold, predicted, mode="strict", scheme=scheme.IOB2, output_dict=True, zero_division=0
    )
    for label in LABELS:
        assert ours[label]["f1"] == pytest.approx(theirs[label]["f1-score"])
        assert ours[label]["number"] == theirs[label]["support"]
    assert ours["overall_f1"] == pytest.approx(theirs["micro avg"]["f1-score"])


def test_flat_data_equal_nervaluate() -> None:
    nervaluate = pytest.importorskip("nervaluate", reason="nervaluate is not installed")
    gold, predicted = flat(60)
    evaluator = nervaluate.Evaluator(gold, predicted, tags=list(LABELS), loader="list")
    theirs = evaluator.evaluate()["overall"]
    for ours, name in (
        ("strict", "strict"),
        ("exact", "exact"),
        ("partial", "partial"),
        ("type", "ent_type"),
    ):
        found = compute(predictions=predicted, references=gold, dialect="IOB2", mode="strict", scheme=ours)  # type: ignore[arg-type]
        assert found["overall_f1"] == pytest.approx(theirs[name].f1), name


def test_flat_data_equal_spacy_and_our_scorer_is_registered() -> None:
    spacy = pytest.importorskip("spacy", reason="the extra spacy is not installed")
    from spacy.scorer import Scorer
    from spacy.training import Example

    blank = spacy.blank("en")
    gold, predicted = flat(30)
    examples = []
    for one, two in zip(gold, predicted, strict=True):
        words = [f"w{n}" for n in range(len(one))]
        docs = [spacy.tokens.Doc(blank.vocab, words=words, ents=tags) for tags in (two, one)]
        examples.append(Example(docs[0], docs[1]))
    theirs = Scorer.score_spans(examples, "ents")
    ours = make_scorer()(examples)
    assert ours["ents_f"] == pytest.approx(theirs["ents_f"])
    assert {k: v["f"] for k, v in ours["ents_per_type"].items()} == {
        k: pytest.approx(v["f"]) for k, v in theirs["ents_per_type"].items()
    }
    assert spacy.registry.scorers.get("dragoman.spans.v1")()(examples)["ents_p"] == ours["ents_p"]


def test_columns_and_documents_give_the_same_rows() -> None:
    gold = [builders.spans((0, 5, "GPE"), (10, 15, "ORG"), identifier=f"d{n}") for n in range(12)]
    predicted = [builders.spans((0, 5, "GPE"), (10, 14, "ORG"), identifier=f"d{n}") for n in range(12)]
    card = spans(gold, predicted, schema=SCHEMA)
    labels = tuple(SCHEMA.entities)
    columns = [
        Spans.from_rows(
            [(n, e.start, e.end, labels.index(e.label)) for n, d in enumerate(side) for e in d.entities]
        )
        for side in (gold, predicted)
    ]
    assert spans(columns[0], columns[1], labels=labels).rows == card.rows


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (([0], [0], [0], [0]), "not above the start"),
        (([0], [-1], [3], [0]), "0 or more"),
        (([0, 1], [0], [3], [0]), "lengths"),
        (([0.5], [0], [3], [0]), "whole numbers"),
        (([[0]], [0], [3], [0]), "one dimension"),
    ],
)
def test_columns_of_nonsense_are_refused(columns: tuple[list[int], ...], says: str) -> None:
    with pytest.raises(ScoreError, match=says):
        Spans.from_arrays(*columns)


def test_columns_beyond_their_labels_or_documents_are_refused() -> None:
    one = Spans.from_rows([(2, 0, 5, 1)])
    for options, says in (
        ({"labels": ["GPE"]}, "1 labels are named"),
        ({"labels": LABELS, "documents": 2}, "only 2 documents"),
        ({"labels": LABELS, "least": 0}, "1 or more shared"),
        ({"labels": LABELS, "schemes": ["fuzzy"]}, "expected some of"),
    ):
        with pytest.raises(ScoreError, match=says):
            spans(one, one, **options)  # type: ignore[arg-type]
    with pytest.raises(ScoreError, match="the same form"):
        spans(one, [lakeside()], labels=LABELS)
    with pytest.raises(ScoreError, match="schema"):
        spans([lakeside()], [lakeside()])
    nothing = Spans.from_rows([])
    with pytest.raises(ScoreError, match="no document"):
        spans(nothing, nothing, labels=LABELS)
    assert spans(nothing, nothing, labels=LABELS, documents=3).row("entities.strict").f1 is None


def test_overlap_can_be_asked_to_be_longer() -> None:
    gold, predicted = Spans.from_rows([(0, 0, 10, 0)]), Spans.from_rows([(0, 9, 20, 0)])
    assert spans(gold, predicted, labels=LABELS).row("entities.type").correct == 1
    assert spans(gold, predicted, labels=LABELS, least=2).row("entities.type").correct == 0


def test_each_task_has_its_door() -> None:
    assert relations([lakeside()], [lakeside()], schema=SCHEMA).metrics == (
        "entities.strict",
        "relations.strict",
        "relations.boundaries",
    )
    assert facts([lakeside()], [lakeside()], schema=SCHEMA, rules=["hard"]).metrics == ("facts.hard",)
    with pytest.raises(ScoreError, match="no metric 'fuzzy'"):
        score([lakeside()], [lakeside()], SCHEMA, metrics=["fuzzy"])


def part(document: Document) -> Document:
    return msgspec.structs.replace(
        document, entities=document.entities[:4], relations=document.relations[:2], clusters=()
    )


def test_exports_hold_every_row_and_its_signature() -> None:
    card = score([lakeside()], [part(lakeside())], SCHEMA)
    rows = list(csv.DictReader(io.StringIO(to_csv(card))))
    assert len(rows) == len(card.rows) == len(records(card))
    assert all(row["signature"].startswith(f"task:{row['metric'].partition('.')[0]}|") for row in rows)
    strict = next(row for row in rows if (row["metric"], row["label"]) == ("entities.strict", "micro"))
    assert (strict["n_gold"], strict["n_pred"], strict["COR"], strict["MIS"]) == ("8", "4", "4", "4")
    assert rows[0]["P"] == ""
    assert json.loads(to_json(card))["rows"][0]["precision"] is None
    latex = to_latex(card)
    assert latex.count("&") == 8 * (latex.count(r"\\"))
    assert to_latex(card, labels=None).count(r"\\") == 1 + len(card.rows)
    changed = msgspec.structs.replace(card, conversion={"predicted below-score": 2})
    assert "% read with changes: 2 predicted below-score" in to_latex(changed)
    assert "2 predicted below-score" in records(changed)[0]["signature"]
    assert "facts.any-mention" in latex


def test_pandas_gets_the_same_table() -> None:
    pytest.importorskip("pandas", reason="pandas is not installed")
    card = score([lakeside()], [part(lakeside())], SCHEMA)
    frame = to_pandas(card)
    assert list(frame.columns)[:6] == ["metric", "slice", "label", "n_gold", "n_pred", "COR"]
    assert len(frame) == len(card.rows)


def test_a_result_is_verified_or_its_differences_told(tmp_path: Path) -> None:
    gold, predicted = [lakeside()], [part(lakeside())]
    path = tmp_path / "result.json"
    path.write_text(to_json(score(gold, predicted, SCHEMA)), "utf-8")
    assert verify(read_result(path), gold, predicted, SCHEMA) == []
    changed = verify(read_result(path), gold, gold, SCHEMA)
    assert "predicted annotations are others" in changed[0]
    path.write_text(path.read_text("utf-8").replace('"correct": 4', '"correct": 5', 1), "utf-8")
    assert any("correct is 5 and 4" in line for line in verify(read_result(path), gold, predicted, SCHEMA))
    path.write_text("[]", "utf-8")
    with pytest.raises(ScoreError, match="not a result"):
        read_result(path)


def test_floors_are_held_and_undefined_reaches_nothing() -> None:
    card = score([lakeside()], [part(lakeside())], SCHEMA)
    assert Floor.parse("entities.strict.precision=1").missed(card) is None
    assert "0.5000" in str(Floor.parse("entities.strict.recall=0.51").missed(card))
    assert "undefined" in str(Floor.parse("entities.strict:LOC.f1=0").missed(card))
    assert "undefined" in str(Floor.parse("entities.strict.low=0.1").missed(card))
    for wrong in ("entities.strict=1", "f1=0.5", "entities.strict.f1=2", "entities.strict.f1=x", "a.b.c=1"):
        with pytest.raises(ScoreError, match="expected METRIC"):
            Floor.parse(wrong)
    with pytest.raises(ScoreError, match="no row"):
        Floor.parse("entities.fuzzy.f1=1").missed(card)
    with pytest.raises(ScoreError, match="no such label; there are PERSON"):
        Floor.parse("entities.strict:PRSON.f1=1").missed(card)
    parts = Slices(documents={"meta.kind": meta("kind")})
    sliced = score([lakeside()], [part(lakeside())], SCHEMA, slices=parts)
    floor = Floor.parse("entities.strict[meta.kind=treaty signing].recall=0.51")
    assert "[meta.kind=treaty signing] micro recall is 0.5000" in str(floor.missed(sliced))
    with pytest.raises(ScoreError, match=r"no such slice .*Name it with --slice"):
        Floor.parse("entities.strict[meta.kind=summit].f1=0").missed(sliced)


def test_slices_add_up_to_the_whole() -> None:
    gold = [lakeside(f"a-{n}") for n in range(3)]
    predicted = [part(document) for document in gold]
    slices = Slices(
        spans={"seen": seen(gold[:1]), "length": length, "frequency": frequency(gold)},
        relations={"sentence": sentence()},
        documents={"kind": meta("kind")},
    )
    card = score(gold, predicted, SCHEMA, slices=slices)
    for name, metric in (
        ("seen", "entities.strict"),
        ("length", "entities.type"),
        ("frequency", "entities.exact"),
        ("sentence", "relations.strict"),
        ("kind", "facts.hard"),
    ):
        parts = [r for r in card.rows if r.slice.startswith(f"{name}=") and r.metric == metric]
        whole = card.row(metric)
        assert parts
        for field in ("gold", "predicted", "correct", "missed", "spurious"):
            assert sum(getattr(row, field) for row in parts) == getattr(whole, field)


def test_values_are_right_where_mention_and_value_are() -> None:
    gold = lakeside()
    wrong = tuple(
        msgspec.structs.replace(e, value="1987-05-04") if e.value is not None else e for e in gold.entities
    )
    right = score([gold], [gold], SCHEMA).row("values.strict")
    assert (right.gold, right.correct, right.f1) == (1, 1, 1.0)
    row = score([gold], [msgspec.structs.replace(gold, entities=wrong)], SCHEMA).row("values.strict")
    assert (row.gold, row.predicted, row.correct, row.incorrect) == (1, 1, 0, 1)
    bare = msgspec.structs.replace(gold, entities=())
    row = score([gold], [msgspec.structs.replace(bare, relations=(), clusters=())], SCHEMA).row(
        "values.strict"
    )
    assert (row.gold, row.predicted, row.missed) == (1, 0, 1)


def test_the_normal_limit_agrees_with_drawing_documents() -> None:
    rng = np.random.default_rng(5)
    gold = rng.poisson(2, (4000, 2))
    hits = rng.binomial(gold, 0.7)
    rows = np.stack([gold, gold, 2 * hits, 2 * hits], axis=2)
    rows[:, 1] = 0
    rows[:10, 1] = 1  # a rare label
    limit = resample.totals(rows, seed=1)
    drawn = resample.weights(4000, seed=1)
    exact = (drawn @ rows.reshape(4000, -1)).reshape(len(drawn), 2, 4)
    for group in (0, 1):
        shares = [found[:, group, 2] / np.maximum(1, 2 * found[:, group, 0]) for found in (limit, exact)]
        ends = [np.percentile(share, [2.5, 97.5]) for share in shares]
        assert np.allclose(ends[0], ends[1], atol=0.002)
    assert np.allclose(limit.mean(axis=0), rows.sum(axis=0), rtol=0.02)
    assert set(np.unique(limit[:, 1, 0] % 1)) == {0.0}


def test_unfit_tags_are_refused() -> None:
    with pytest.raises(ScoreError, match="expected as many"):
        compute(predictions=[], references=[["O"]], dialect="IOB2", mode="strict")
    with pytest.raises(ScoreError, match="sentence 0"):
        compute(predictions=[["O"]], references=[["O", "O"]], dialect="IOB2", mode="strict")
    with pytest.raises(ValueError, match="dialect"):
        compute(predictions=[["O"]], references=[["O"]], dialect="BIO9", mode="strict")


def test_relations_of_columns_are_those_of_documents() -> None:
    places = ((0, 5, "GPE"), (10, 15, "GPE"), (20, 25, "EVENT"))
    links = ["T1 supports T2", "T2 supports T1", "T1 participates_in T3"]
    gold = [builders.spans(*places, identifier=f"d{n:02}", relations=links[: n % 3 + 1]) for n in range(12)]
    predicted = [builders.spans(*places, identifier=f"d{n:02}", relations=links[n % 2 :]) for n in range(12)]
    labels, names = tuple(SCHEMA.entities), tuple(SCHEMA.relations)
    columns = []
    for side in (gold, predicted):
        rows = [(n, e.start, e.end, labels.index(e.label)) for n, d in enumerate(side) for e in d.entities]
        pairs = [
            (names.index(r.label), 3 * n + int(r.source[1:]) - 1, 3 * n + int(r.target[1:]) - 1)
            for n, d in enumerate(side)
            for r in d.relations
        ]
        both = Spans.from_rows(rows)
        columns.append((both, Links.from_rows(pairs, both)))
    card = relations(columns[0], columns[1], labels=labels, relation_labels=names)
    assert card.rows == relations(gold, predicted, schema=SCHEMA).rows
    assert card.row("relations.strict").f1 not in (0, 1)


def test_relations_of_nonsense_columns_are_refused() -> None:
    two = Spans.from_rows([(0, 0, 5, 0), (1, 0, 5, 0)])
    with pytest.raises(ScoreError, match="two of the 2 spans"):
        Links.from_rows([(0, 0, 2)], two)
    with pytest.raises(ScoreError, match="two documents"):
        Links.from_rows([(0, 0, 1)], two)
    side = (two, Links.from_rows([(3, 0, 0)], two))
    with pytest.raises(ScoreError, match="1 labels are named"):
        relations(side, side, labels=["GPE"], relation_labels=["x"])
    side_without = (two, Links.from_rows([], two))
    with pytest.raises(ScoreError, match="symmetric names"):
        relations(
            side_without,
            side_without,
            labels=["GPE"],
            symmetric=["y"],
        )


def test_the_spread_over_seeds_is_apart_from_that_over_articles() -> None:
    gold = [lakeside(f"a-{n}") for n in range(3)]
    cards = [score(gold, found, SCHEMA) for found in (gold, [part(d) for d in gold])]
    rows = {(row.metric, row.label): row for row in over_seeds(cards)}
    strict = rows["entities.strict", "micro"]
    assert (strict.runs, strict.most, strict.least) == (2, 1.0, pytest.approx(2 / 3))
    assert strict.mean == pytest.approx(5 / 6)
    assert rows["entities.strict", "LOC"].mean is None
    with pytest.raises(ScoreError, match="two or more"):
        over_seeds(cards[:1])
    with pytest.raises(ScoreError, match="different gold"):
        over_seeds([cards[0], score(gold[:1], gold[:1], SCHEMA)])


def test_offsets_beyond_whole_numbers_are_refused() -> None:
    far = Spans.from_rows([(10**6, 0, 2**50, 0)])
    with pytest.raises(ScoreError, match="beyond what can be scored"):
        spans(far, far, labels=["GPE"], documents=10**6 + 1)


def test_blocks_of_documents_score_like_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    rows = [
        [
            (d, int(s), int(s) + int(rng.integers(1, 9)), int(rng.integers(0, 3)))
            for d in range(50)
            for s in rng.integers(0, 20, 4)
        ]
        for _ in range(2)
    ]
    one, two = (Spans.from_rows(side) for side in rows)
    whole = spans(one, two, labels=LABELS).rows
    monkeypatch.setattr(alignment, "BLOCK", 7)
    assert spans(one, two, labels=LABELS).rows == whole
    mixed = Spans.from_rows(list(reversed(rows[0])))
    assert spans(mixed, two, labels=LABELS).rows == whole


def discontinuous(*found: tuple[tuple[tuple[int, int], ...], str]) -> Document:
    base = builders.spans(identifier="d")
    entities = tuple(
        Entity(
            id=f"T{n}",
            start=pieces[0][0],
            end=pieces[-1][1],
            fragments=pieces if len(pieces) > 1 else (),
            label=label,
        )
        for n, (pieces, label) in enumerate(found, 1)
    )
    return msgspec.structs.replace(base, entities=entities, layers=("entities",))


def test_no_order_shows_where_alignments_are_equally_good() -> None:
    gold = ((((0, 3), (6, 8)), "ORG"), (((0, 2), (5, 8)), "ORG"))
    predicted = ((((0, 2), (5, 8)), "PERSON"), (((0, 2), (5, 8)), "ORG"))
    straight = score([discontinuous(*gold)], [discontinuous(*predicted)], SCHEMA)
    turned = score([discontinuous(*gold[::-1])], [discontinuous(*predicted[::-1])], SCHEMA)
    assert straight.rows == turned.rows
    one, two = Spans.from_rows([(0, 0, 3, 2)]), Spans.from_rows([(0, 0, 3, 0), (0, 0, 3, 1)])
    other = Spans.from_rows([(0, 0, 3, 1), (0, 0, 3, 0)])
    first = spans(one, two, labels=["A", "B", "P"], schemes=("exact",))
    second = spans(one, other, labels=["B", "A", "P"], schemes=("exact",))
    for label in ("A", "B", "P"):
        assert first.row("entities.exact", label) == second.row("entities.exact", label)


@pytest.mark.parametrize("labels", [["micro", "x"], ["x", "x"], "xy", [1, 2]])
def test_labels_that_collide_are_refused(labels: list[str]) -> None:
    one = Spans.from_rows([(0, 0, 5, 0)])
    with pytest.raises(ScoreError, match="labels"):
        spans(one, one, labels=labels)
    with pytest.raises(ScoreError, match="rename it"):
        compute(predictions=[["B-micro"]], references=[["B-micro"]], dialect="IOB2", mode="strict")


def test_rows_of_anything_but_whole_numbers_are_refused() -> None:
    for rows in (
        [(0, 0.7, 5.9, 0)],
        [("0", "1", "2", "0")],
        [(True, False, True, True)],
        [(0, 1, 2)],
        [(0, 0, 2**70, 0)],
    ):
        with pytest.raises(ScoreError):
            Spans.from_rows(rows)  # type: ignore[arg-type]
    with pytest.raises(ScoreError, match="beyond"):
        Spans.from_arrays([0], np.array([0], np.uint64), np.array([2**63], np.uint64), [0])


def test_large_offsets_never_make_unequal_spans_equal() -> None:
    rows = [(0, n, 2**52, 0) for n in range(9)]
    both = Spans.from_rows(rows)
    sides = [(both, Links.from_rows(link, both)) for link in ([(0, 0, 1)], [(0, 8, 1)])]
    card = relations(*sides, labels=["x"], relation_labels=["r"])
    assert card.row("relations.strict").correct == 0


def test_many_documents_without_a_frequent_label_have_a_score() -> None:
    one = Spans.from_rows([(0, 0, 5, 0)])
    assert spans(one, one, labels=["x"], documents=1500).row("entities.strict").f1 == 1.0
    with pytest.raises(ScoreError, match="number documents from 0"):
        spans(Spans.from_rows([(10**9, 0, 5, 0)]), one, labels=["x"])


def test_an_edited_text_and_a_span_beyond_it_are_refused() -> None:
    gold = lakeside()
    with pytest.raises(ScoreError, match="not the annotated one"):
        score([gold], [msgspec.structs.replace(gold, text="other")], SCHEMA)
    far = msgspec.structs.replace(gold.entities[0], start=4000, end=4001)
    with pytest.raises(ScoreError, match="beyond the text"):
        score([gold], [msgspec.structs.replace(gold, entities=(far,), relations=(), clusters=())], SCHEMA)
    with pytest.raises(ScoreError, match="given is"):
        score([gold], [gold], SCHEMA, given="foo")  # type: ignore[arg-type]


def clustered(documents: list[Document]) -> tuple[Spans, Links, np.ndarray]:
    """The columns of documents, as a caller who has no documents would make them."""
    labels, relation_labels = list(SCHEMA.entities), list(SCHEMA.relations)
    rows, links, numbers = [], [], []
    for number, document in enumerate(documents):
        place = {entity.id: len(rows) + row for row, entity in enumerate(document.entities)}
        rows += [(number, e.start, e.end, labels.index(e.label)) for e in document.entities]
        links += [
            (relation_labels.index(r.label), place[r.source], place[r.target]) for r in document.relations
        ]
        of = {member: index for index, cluster in enumerate(document.clusters) for member in cluster.members}
        numbers += [of.get(entity.id, -1) for entity in document.entities]
    found = Spans.from_rows(rows)
    return found, Links.from_rows(links, found), np.array(numbers, dtype=np.int64)


def damaged(document: Document) -> Document:
    """Without some relations, with one turned cluster fewer: neither right nor all wrong."""
    return msgspec.structs.replace(
        document, relations=document.relations[::2], clusters=document.clusters[1:], sha256=document.sha256
    )


def dev() -> list[Document]:
    return sorted(corpus.load(builders.ROOT / "corpus/dev")[:12], key=lambda document: document.id)


def test_facts_of_columns_are_those_of_documents() -> None:
    gold = dev()
    predicted = [damaged(document) for document in gold]
    names = {"labels": list(SCHEMA.entities), "relation_labels": list(SCHEMA.relations)}
    columns = facts(clustered(gold), clustered(predicted), **names)
    documents = facts(gold, predicted, schema=SCHEMA)
    assert [msgspec.structs.astuple(row) for row in columns.rows] == [
        msgspec.structs.astuple(row) for row in documents.rows
    ]
    assert 0 < columns.row("facts.hard").f1 < columns.row("facts.any-mention").f1 < 1
    assert columns.signatures["facts.hard"].startswith("task:facts|match:hard|")


def test_columns_of_facts_are_checked() -> None:
    spans_found, links, clusters = clustered(dev()[:1])
    names = {"labels": list(SCHEMA.entities), "relation_labels": list(SCHEMA.relations)}
    with pytest.raises(ScoreError, match="a whole number per span"):
        facts((spans_found, links, clusters[1:]), (spans_found, links, clusters), **names)
    with pytest.raises(ScoreError, match="no rule 'soft'"):
        facts((spans_found, links, clusters), (spans_found, links, clusters), rules=["soft"], **names)


def test_coreference_of_plain_clusters_is_that_of_documents() -> None:
    gold = dev()
    predicted = [damaged(document) for document in gold]
    sides = [
        [[set(group) for group in clusters_of(document, True)] for document in side]
        for side in (gold, predicted)
    ]
    plain, whole = coreference(*sides), coreference(gold, predicted, SCHEMA)
    assert plain == msgspec.structs.replace(whole, signature=plain.signature)
    assert 0 < whole.conll < 1
    assert "documents:12" in plain.signature
    assert "schema:diplomacy/1" in whole.signature


def test_plain_clusters_are_checked() -> None:
    with pytest.raises(ScoreError, match="1 gold and 0 predicted"):
        coreference([[["a"]]], [])
    with pytest.raises(ScoreError, match="gold document 0: a mention stands in two clusters"):
        coreference([[["a"], ["a", "b"]]], [[["a"]]])
    with pytest.raises(ScoreError, match="name it with schema="):
        coreference([lakeside()], [lakeside()])


def test_every_result_is_a_tidy_table() -> None:
    gold = dev()
    predicted = [damaged(document) for document in gold]
    found = coreference(gold, predicted, SCHEMA)
    rows = records(found)
    assert [row["metric"] for row in rows] == [
        f"coreference.{name}" for name in ("muc", "b3", "ceafe", "lea", "conll")
    ]
    assert rows[-1]["F1"] == found.conll
    compared = compare(gold, {"a": gold, "b": predicted}, SCHEMA, resamples=100)
    agreed = agreement({"a": gold, "b": predicted}, SCHEMA, resamples=100)
    for result in (score(gold, predicted, SCHEMA), found, compared, agreed):
        table = list(csv.DictReader(io.StringIO(to_csv(result))))
        assert len(table) == len(records(result)) > 0
        assert all(row["signature"] for row in table)
        assert json.loads(to_json(result))


def test_a_span_over_ten_thousand_others_is_aligned() -> None:
    count = 10_000
    rows = [(0, 0, 10 * count, 0), *((0, 10 * n, 10 * n + 5, n % 3) for n in range(count))]
    moved = [(0, 0, 10 * count, 0), *((0, 10 * n, 10 * n + 5, (n + (n % 5 == 0)) % 3) for n in range(count))]
    card = spans(Spans.from_rows(rows), Spans.from_rows(moved), labels=["A", "B", "C"])
    assert card.row("entities.strict").correct == count + 1 - count // 5
    assert card.row("entities.exact").correct == count + 1


def test_more_overlaps_than_can_be_aligned_are_told() -> None:
    rows = [(1, n, 10_000 + n, 0) for n in range(5_000)]
    with pytest.raises(ScoreError, match=r"document number 1 .* overlap one another in 25000000 pairs"):
        spans(Spans.from_rows(rows), Spans.from_rows(rows), labels=["A"])
