"""Contradictions of the gold, uniform samples, and the rates that judged samples give."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from scipy.stats import norm

from dragoman import audit, corpus, decoys, evaluate, schema, validate
from dragoman.cli import main
from dragoman.errors import DragomanError, RecipeError
from dragoman.formats import inline
from dragoman.types import Cluster, Document, Entity, Relation
from tests.builders import lakeside

ROOT = Path(__file__).parents[2]
SCHEMA = schema.read(ROOT / "annotation/schema.toml")
TEXT = "Freedonia met Ruritania. Freedonia hailed trade. Freedonia slept."


def document(name: str, *marks: tuple[int, int, str], relations: tuple[Relation, ...] = ()) -> Document:
    entities = tuple(
        Entity(id=f"T{number}", start=start, end=end, label=label, surface=TEXT[start:end])
        for number, (start, end, label) in enumerate(marks, 1)
    )
    return Document.new(
        id=name, text=TEXT, schema=SCHEMA.reference, layers=("entities", "relations", "clusters"),
        entities=entities, relations=relations,
    )  # fmt: skip


def test_a_surface_that_is_marked_elsewhere_in_the_article_and_not_here_is_a_contradiction():
    found = audit.inconsistencies([document("a", (0, 9, "GPE"), (25, 34, "GPE"))])
    assert [(item.kind, item.where, item.other) for item in found] == [("surface-unmarked", "49-58", "GPE")]
    assert found[0].score == pytest.approx(2 / 3, abs=1e-4)  # two marks of three occurrences


def test_the_rarer_label_of_a_surface_is_a_contradiction_from_the_third_time_on():
    marks = [(0, 9, "GPE"), (25, 34, "GPE"), (49, 58, "GPE")]
    one, other = document("a", *marks), document("b", (0, 9, "ORG"), (25, 34, "GPE"), (49, 58, "GPE"))
    found = [item for item in audit.inconsistencies([one, other]) if item.kind == "surface-label"]
    assert [(item.document, item.gold, item.other, item.where) for item in found] == [
        ("b", "ORG", "GPE", "0-9")
    ]
    assert found[0].score == pytest.approx(5 / 7, abs=1e-4)  # five of six, with one doubt added


def test_the_rarer_relation_of_a_pair_of_clusters_is_a_contradiction():
    marks = [(0, 9, "GPE"), (14, 23, "GPE"), (25, 34, "GPE"), (49, 58, "GPE")]
    relations = tuple(
        Relation(id=f"R{number}", label=label, source=source, target="T2")
        for number, (label, source) in enumerate([("supports", "T1"), ("supports", "T3"), ("opposes", "T4")])
    )
    base = document("a", *marks, relations=relations)
    clusters = (Cluster(id="C1", members=("T1", "T3", "T4")),)
    found = audit.inconsistencies([Document.new(**_fields(base), clusters=clusters)])
    assert [(i.kind, i.where, i.gold, i.other) for i in found] == [
        ("pair-label", "49-58>14-23", "opposes", "supports")
    ]


def _fields(base: Document) -> dict[str, object]:
    names = ("id", "text", "schema", "layers", "entities", "relations")
    return {name: getattr(base, name) for name in names}


def test_a_model_contradicts_labels_spans_and_what_is_unmarked():
    gold = document("a", (0, 9, "GPE"), (14, 23, "GPE"))
    predicted = document("a", (0, 9, "ORG"), (10, 23, "EVENT"), (42, 47, "TOPIC"), (14, 23, "GPE"))
    found = [(item.kind, item.gold, item.other) for item in audit._entities(gold, predicted)]
    assert found == [
        ("entity-label", "GPE Freedonia", "ORG"),
        ("entity-span", "GPE Ruritania", "EVENT"),
        ("entity-unmarked", "", "TOPIC"),
    ]


def test_a_model_contradicts_the_label_and_the_direction_of_relations():
    marks = [(0, 9, "GPE"), (14, 23, "GPE")]

    def linked(label: str, source: str, target: str) -> Document:
        return document(
            "a", *marks, relations=(Relation(id="R1", label=label, source=source, target=target),)
        )

    gold = linked("supports", "T1", "T2")
    answers = {
        ("opposes", "T1", "T2"): ["relation-label"],
        ("supports", "T2", "T1"): ["relation-direction"],
        ("opposes", "T2", "T1"): ["relation-unmarked"],
        ("supports", "T1", "T2"): [],
    }
    for (label, source, target), kinds in answers.items():
        assert [i.kind for i in audit._relations(gold, linked(label, source, target))] == kinds


def test_contradictions_come_from_models_that_never_saw_the_article_most_sure_first():
    documents = corpus.load(ROOT / "corpus/dev")[:8]
    found = audit.contradictions(ROOT / "models/linear.toml", documents, SCHEMA, folds=2, seed=0)
    scores = [item.score for item in found]
    assert scores == sorted(scores, reverse=True)
    assert {item.kind for item in found} <= set(audit.KINDS)
    assert any(item.kind.startswith("entity") for item in found)


def test_more_folds_than_documents_are_refused():
    documents = corpus.load(ROOT / "corpus/dev")[:3]
    with pytest.raises(RecipeError, match="expected from 2 to 3"):
        audit.contradictions(ROOT / "models/linear.toml", documents, SCHEMA, folds=4, seed=0)


@pytest.mark.parametrize("task", ["entities", "relations"])
def test_a_sample_is_the_same_in_any_order_and_holds_everything_if_it_is_large(task: audit.Task):
    documents = list(corpus.load(ROOT / "corpus/dev")[:6])
    first = audit.sample(documents, task, 20, seed=3)
    random.Random(0).shuffle(documents)
    assert audit.sample(documents, task, 20, seed=3) == first
    assert audit.sample(documents, task, 20, seed=4) != first
    everything = audit.sample(documents, task, 10**6, seed=3)
    assert len(everything) == sum(len(getattr(document, task)) for document in documents)
    assert len({(item.document, item.where, item.gold) for item in everything}) == len(everything)


def test_every_entity_is_as_likely_to_be_drawn():
    documents = [document("a", (0, 9, "GPE"), (14, 23, "GPE")), document("b", (0, 9, "GPE"))]
    drawn = [audit.sample(documents, "entities", 1, seed=seed)[0] for seed in range(900)]
    for key in (("a", "0-9"), ("a", "14-23"), ("b", "0-9")):
        share = sum((item.document, item.where) == key for item in drawn) / 900
        assert abs(share - 1 / 3) < 4 * (2 / 9 / 900) ** 0.5  # four standard errors


def test_what_is_marked_anew_and_not_in_the_gold_is_listed_to_be_judged():
    gold = document("a", (0, 9, "GPE"))
    anew = document(
        "a", (0, 9, "GPE"), (14, 23, "GPE"),
        relations=(Relation(id="R1", label="supports", source="T1", target="T2"),),
    )  # fmt: skip
    found = [(item.kind, item.where, item.other) for item in audit.missing([gold], [anew])]
    assert found == [("relation", "0-9>14-23", "supports"), ("entity", "14-23", "GPE")]
    with pytest.raises(DragomanError, match="no such document"):
        audit.missing([gold], [document("b")])


def judged(*verdicts: str) -> list[audit.Item]:
    return [
        audit.Item(kind="entity", document="a", where=f"{n}-{n + 1}", gold="GPE", verdict=verdict)
        for n, verdict in enumerate(verdicts)
    ]


def test_rates_have_wilson_intervals():
    rate = audit.wrong_rate(judged(*["right"] * 290, *["wrong"] * 10))
    assert (rate.errors, rate.judged) == (10, 300)
    z, p, n = norm.ppf(0.975), 10 / 300, 300  # Wilson's formula, as in any textbook
    middle, half = p + z * z / 2 / n, z * (p * (1 - p) / n + z * z / 4 / n / n) ** 0.5
    expected = [(middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)]
    assert rate.interval == pytest.approx(expected)


def test_nothing_judged_has_no_rate_and_an_open_verdict_is_refused():
    assert (audit.wrong_rate([]).value, audit.wrong_rate([]).interval) == (None, None)
    with pytest.raises(DragomanError, match="1 items are not judged"):
        audit.wrong_rate(judged("right", ""))
    with pytest.raises(DragomanError, match="1 items are not judged"):
        audit.missing_rate(judged("missing", "right"), 10)


def test_what_is_missing_is_a_share_of_what_should_be_there():
    rate = audit.missing_rate(judged("missing", "not-missing", "missing"), present=98)
    assert (rate.errors, rate.judged) == (2, 100)


def test_a_table_comes_back_as_it_was_written(tmp_path: Path):
    items = [
        audit.Item(
            kind="entity", document="a", where="0-3", gold="GPE", score=0.25, surface='"x"', context="a b"
        ),
        audit.Item(
            kind="relation", document="ü", where="0-3>5-9", gold="supports", verdict="wrong", note="no"
        ),
    ]
    audit.write(tmp_path / "t.tsv", items)
    assert audit.read(tmp_path / "t.tsv") == items


def test_breaks_and_tabs_of_the_text_become_spaces(tmp_path: Path):
    item = audit.Item(kind="entity", document="a", where="0-3", gold="GPE", context="one\n\ttwo\u2028three")
    audit.write(tmp_path / "t.tsv", [item])
    assert audit.read(tmp_path / "t.tsv")[0].context == "one two three"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kind\tdocument\n", ":1: expected the columns"),
        ("\t".join(audit.COLUMNS) + "\nentity\ta\n", ":2: 2 fields"),
        (
            "\t".join(audit.COLUMNS) + "\nentity\ta\t0-1\tGPE\t\t1\tx\ty\tmaybe\t\n",
            ":2: the verdict is 'maybe'",
        ),
        ("\t".join(audit.COLUMNS) + "\nentity\ta\t0-1\tGPE\t\tx\tx\ty\t\t\n", "score 'x' is no number"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(tmp_path: Path, content: str, message: str):
    path = tmp_path / "t.tsv"
    path.write_text(content, "utf-8")
    with pytest.raises(DragomanError, match=message):
        audit.read(path)


def test_the_commands_draw_a_sample_and_tell_the_rate_of_a_judged_one(tmp_path: Path):
    table = tmp_path / "sample.tsv"
    arguments = [
        "corpus",
        "sample",
        str(ROOT / "corpus/dev"),
        "--task",
        "entities",
        "--size",
        "12",
        "-o",
        str(table),
    ]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    refused = CliRunner().invoke(main, ["corpus", "error-rate", str(table)])
    assert refused.exit_code == 2
    assert "12 items are not judged" in refused.output
    items = audit.read(table)
    audit.write(table, [audit.Item(**{**_item(item), "verdict": "right"}) for item in items])
    told = CliRunner().invoke(main, ["corpus", "error-rate", str(table)])
    assert "| entities | 0 | 12 | 0.0 | 0.0 to 24.2 |" in told.output  # Wilson: z² / (n + z²)


def _item(item: audit.Item) -> dict[str, object]:
    return {name: getattr(item, name) for name in audit.COLUMNS}


def test_the_card_tells_the_rates_of_the_judged_samples():
    card = (ROOT / "corpus/README.md").read_text("utf-8")
    assert f"<!-- error-rates -->\n{evaluate.error_rates_block(ROOT)}\n<!-- /error-rates -->" in card


def test_a_project_without_a_sample_has_no_rates(tmp_path: Path):
    with pytest.raises(DragomanError, match="no sample-SPLIT-TASK"):
        evaluate.error_rates_block(tmp_path)


def test_decoys_are_wrong_and_all_else_stays():
    gold = list(corpus.load(ROOT / "corpus/dev"))
    for task in audit.TASKS:
        kept = audit.sample(gold, task, 100, seed=1)
        changed, planted = decoys.plant(gold, SCHEMA, task, 30, seed=1, kept=kept)
        again = decoys.plant(gold[::-1], SCHEMA, task, 30, seed=1, kept=kept)
        assert (changed, planted) == again
        before, after = (
            {(item.document, item.where, item.gold) for one in side for item in audit.marked(one, task)}
            for side in (gold, changed)
        )
        assert {(item.document, item.where, item.gold) for item in planted} == after - before
        assert len(planted) == len(before - after) == 30
        assert {(item.document, item.where, item.gold) for item in kept} <= after
        start = "entity" if task == "entities" else "relation"
        assert {item.kind for item in planted} == {kind for kind in decoys.KINDS if kind.startswith(start)}
        assert not [
            f for one in changed for f in validate.check(one, SCHEMA) if f.check == "relation-argument-type"
        ]


def test_too_few_places_for_decoys_end_in_fewer():
    changed, planted = decoys.plant([lakeside()], SCHEMA, "relations", 1000, seed=3)
    assert 0 < len(planted) <= len(changed[0].relations)


def test_the_commands_tell_how_many_decoys_were_found(tmp_path: Path):
    table, key, articles = tmp_path / "sample.tsv", tmp_path / "key.tsv", tmp_path / "articles"
    command = ["corpus", "sample", str(ROOT / "corpus/dev"), "--task", "relations", "--size", "12"]
    assert CliRunner().invoke(main, [*command, "-o", str(table), "--decoys", "4"]).exit_code == 2
    more = ["-o", str(table), "--decoys", "4", "--key", str(key), "--articles", str(articles)]
    assert CliRunner().invoke(main, [*command, *more]).exit_code == 0
    items, planted = audit.read(table), audit.read(key)
    assert (len(items), len(planted)) == (16, 4)
    assert {item.kind for item in items} == {"relation"}
    assert {path.stem for path in articles.iterdir()} == {item.document for item in items}
    one = next(item for item in planted)
    written = inline.read(articles / f"{one.document}.txt", schema=SCHEMA.reference)
    assert (one.where, one.gold) in {(item.where, item.gold) for item in audit.marked(written, "relations")}
    wrong = {(item.document, item.where, item.gold) for item in planted[:3]}
    verdicts = ["wrong" if (i.document, i.where, i.gold) in wrong else "right" for i in items]
    judged = [
        audit.Item(**{**_item(item), "verdict": verdict})
        for item, verdict in zip(items, verdicts, strict=True)
    ]
    audit.write(table, judged)
    told = CliRunner().invoke(main, ["corpus", "error-rate", str(table), "--key", str(key)])
    assert "| relations | 0 | 12 | 0.0 | 0.0 to 24.2 |" in told.output
    assert "| all | 3 | 4 | 75.0 |" in told.output
    audit.write(table, judged[:3])
    refused = CliRunner().invoke(main, ["corpus", "error-rate", str(table), "--key", str(key)])
    assert "is not in the judged table" in refused.output
