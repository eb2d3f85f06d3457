"""brat standoff: what is read, what is told, what is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from dragoman.errors import FormatError, WriteError
from dragoman.formats import brat
from dragoman.formats.conversion import Conversion
from dragoman.types import Cluster, Document, Entity, Relation
from tests.builders import lakeside

TEXT = "Freedonia's and Sylvania's\nfleets met.\r\n🙂 Freedonia"


def read(tmp_path: Path, annotations: str | bytes, text: str = TEXT) -> Conversion:
    (tmp_path / "talks.txt").write_bytes(text.encode())
    content = annotations if isinstance(annotations, bytes) else annotations.encode()
    (tmp_path / "talks.ann").write_bytes(content)
    return brat.read(tmp_path / "talks.ann", schema="diplomacy/1")


def kinds(found: Conversion) -> dict[str, int]:
    return {kind: count for kind, count in found.counts().items() if count}


def test_spans_relations_and_equivalences_are_read(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "T1\tGPE 0 9\tFreedonia\n"
        "R1\tallied Arg1:T3 Arg2:T1\t\n"
        "T3\tFLEET 0 11;27 33\tFreedonia's fleets\r\n"
        "T2\tGPE 42 51\tFreedonia\n"
        "T4\tX 16 33\tSylvania's fleets\n"
        "*\tsame_as T1 T2\n"
        '#1\tAnnotatorNotes T1\tdragoman {"cluster": "XF", "score": 0.5}\n',
    )
    document = found.documents[0]
    assert (document.id, document.text, found.notes) == ("talks", TEXT, ())
    assert [(e.id, e.spans, e.surface, e.score) for e in document.entities] == [
        ("T1", ((0, 9),), "Freedonia", 0.5),
        ("T3", ((0, 11), (27, 33)), "Freedonia's fleets", None),
        ("T4", ((16, 33),), "Sylvania's\nfleets", None),
        ("T2", ((42, 51),), "Freedonia", None),
    ]
    assert document.relations == (Relation(id="R1", label="allied", source="T3", target="T1"),)
    assert document.clusters == (Cluster(id="C1", members=("T1", "T2"), value="XF"),)
    assert document.layers == ("entities", "relations", "clusters", "values")


def test_what_is_not_read_is_told(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "T1\tGPE 0 9\tFreedonia\nE1\tMEET:T1 Who:T1\nA1\tNegated E1\nM1\tSure E1\nN1\tReference T1 W:1\tF\n"
        "#1\tAnnotatorNotes T1\tsure?\nR1\tat Arg1:E1 Arg2:T1\n",
    )
    assert kinds(found) == {"skipped": 6}
    assert str(found.notes[-1]) == (
        f"{tmp_path}/talks.ann:7: skipped: R1 points at E1, an event, which isn't read; it is left out."
    )


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("T2\tGPE 0 9\tSylvania", 2),
        ("T2\tGPE 0 99\tFreedonia", 1),
        ("T2\tGPE 9 9\t", 1),
        ("T2\tGPE 0 5;5 9\tFreed onia", 1),
        ("T2\tGPE 4 9;0 3\tonia Fre", 1),
        ("R1\tat Arg1:T1 Arg2:T9", 1),
        ("*\tsame_as T1 T9", 1),
        ('#1\tAnnotatorNotes T9\tdragoman {"value": "x"}', 1),
        ('#1\tAnnotatorNotes T1\tdragoman {"value": 3}', 1),
        ('#1\tAnnotatorNotes T1\tdragoman {"score": 7}', 1),
        ("#1\tAnnotatorNotes T1\tdragoman {", 1),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_is_read(tmp_path: Path, line: str, kept: int) -> None:
    found = read(tmp_path, f"T1\tGPE 0 9\tFreedonia\n{line}\n")
    assert (kinds(found), len(found.documents[0].entities)) == ({"malformed": 1}, kept)
    assert found.notes[0].place.endswith("talks.ann:2")
    assert (found.documents[0].relations, found.documents[0].clusters) == ((), ())


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (b"T1 GPE 0 9 Freedonia\n", r"talks.ann:1: \[brat-line\]"),
        (b"T1\tGPE 0-9\tFreedonia\n", r"talks.ann:1: \[brat-line\]"),
        (b"T1\tGPE -1 9\tFreedonia\n", r"talks.ann:1: \[brat-line\]"),
        (b"T1\tGPE 0 " + b"9" * 5000 + b"\tF\n", r"talks.ann:1: \[brat-line\]"),
        (b"T1\tGPE 0 9\tF\nT1\tGPE 0 9\tF\n", r"talks.ann:2: \[brat-id\].* in line 1 too"),
        (b"R1\tat T1 T2\n", r"talks.ann:1: \[brat-line\]"),
        (b"*\tsame_as\n", r"talks.ann:1: \[brat-line\]"),
        (b"\n{}\n", r"talks.ann:2: \[brat-line\]"),
        (b"\xff\n", r"talks.ann:1: \[not-utf8\]"),
    ],
)
def test_what_is_no_standoff_gives_one_error(tmp_path: Path, annotations: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, annotations)


def test_missing_texts_and_folders_give_one_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="brat-folder"):
        brat.read(tmp_path, schema="s/1")
    (tmp_path / "a.ann").write_text("")
    with pytest.raises(FormatError, match=r"\[brat-text\] its text a.txt is missing"):
        brat.read(tmp_path, schema="s/1")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.ann").write_text("")
    with pytest.raises(FormatError, match=r"two files are named a.ann"):
        brat.read(tmp_path, schema="s/1")


def test_values_of_one_cluster_that_differ_are_told(tmp_path: Path) -> None:
    notes = "".join(f'#{n}\tAnnotatorNotes T{n}\tdragoman {{"cluster": "X{n}"}}\n' for n in (1, 2))
    found = read(tmp_path, "T1\tGPE 0 9\t\nT2\tGPE 42 51\t\n*\tEquiv T1 T2\n*\tAlias T2 T1\n" + notes)
    assert found.documents[0].clusters == (Cluster(id="C1", members=("T1", "T2"), value="X1"),)
    assert (kinds(found), found.notes[0].place) == ({"malformed": 1}, f"{tmp_path}/talks.ann:2")


def test_a_folder_written_reads_back(tmp_path: Path) -> None:
    documents = (lakeside("a"), lakeside("b"))
    for document in documents:
        brat.write(tmp_path, document)
    found = brat.read(tmp_path, schema=documents[0].schema)
    assert found.notes == ()
    for document, again in zip(documents, found.documents, strict=True):
        assert again == msgspec.structs.replace(document, date=None, meta={}, layers=again.layers)


ENTITY = Entity(id="T1", start=0, end=1, label="A")
LINKS = {"relations": (Relation(id="R1", label="r", source="T1", target="T2"),)}
TWICE = {
    "clusters": (Cluster(id="C1", members=("T1",), value="x"), Cluster(id="C2", members=("T1",), value="y"))
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": None}, "without its text"),
        ({"entities": (ENTITY, ENTITY)}, "two entities have the id T1"),
        ({"entities": (msgspec.structs.replace(ENTITY, label="A B"),)}, "label 'A B'"),
        ({"entities": (msgspec.structs.replace(ENTITY, end=9),)}, "has 1 code points"),
        (LINKS, "points at T2"),
        (TWICE, "cluster twice, or in two"),
    ],
)
def test_what_brat_cannot_say_is_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    document = Document.new(id="d", text="a", schema="s/1", entities=(ENTITY,))
    with pytest.raises(ValueError, match=message):
        brat.write(tmp_path, msgspec.structs.replace(document, **changes))
    assert list(tmp_path.iterdir()) == []


def test_ids_never_lead_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        brat.write(tmp_path, Document.new(id="../d", text="a", schema="s/1"))


def test_arguments_of_a_relation_are_known_by_their_names(tmp_path: Path) -> None:
    lines = "T1\tGPE 0 9\tFreedonia\nT2\tGPE 42 51\tFreedonia\n"
    found = read(tmp_path, lines + "R1\tallied Arg2:T1 Arg1:T2\nR2\tallied From:T1 To:T2\n").documents[0]
    ends = {relation.id: (relation.source, relation.target) for relation in found.relations}
    assert ends == {"R1": ("T2", "T1"), "R2": ("T1", "T2")}


def test_a_file_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    name = b"\xffa".decode("utf-8", "surrogateescape")
    (tmp_path / f"{name}.txt").write_text("Rome", "utf-8")
    (tmp_path / f"{name}.ann").write_text("", "utf-8")
    with pytest.raises(FormatError, match="Rename the file") as found:
        brat.read(tmp_path, schema="invented/1")
    str(found.value).encode()
