from hypothesis import given, settings

from dragoman.formats import inline, native
from dragoman.types import Document
from tests.properties.strategies import documents


@given(documents())
def test_document_files_read_back_byte_for_byte(document: Document) -> None:
    written = native.dumps(document)
    again = native.parse(written.encode("utf-8"), "here")
    assert again == document
    assert native.dumps(again) == written


@given(documents())
def test_lines_read_back_as_the_same_document(document: Document) -> None:
    line = native.dump_line(document)
    assert line.count("\n") == 1
    assert native.parse(line.encode("utf-8"), "here") == document


@settings(max_examples=400)
@given(documents())
def test_inline_notation_loses_nothing(document: Document) -> None:
    written = inline.dumps(document)
    again = inline.parse(written, "here", schema="other/1")
    assert again == document
    assert inline.dumps(again) == written


@given(documents())
def test_comments_of_inline_notation_are_ignored(document: Document) -> None:
    written = inline.dumps(document, comments=True)
    assert inline.parse(written, "here", schema="other/1") == document


@given(documents())
def test_renumbering_keeps_everything_but_ids(document: Document) -> None:
    again = document.renumbered()
    assert [entity.id for entity in again.entities] == [f"T{n + 1}" for n in range(len(again.entities))]
    assert again.renumbered() == again
    surfaces = {entity.id: entity.surface for entity in document.entities}
    renamed = {entity.id: entity.surface for entity in again.entities}
    assert sorted(map(str, surfaces.values())) == sorted(map(str, renamed.values()))
    assert len(again.relations) == len(document.relations)
