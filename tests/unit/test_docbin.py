"""DocBin files: what is read, what is told, what is refused."""

from __future__ import annotations

import builtins
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from dragoman.cli import main
from dragoman.errors import DragomanError, FormatError
from dragoman.formats import docbin, native
from dragoman.formats.conversion import Conversion
from dragoman.types import Document, Entity
from tests.builders import ROOT, lakeside

spacy = pytest.importorskip("spacy", reason="spaCy (extra spacy) is not installed")

TEXT = "🙂 Ana Vell met  Freedonia"


def doc(text: str = TEXT) -> Any:
    return spacy.blank("en")(text)


def span(owner: Any, start: int, end: int, label: str, **more: Any) -> Any:
    return spacy.tokens.Span(owner, start, end, label, **more)


def save(path: Path, *docs: Any) -> Path:
    spacy.tokens.DocBin(store_user_data=True, docs=docs).to_disk(path)
    return path


def read(tmp_path: Path, *docs: Any, **options: Any) -> Conversion:
    return docbin.read(save(tmp_path / "talks.spacy", *docs), schema="s/1", **options)


def kinds(found: Conversion) -> dict[str, int]:
    return {kind: count for kind, count in found.counts().items() if count}


def test_entities_and_groups_are_read_in_code_points(tmp_path: Path) -> None:
    one, two = doc(), doc("Talks ended")
    one.ents = [span(one, 1, 3, "PERSON")]
    one.spans["sc"] = [span(one, 1, 3, "PERSON"), span(one, 1, 6, "EVENT"), span(one, 5, 6, "GPE")]
    two.ents = []
    found = read(tmp_path, one, two)
    first, second = found.documents
    assert (first.id, first.text, second.id) == ("talks-1", TEXT, "talks-2")
    assert [(e.start, e.end, e.label, e.surface) for e in first.entities] == [
        (2, 10, "PERSON", "Ana Vell"),
        (2, 25, "EVENT", "Ana Vell met  Freedonia"),
        (16, 25, "GPE", "Freedonia"),
    ]
    assert (first.layers, second.layers, second.entities) == (("entities",), ("entities",), ())
    assert kinds(found) == {"skipped": 1}
    assert "is in doc.ents too; it is read once" in found.notes[0].message
    only = read(tmp_path, one, two, spans_key="sc", name="gold")
    assert [(d.id, len(d.entities), d.layers) for d in only.documents] == [
        ("gold-1", 3, ("entities",)),
        ("gold-2", 0, ()),
    ]


def test_documents_without_annotation_list_no_layer(tmp_path: Path) -> None:
    found = read(tmp_path, doc())
    assert (found.documents[0].layers, kinds(found)) == ((), {"skipped": 1})


def test_what_is_not_read_is_told(tmp_path: Path) -> None:
    one = doc()
    one.ents = [span(one, 1, 3, "PERSON", kb_id="Q1")]
    one.spans["sc"] = [span(one, 2, 2, "X"), span(one, 2, 3, ""), span(one, 1, 2, "X"), span(one, 1, 2, "X")]
    one.user_data[("._.", "rel", None, None)] = {(1, 5): {"met": 1.0}}
    found = read(tmp_path, one)
    assert kinds(found) == {"skipped": 2, "malformed": 2}
    assert [e.label for e in found.documents[0].entities] == ["PERSON", "X", "X"]


def test_what_is_no_docbin_gives_one_error(tmp_path: Path) -> None:
    one = doc()
    one.ents = [span(one, 1, 3, "PERSON")]
    path = save(tmp_path / "talks.spacy", one)
    data = path.read_bytes()
    raw = zlib.decompress(data)
    for damaged in (
        b"",
        b"text",
        data[:50],
        zlib.compress(b"x"),
        zlib.compress(raw[:-40]),
        zlib.compress(b"\x90"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"talks.spacy: \[docbin-damaged\]"):
            docbin.read(path, schema="s/1")
    with pytest.raises(FormatError, match="unreadable"):
        docbin.read(tmp_path / "none.spacy", schema="s/1")


def test_unknown_groups_and_languages_are_refused(tmp_path: Path) -> None:
    one = doc()
    one.spans["sc"] = []
    with pytest.raises(FormatError, match=r"\[docbin-key\] .* under 'cs'; the keys are sc"):
        read(tmp_path, one, spans_key="cs")
    with pytest.raises(ValueError, match="'xx9' is no language"):
        read(tmp_path, one, language="xx9")


def test_missing_spacy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "talks.spacy", doc())
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "spacy":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(DragomanError, match=r"pip install dragoman\[spacy\]"):
        docbin.read(path, schema="s/1")


def test_what_docbin_cannot_hold_is_refused_or_told() -> None:
    bare = Document.new(id="d", text=TEXT, schema="s/1")
    far = Entity(id="T1", start=20, end=99, label="GPE")
    split = Entity(id="T2", start=2, end=9, label="GPE", fragments=((2, 3), (5, 9)))
    with pytest.raises(ValueError, match="ends at 99, but the text has 25"):
        docbin.dumps([msgspec.structs.replace(bare, entities=(far,))])
    with pytest.raises(ValueError, match="T2 is discontinuous"):
        docbin.dumps([msgspec.structs.replace(bare, entities=(split,))])
    with pytest.raises(ValueError, match="without its text"):
        docbin.dumps([msgspec.structs.replace(bare, text=None)])
    with pytest.raises(ValueError, match="no language that spaCy knows"):
        docbin.dumps([bare], language="xx-none")


def test_a_written_file_reads_back_with_its_ids(tmp_path: Path) -> None:
    gold = lakeside()
    out = tmp_path / "gold.spacy"
    path = tmp_path / f"{gold.id}.json"
    native.write(path, gold)
    schema_path = str(ROOT / "annotation/schema.toml")
    arguments = ["convert", str(path), "--to", "docbin", "--schema", schema_path]
    assert CliRunner().invoke(main, arguments).exit_code == 2
    ran = CliRunner().invoke(main, [*arguments, "-o", str(out)])
    assert ran.exit_code == 0
    assert ran.stderr.count("DocBin holds no relation") == len(gold.relations)
    (again,) = docbin.read(out, schema=gold.schema).documents
    assert (again.id, again.title, again.date, again.text) == (gold.id, gold.title, gold.date, gold.text)
    assert [(e.start, e.end, e.label) for e in again.entities] == [
        (e.start, e.end, e.label) for e in gold.entities
    ]
    (doc,) = spacy.tokens.DocBin().from_disk(out).get_docs(spacy.blank("en").vocab)
    assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == [
        (e.start, e.end, e.label) for e in gold.entities
    ]
