"""Exports of Label Studio: what is read, what is told, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dragoman.cli import main
from dragoman.errors import FormatError
from dragoman.formats import labelstudio, native, tasks
from dragoman.formats.conversion import Conversion
from dragoman.types import Cluster, Entity, Relation, text_hash
from tests.builders import ROOT, SCHEMA, lakeside

TEXT = "🙂 Freedonia  met\nSylvania on Sunday"


def region(name: str, start: Any, end: Any, *labels: str, text: Any = None) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(labels)}
    if text is not None:
        value["text"] = text
    return {"id": name, "type": "labels", "from_name": "entities", "to_name": "text", "value": value}


def link(source: str, target: str, *labels: str, direction: Any = "right") -> dict[str, Any]:
    return {
        "type": "relation",
        "from_id": source,
        "to_id": target,
        "direction": direction,
        "labels": list(labels),
    }


def field(name: str, *texts: str, tag: str = "value") -> dict[str, Any]:
    return {
        "id": name,
        "type": "textarea",
        "from_name": tag,
        "to_name": "text",
        "value": {"text": list(texts)},
    }


def task(*results: Any, **changes: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "data": {"text": TEXT},
        "annotations": [{"id": 70, "was_cancelled": False, "result": list(results)}],
        **changes,
    }


def test_what_changed_in_the_page_keeps_the_ids_of_what_did_not() -> None:
    gold = lakeside()
    sent = tasks.Record.of(gold, SCHEMA)
    drawn = Entity(id="xY_3", start=0, end=3, label="GPE", surface="Two", value="XX")
    entities = (*gold.entities[1:], drawn)  # T1, of the cluster C1 and a relation, is deleted
    relations = [r for r in gold.relations if "T1" not in (r.source, r.target)]
    relations += [Relation(id="R1", label="supports", source="T7", target="xY_3")]
    clusters = (Cluster(id="C1", members=("T2", "T5")),)
    came = msgspec.structs.replace(gold, entities=entities, relations=tuple(relations), clusters=clusters)
    back, messages = tasks.restored(came, sent)
    new = next(entity for entity in back.entities if entity.start == 0)
    assert (new.id, new.value, messages) == (f"T{len(gold.entities) + 1}", None, [])
    kept = {r.id: (r.source, r.label, r.target) for r in gold.relations if "T1" not in (r.source, r.target)}
    found = {r.id: (r.source, r.label, r.target) for r in back.relations}
    assert found == kept | {f"R{len(gold.relations) + 1}": ("T7", "supports", new.id)}
    assert {(c.id, c.members, c.value) for c in back.clusters} == {
        (gold.clusters[0].id, ("T2", "T5"), None),  # shares T5 with the one that was sent
        ("C2", (new.id,), "XX"),
    }


def test_two_codes_of_one_cluster_are_told() -> None:
    gold = lakeside()
    codes = {"T1": "XF", "T5": "XS"}
    entities = tuple(msgspec.structs.replace(e, value=codes.get(e.id, e.value)) for e in gold.entities)
    back, messages = tasks.restored(
        msgspec.structs.replace(gold, entities=entities), tasks.Record.of(gold, SCHEMA)
    )
    assert [c.value for c in back.clusters] == ["XF"]
    assert messages == ["the mentions T1, T5 have the values XF, XS; the first is taken."]


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    sent = tasks.to_task(lakeside(), SCHEMA, form="annotations") | {"id": 1}
    sent["data"]["document"] = sent["data"]["document"][:-5]
    with pytest.raises(FormatError, match="labelstudio-record"):
        read(tmp_path, sent)


def test_documents_become_tasks_and_come_back(tmp_path: Path) -> None:
    native.write(tmp_path / "in" / "a.json", lakeside())
    out = tmp_path / "tasks.json"
    schema = ["--schema", str(ROOT / "annotation/schema.toml")]
    command = ["convert", str(tmp_path / "in"), "--to", "labelstudio", "-o", str(out), *schema]
    assert CliRunner().invoke(main, command).exit_code == 0
    back = CliRunner().invoke(main, ["convert", str(out), "-o", str(tmp_path / "back"), *schema])
    assert back.exit_code == 0
    (path,) = (tmp_path / "back").iterdir()
    assert path.read_text("utf-8") == (tmp_path / "in" / "a.json").read_text("utf-8")


def read(tmp_path: Path, *tasks: Any, **options: Any) -> Conversion:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(list(tasks)), "utf-8")
    return labelstudio.read(path, schema="diplomacy/1", **options)


def kinds(found: Conversion) -> dict[str, int]:
    return {kind: count for kind, count in found.counts().items() if count}


FREEDONIA = region("f", 2, 11, "GPE", text="Freedonia")
SYLVANIA = region("s", 17, 25, "GPE", text="Sylvania")
SUNDAY = region("d", 29, 35, "DATE", text="Sunday")


def test_regions_relations_clusters_and_values_are_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        task(
            link("f", "s", "met", "same_as"),
            link("s", "f", "hosted", direction="left"),
            link("f", "d", "at", direction="bi"),
            field("d", "1987-05-03"),
            SUNDAY,
            FREEDONIA,
            SYLVANIA,
        ),
    )
    (document,) = found.documents
    assert found.notes == ()
    assert (document.id, document.text, document.title) == ("7", TEXT, "🙂 Freedonia  met")
    assert [(e.id, e.start, e.end, e.label, e.surface, e.value) for e in document.entities] == [
        ("f", 2, 11, "GPE", "Freedonia", None),
        ("s", 17, 25, "GPE", "Sylvania", None),
        ("d", 29, 35, "DATE", "Sunday", "1987-05-03"),
    ]
    assert {(r.label, r.source, r.target) for r in document.relations} == {
        ("met", "f", "s"),
        ("hosted", "f", "s"),
        ("at", "f", "d"),
        ("at", "d", "f"),
    }
    assert [cluster.members for cluster in document.clusters] == [("f", "s")]
    assert document.layers == ("entities", "relations", "clusters", "values")


def test_coreference_joins_regions_through_others(tmp_path: Path) -> None:
    regions = [region(name, n, n + 1, "X") for n, name in enumerate("abcde", 2)]
    links = [link("a", "c", "alias"), link("d", "e", "alias"), link("b", "c", "alias", direction="left")]
    (document,) = read(tmp_path, task(*regions, *links), coreference="alias").documents
    assert [cluster.members for cluster in document.clusters] == [("a", "b", "c"), ("d", "e")]
    assert document.relations == ()
    assert document.layers == ("entities", "relations", "clusters")


def test_every_annotation_that_was_not_cancelled_is_a_document(tmp_path: Path) -> None:
    results = {"result": [FREEDONIA]}
    several = [{"id": 1, **results}, {"id": 2, "was_cancelled": True, **results}, {"id": 3, "result": []}]
    one = several[1:]
    found = read(
        tmp_path,
        task(annotations=several),
        task(annotations=one, data={"text": TEXT, "id": "talks", "title": "T", "date": "1987-05-04"}),
        task(annotations=[], id=8, predictions=[1, 2]),
    )
    assert [(d.id, len(d.entities)) for d in found.documents] == [("7#1", 1), ("7#3", 0), ("talks", 0)]
    assert (found.documents[2].title, found.documents[2].date) == ("T", "1987-05-04")
    assert kinds(found) == {"skipped": 4}


def test_exports_before_1_0_are_read(tmp_path: Path) -> None:
    old = task(FREEDONIA)
    old["completions"] = old.pop("annotations")
    assert len(read(tmp_path, old).documents[0].entities) == 1


def test_the_surface_of_an_export_may_differ_in_white_space(tmp_path: Path) -> None:
    found = read(tmp_path, task(region("x", 2, 25, "EVENT", text="Freedonia met\\nSylvania")))
    assert found.notes == ()
    assert found.documents[0].entities[0].surface == "Freedonia  met\nSylvania"


def test_white_space_at_edges_is_cut_off_and_told(tmp_path: Path) -> None:
    found = read(tmp_path, task(region("x", 1, 13, "GPE"), region("y", 11, 13, "GPE")))
    assert [(e.start, e.end, e.surface) for e in found.documents[0].entities] == [(2, 11, "Freedonia")]
    assert kinds(found) == {"unaligned": 1, "malformed": 1}


def test_utf16_offsets_are_told_and_read_on_request(tmp_path: Path) -> None:
    old = task(region("f", 3, 12, "GPE", text="Freedonia"))
    told = read(tmp_path, old)
    assert kinds(told) == {"malformed": 1, "unaligned": 1}  # as code points it is "reedonia "
    assert "fits if offsets are UTF-16 units" in told.notes[0].message
    found = read(tmp_path, old, utf16=True)
    assert found.notes == ()
    assert (found.documents[0].entities[0].start, found.documents[0].entities[0].surface) == (2, "Freedonia")
    new = read(tmp_path, task(FREEDONIA), utf16=True)
    assert "fits if offsets are code points" in new.notes[0].message
    inside = read(tmp_path, task(region("f", 1, 12, "GPE")), utf16=True)
    assert (kinds(inside), inside.documents[0].entities) == ({"malformed": 1}, ())


@pytest.mark.parametrize(
    ("results", "expected", "kept"),
    [
        ([region("x", 2, 99, "GPE")], {"malformed": 1}, 0),
        ([region("x", 5, 5, "GPE")], {"malformed": 1}, 0),
        ([region("x", -3, 5, "GPE")], {"malformed": 1}, 0),
        ([region("x", 2.0, 5, "GPE")], {"malformed": 1}, 0),
        ([region("x", False, True, "GPE")], {"malformed": 1}, 0),
        ([region("x", None, None, "GPE")], {"malformed": 1}, 0),
        ([region("x", 2, 10**30, "GPE")], {"malformed": 1}, 0),
        ([region("x", "/p[1]/text()", "/p[1]/text()", "GPE")], {"skipped": 1}, 0),
        ([region("x", 2, 11)], {"skipped": 1}, 0),
        ([region("x", 2, 11, "")], {"malformed": 1}, 0),
        ([region("x", 2, 11, "GPE", text="Sylvania")], {"malformed": 1}, 1),
        ([region("x", 2, 11, "GPE", "ORG")], {}, 2),
        ([FREEDONIA, {**SYLVANIA, "id": "f"}], {"malformed": 1}, 2),
        ([FREEDONIA, link("f", "gone", "met")], {"malformed": 1}, 1),
        ([FREEDONIA, link("f", "f", "same_as")], {"malformed": 1}, 1),
        ([FREEDONIA, SYLVANIA, link("f", "s")], {"skipped": 1}, 2),
        ([FREEDONIA, SYLVANIA, link("f", "s", "met", direction="up")], {"malformed": 1}, 2),
        ([FREEDONIA, field("f", "x", tag="comment")], {"skipped": 1}, 1),
        ([FREEDONIA, field("gone", "x")], {"skipped": 1}, 1),
        ([FREEDONIA, field("f", "x", "y")], {"malformed": 1}, 1),
        ([FREEDONIA, {**field("f"), "value": 3}], {"malformed": 1}, 1),
        ([FREEDONIA, {"type": "choices", "value": {"choices": ["wire"]}}], {"skipped": 1}, 1),
        ([FREEDONIA, {"type": "labels", "id": True, "value": {}}], {"malformed": 1}, 1),
        ([FREEDONIA, None, 3, {}], {"malformed": 3}, 1),
    ],
)
def test_what_is_wrong_or_not_read_is_told(
    tmp_path: Path, results: list[Any], expected: dict[str, int], kept: int
) -> None:
    found = read(tmp_path, task(*results))
    assert (kinds(found), len(found.documents[0].entities)) == (expected, kept)
    assert all(note.place == f"{tmp_path}/export.json: task 7" for note in found.notes)


def test_a_text_that_changed_is_told(tmp_path: Path) -> None:
    same, other = text_hash(TEXT), text_hash("other")
    found = read(
        tmp_path,
        task(data={"id": "a", "text": TEXT, "sha256": same}),
        task(data={"id": "b", "text": TEXT, "sha256": other}),
    )
    assert [(note.place.split()[-1], note.kind) for note in found.notes] == [("b", "malformed")]


def test_relations_of_regions_with_several_labels_mean_the_first(tmp_path: Path) -> None:
    found = read(tmp_path, task(region("x", 2, 11, "GPE", "ORG"), SYLVANIA, link("x", "s", "met")))
    assert [(r.source, r.target) for r in found.documents[0].relations] == [("x", "s")]
    assert [(e.id, e.label) for e in found.documents[0].entities] == [
        ("x", "GPE"),
        ("x.2", "ORG"),
        ("s", "GPE"),
    ]
    assert kinds(found) == {"skipped": 1}


MINIMAL = {"id": 1, "text": TEXT, "label": [], "annotator": 1, "annotation_id": 2}


@pytest.mark.parametrize(
    ("content", "check"),
    [
        ("", "labelstudio-json"),
        ('[{"id": 1', "labelstudio-json"),
        ("[" * 100_000, "labelstudio-json"),
        ("[NaN]", "labelstudio-json"),
        ('"\\ud800"', "labelstudio-json"),
        ("{}", "labelstudio-task"),
        ("[[]]", "labelstudio-task"),
        ("[{}]", "labelstudio-task"),
        (json.dumps([MINIMAL]), "labelstudio-min"),
        (json.dumps([task(data={"body": TEXT})]), "labelstudio-task"),
        (json.dumps([task(data=[])]), "labelstudio-task"),
        (json.dumps([task(id=None)]), "labelstudio-task"),
        (json.dumps([task(annotations={})]), "labelstudio-task"),
        (json.dumps([task(annotations=[3])]), "labelstudio-task"),
        (json.dumps([task(annotations=[{"id": 1}])]), "labelstudio-task"),
        (json.dumps([task(), task()]), "id-duplicate"),
    ],
)
def test_what_is_no_export_gives_one_error(tmp_path: Path, content: str, check: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(content)
    with pytest.raises(FormatError, match=rf"export.json.*: \[{check}\]"):
        labelstudio.read(path, schema="s/1")
