"""Files of tokens and tags: what is read, what is told, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dragoman.errors import FormatError
from dragoman.formats import conll
from dragoman.formats.conversion import KINDS, Conversion
from dragoman.types import Document, Entity
from tests.builders import LAKESIDE, lakeside, spans

TEXT = """-DOCSTART- -X- -X- O

Freedonia NNP B-NP B-GPE
and CC O O
Sylvania NNP B-NP B-GPE
met VBD B-VP O

Ana NNP B-NP B-PERSON
Vell NNP I-NP I-PERSON

-DOCSTART- -X- -X- O

Talks NNS B-NP O
ended VBD B-VP O
"""


def read(tmp_path: Path, content: str | bytes, **options: Any) -> Conversion:
    path = tmp_path / "talks.conll"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return conll.read(path, **{"schema": "diplomacy/1", "dialect": "BIO", "mode": "strict", **options})


def surfaces(document: Document) -> list[tuple[int, int, str, str | None]]:
    return [(entity.start, entity.end, entity.label, entity.surface) for entity in document.entities]


def kinds(found: Conversion) -> dict[str, int]:
    return {kind: count for kind, count in found.counts().items() if count}


def test_lines_of_docstart_part_documents(tmp_path: Path) -> None:
    found = read(tmp_path, TEXT)
    assert [document.id for document in found.documents] == ["talks-1", "talks-2"]
    first = found.documents[0]
    assert first.text == "Freedonia and Sylvania met\nAna Vell"
    assert surfaces(first) == [
        (0, 9, "GPE", "Freedonia"),
        (14, 22, "GPE", "Sylvania"),
        (27, 35, "PERSON", "Ana Vell"),
    ]
    assert first.layers == ("entities",)
    assert found.notes == ()


def test_a_file_without_docstart_is_one_document_or_one_per_sentence(tmp_path: Path) -> None:
    content = "A\tB-X\n\n\n \nB\tO\n"
    assert [(d.id, d.text) for d in read(tmp_path, content).documents] == [("talks", "A\nB")]
    found = read(tmp_path, content, per_sentence=True, name="gold")
    assert [(d.id, d.text) for d in found.documents] == [("gold-1", "A"), ("gold-2", "B")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_marks_of_the_file_are_no_text(tmp_path: Path, end: str) -> None:
    found = read(tmp_path, ("\ufeff" + "Ana B-X\nVell I-X\n").replace("\n", end))
    assert found.documents[0].text == "Ana Vell"


def test_offsets_are_code_points(tmp_path: Path) -> None:
    found = read(tmp_path, "🙂🙂\tO\n조 약\tB-X\né\u0301\tI-X\n")
    assert surfaces(found.documents[0]) == [(3, 9, "X", "조 약 é\u0301")]


def test_columns_and_separators_are_named(tmp_path: Path) -> None:
    found = read(tmp_path, "Ana|B-X|extra\n", column=1, separator="|")
    assert surfaces(found.documents[0]) == [(0, 3, "X", "Ana")]


def test_malformed_tags_are_told_and_follow_the_mode(tmp_path: Path) -> None:
    content = "Ana\tI-X\nVell\tI-X\nmet\tO\n"
    strict = read(tmp_path, content)
    assert (surfaces(strict.documents[0]), kinds(strict)) == ([], {"malformed": 1})
    lenient = read(tmp_path, content, mode="lenient")
    assert surfaces(lenient.documents[0]) == [(0, 8, "X", "Ana Vell")]
    assert str(lenient.notes[0]) == (
        f"{tmp_path}/talks.conll:1: malformed: the tag I-X of 'Ana' is out of place in IOB2; "
        "read as conlleval does."
    )


def test_empty_tokens_and_documents_are_told(tmp_path: Path) -> None:
    content = "\tB-X\nAna\tI-X\n\tI-X\n\n\tB-Y\n\n-DOCSTART-\n\n-DOCSTART-\n\nA\tO\n"
    found = read(tmp_path, content)
    assert [(d.id, d.text, surfaces(d)) for d in found.documents] == [
        ("talks-1", "Ana", [(0, 3, "X", "Ana")]),
        ("talks-3", "A", []),
    ]
    assert kinds(found) == {"malformed": 3, "skipped": 2}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"talks.conll: \[conll-empty\]"),
        (b"\n\n-DOCSTART- O\n\n", r"talks.conll: \[conll-empty\]"),
        (b"Ana\n", r"talks.conll:1: \[conll-column\] found 'Ana' with 1 column,"),
        (b"Ana\tO\nVell\tPERSON\n", r"talks.conll:2: \[conll-tag\] 'PERSON' is no tag of IOB2"),
        (b"Ana\tO\nVell\t\n", r"talks.conll:2: \[conll-tag\] ''"),
        (b"Ana\tO\nVell\tS-X\n", r"talks.conll:2: \[conll-tag\] 'S-X'"),
        (b"Ana\tO\n\xff\tO\n", r"talks.conll:2: \[not-utf8\]"),
        (b"\x00\x00\n", r"talks.conll:1: \[conll-column\]"),
    ],
)
def test_what_is_no_conll_file_gives_one_error(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(tmp_path, content)


def test_a_missing_file_gives_one_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="unreadable"):
        conll.read(tmp_path / "none.conll", schema="s/1", dialect="BIO", mode="strict")


def test_what_conll_cannot_hold_is_told() -> None:
    written, notes = conll.dumps(lakeside(), dialect="BIO")
    assert written.startswith("Two\tO\nneighbours\tO\nsign\tO\nlakeside\tO\naccord\tO\n\nFreedonia\tB-GPE\n")
    assert {note.kind for note in notes} == {"skipped"}
    relations = 6  # the lines of LAKESIDE make 2 + 1 + 1 + 1 + 1
    assert len(notes) == relations + LAKESIDE.count("\nC ") + LAKESIDE.count(" =")


def test_unaligned_spans_are_widened_and_told() -> None:
    document = Document.new(
        id="d",
        text="pro-Freedonian  ferries",
        schema="s/1",
        entities=(
            Entity(id="T1", start=4, end=11, label="A"),
            Entity(id="T2", start=11, end=14, label="B"),
            Entity(id="T3", start=14, end=16, label="C"),
        ),
    )
    written, notes = conll.dumps(document, dialect="BIOES")
    assert written == "pro\tO\n-\tO\nFreedonian\tS-A\nferries\tO\n\n"
    assert [(note.place, note.kind) for note in notes] == [
        ("d: entity T1", "unaligned"),
        ("d: entity T2", "skipped"),
        ("d: entity T3", "skipped"),
    ]


def test_no_sentence_ends_inside_an_entity() -> None:
    document = spans((0, 100, "A"))
    text = ("He met Ana. Vell left. " * 5)[:100]
    document = msgspec.structs.replace(document, text=text)
    written, notes = conll.dumps(document, dialect="BIO")
    assert written.count("\n\n") == 1
    assert notes == ()


@pytest.mark.parametrize(
    ("entities", "message"),
    [
        ([Entity(id="T1", start=0, end=2, label="A"), Entity(id="T2", start=1, end=3, label="A")], "overlap"),
        ([Entity(id="T1", start=0, end=2, label="A"), Entity(id="T2", start=0, end=2, label="A")], "overlap"),
        ([Entity(id="T1", start=0, end=4, fragments=((0, 1), (3, 4)), label="A")], "discontinuous"),
        ([Entity(id="T1", start=0, end=2, label="A B")], "label"),
        ([Entity(id="T1", start=0, end=99, label="A")], "has 5 code points"),
    ],
)
def test_what_conll_cannot_say_is_refused(entities: list[Entity], message: str) -> None:
    document = Document.new(id="d", text="a b c", schema="s/1", entities=tuple(entities))
    with pytest.raises(ValueError, match=message):
        conll.dumps(document, dialect="BIO")


def test_counts_name_every_kind() -> None:
    assert Conversion(()).counts() == dict.fromkeys(KINDS, 0)


def test_a_chunk_of_iob1_begins_anew_with_each_sentence() -> None:
    """In IOB1 B- stands only right behind a chunk of the same label in the same sentence."""
    entities = tuple(Entity(id=f"T{n}", start=n, end=n + 1, label="A") for n in (5, 7))
    document = Document.new(id="d", text="Talks. 0", schema="s/1", entities=entities)
    written, notes = conll.dumps(document, dialect="IOB1")
    assert written.splitlines() == ["Talks\tO", ".\tI-A", "", "0\tI-A", ""]
    assert notes == ()
