"""One front for all formats: which reader a file gets, and what is asked for."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from dragoman.errors import FormatError
from dragoman.formats import anything, brat, inline, native
from dragoman.formats.anything import FORMS, SUFFIXES, UNNAMED
from dragoman.types import Entity, Relation
from tests.builders import lakeside

TASK = {"id": 7, "data": {"text": "Ana"}, "annotations": [{"id": 1, "result": []}]}


def write(folder: Path) -> None:
    """One document a to e in each format that needs no extra."""
    native.write(folder / "a.json", lakeside("a"))
    (folder / "b.jsonl").write_text(native.dump_line(lakeside("b")) + "\n", "utf-8")
    (folder / "c.json").write_text("\ufeff \n" + json.dumps([TASK]), "utf-8")
    (folder / "d.IOB").write_text("Ana\tB-PERSON\n", "utf-8")


def ids(path: Path, form: str | None = None) -> list[str]:
    found = anything.read(path, schema="s/1", form=form, dialect="BIO", mode="strict")
    return [document.id for document in found.documents]


def test_files_are_known_by_their_names(tmp_path: Path) -> None:
    write(tmp_path)
    names = ("a.json", "b.jsonl", "c.json", "d.IOB")
    assert [ids(tmp_path / name) for name in names] == [["a"], ["b"], ["7"], ["d"]]
    assert ids(tmp_path) == ["a", "b", "7", "d"]


def test_a_folder_of_standoff_is_brat(tmp_path: Path) -> None:
    brat.write(tmp_path / "deep", lakeside("a"))
    brat.write(tmp_path, lakeside("b"))
    (tmp_path / "d.tsv").write_text("not read", "utf-8")
    assert ids(tmp_path) == ids(tmp_path, "brat") == ["b", "a"]
    assert ids(tmp_path / "b.ann") == ["b"]


def test_named_forms_go_before_names(tmp_path: Path) -> None:
    inline_file = tmp_path / "a.txt"
    inline_file.write_text(inline.dumps(lakeside("a")), "utf-8")
    (tmp_path / "tags.data").write_text("Ana\tB-PERSON\n", "utf-8")
    assert ids(inline_file, "inline") == ids(tmp_path, "inline") == ["a"]
    assert ids(tmp_path / "tags.data", "conll") == ["tags"]
    with pytest.raises(FormatError, match="not-json"):
        ids(inline_file, "native")


def test_every_form_has_files() -> None:
    assert set(SUFFIXES) == set(FORMS)
    assert set(UNNAMED) <= {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}


@pytest.mark.parametrize("name", ["a.txt", "a", "a.xml"])
def test_names_that_say_nothing_are_asked_about(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Talks ended.", "utf-8")
    with pytest.raises(FormatError, match=r"\[unknown-form\].*Name it: one of native, jsonl"):
        ids(tmp_path / name)


def test_unknown_forms_and_empty_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"\[unknown-form\] 'xml' is no format"):
        ids(tmp_path, "xml")
    with pytest.raises(FormatError, match=r"\[unknown-form\] no file ending in .json, .jsonl"):
        ids(tmp_path)
    for missing in ("none.json", "none.jsonl", "none.ann", "none.tsv", "none"):
        with pytest.raises(FormatError, match="unreadable"):
            ids(tmp_path / missing)


def test_conll_is_never_read_by_a_guess(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("Ana\tI-PERSON\nVell\tI-PERSON\n", "utf-8")
    with pytest.raises(
        FormatError, match=r"well formed in IOB1 and in IOE1\). Give the dialect and the mode"
    ):
        anything.read(path, schema="s/1")
    with pytest.raises(FormatError, match=r"Give the mode; modes are lenient and strict"):
        anything.read(path, schema="s/1", dialect="IOB1")
    with pytest.raises(FormatError, match=r"a.conll: \[conll-dialect\] 'IOB' is no dialect"):
        anything.read(path, schema="s/1", dialect="IOB", mode="strict")
    with pytest.raises(FormatError, match=r"a.conll: \[conll-dialect\] 'fair' is no mode"):
        anything.read(path, schema="s/1", dialect="IOB1", mode="fair")
    path.write_text("Ana\tI-PERSON\nVell\tL-PERSON\n", "utf-8")
    with pytest.raises(FormatError, match="its tags are well formed in none of"):
        anything.read(path, schema="s/1")


def test_duplicates_are_told_and_kept(tmp_path: Path) -> None:
    document = lakeside("a")
    first, link = document.entities[0], document.relations[0]
    again = msgspec.structs.replace(first, id="T99")
    moved = msgspec.structs.replace(link, id="R98", source=again.id)
    other = msgspec.structs.replace(link, id="R99", label="supports")
    assert link.source == first.id
    document = msgspec.structs.replace(
        document, entities=(*document.entities, again), relations=(*document.relations, moved, other)
    )
    native.write(tmp_path / "a.json", document)
    found = anything.read(tmp_path, schema="s/1")
    assert found.counts() == {"skipped": 0, "unaligned": 0, "duplicate": 2, "malformed": 0}
    assert found.documents == (document.ordered(),)
    assert found.notes[0].place == f"{tmp_path}: a"


def test_discontinuous_spans_are_no_duplicates_of_whole_ones(tmp_path: Path) -> None:
    document = lakeside("a")
    whole = Entity(id="T90", start=0, end=13, label="X", surface="Two neighbours"[:13])
    parts = Entity(id="T91", start=0, end=13, fragments=((0, 3), (4, 13)), label="X")
    relation = Relation(id="R90", label="x", source="T90", target="T91")
    other = Relation(id="R91", label="x", source="T91", target="T90")
    native.write(
        tmp_path / "a.json",
        msgspec.structs.replace(document, entities=(whole, parts), relations=(relation, other), clusters=()),
    )
    assert anything.read(tmp_path, schema="s/1").notes == ()


def test_two_documents_of_one_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(native.dump_line(lakeside("a")) * 2, "utf-8")
    with pytest.raises(FormatError, match=r"\[id-duplicate\] two documents have the id 'a'"):
        ids(tmp_path / "a.jsonl")


def test_a_bad_line_of_jsonl_ends_in_its_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(native.dump_line(lakeside("a")) + "{\n", "utf-8")
    with pytest.raises(FormatError, match=r"a.jsonl:2: \[not-json\]"):
        ids(tmp_path)
