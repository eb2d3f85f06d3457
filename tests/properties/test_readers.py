"""Laws of foreign formats: what is written reads back, and what is hostile ends in one error."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from dragoman.errors import FormatError
from dragoman.formats import brat, conll, docbin, labelstudio, native, tags, tasks
from dragoman.formats.tags import Dialect, Mode, Span
from dragoman.text import align, tokenized_sentences
from dragoman.types import LAYERS, Document, Entity
from tests.builders import SCHEMA
from tests.properties.strategies import LABELS, TEXTS, documents, sendable

DIALECTS: st.SearchStrategy[Dialect] = st.sampled_from([*tags.PREFIXES, *tags.ALIASES])  # type: ignore[list-item]
MODES: st.SearchStrategy[Mode] = st.sampled_from(tags.MODES)


@st.composite
def apart(draw: st.DrawFn, length: int) -> list[Span]:
    """Labelled spans of [0, length) that do not overlap, many of them touching."""
    cuts = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    pairs = list(pairwise(cuts))
    return [
        Span(start, end, draw(st.sampled_from(["A", "B", "A-B"])))
        for start, end in pairs
        if draw(st.booleans())
    ]


@given(st.integers(0, 9).flatmap(lambda n: st.tuples(st.just(n), apart(n))), DIALECTS, MODES)
def test_tags_say_what_was_encoded(case: tuple[int, list[Span]], dialect: Dialect, mode: Mode) -> None:
    length, spans = case
    written = tags.encode(spans[::-1], length, dialect=dialect)
    decoded = tags.decode(written, dialect=dialect, mode=mode)
    assert (list(decoded.spans), decoded.malformed) == (spans, 0)
    assert tags.named(dialect) in tags.guess(written)


@st.composite
def tagged(draw: st.DrawFn) -> tuple[Dialect, list[str]]:
    """Any tags of a dialect, well formed or not."""
    dialect = tags.named(draw(DIALECTS))
    known = ["O", *(f"{prefix}-{label}" for prefix in tags.PREFIXES[dialect] for label in "AB")]
    return dialect, draw(st.lists(st.sampled_from(known), max_size=8))


@given(tagged())
def test_strict_is_the_well_formed_part_of_lenient(case: tuple[Dialect, list[str]]) -> None:
    dialect, written = case
    lenient = tags.decode(written, dialect=dialect, mode="lenient")
    strict = tags.decode(written, dialect=dialect, mode="strict")
    assert set(strict.spans) <= set(lenient.spans)
    assert lenient.wrong == strict.wrong
    assert (lenient.malformed == 0) == (tags.encode(lenient.spans, len(written), dialect=dialect) == written)
    assert bool(lenient.malformed) == (strict.spans != lenient.spans)
    covered = [index for span in lenient.spans for index in range(span.start, span.end)]
    assert covered == [index for index, tag in enumerate(written) if tag != "O"]


@given(st.lists(TEXTS, max_size=4), DIALECTS, MODES, st.data())
def test_aligned_spans_read_back_from_conll(
    lines: list[str], dialect: Dialect, mode: Mode, data: st.DataObject
) -> None:
    text = " Talks. " + " ".join(lines)
    tokens = [token for sentence in tokenized_sentences(text) for token in sentence]
    drawn = data.draw(apart(len(tokens)))
    entities = tuple(
        Entity(id=f"T{n}", start=tokens[start].start, end=tokens[end - 1].end, label=label)
        for n, (start, end, label) in enumerate(drawn)
    )
    document = Document.new(id="d", text=text, schema="s/1", entities=entities)
    written, notes = conll.dumps(document, dialect=dialect)
    assert notes == ()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "d.conll")
        path.write_bytes(written.encode())
        found = conll.read(path, schema="s/1", dialect=dialect, mode=mode)
    assert found.notes == ()
    again = found.documents[0]
    read = [part for line in (again.text or "").split("\n") for part in line.split(" ")]
    assert read == [token.text for token in tokens]
    edges = [0]
    for part in read:
        edges.append(edges[-1] + len(part) + 1)
    assert [(edges.index(e.start), edges.index(e.end + 1), e.label) for e in again.entities] == drawn


@given(TEXTS, LABELS, st.data())
def test_widened_spans_cover_what_they_touch(text: str, label: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    entity = Entity(id="T1", start=start, end=end, label=label)
    document = Document.new(id="d", text=text, schema="s/1", entities=(entity,))
    written, notes = conll.dumps(document, dialect="IOB2")
    tokens = [token for sentence in tokenized_sentences(text) for token in sentence]
    place = align(tokens, start, end)
    expected = ["skipped"] if place is None else [] if place.exact else ["unaligned"]
    assert [note.kind for note in notes] == expected
    assert written.count(f"-{label}\n") == (0 if place is None else place.last - place.first)


@given(documents())
def test_brat_loses_no_annotation(document: Document) -> None:
    with tempfile.TemporaryDirectory() as folder:
        brat.write(Path(folder), document)
        found = brat.read(Path(folder), schema=document.schema)
    assert found.notes == ()
    again, expected = found.documents[0].renumbered(), document.renumbered()
    assert (again.id, again.text) == (expected.id, expected.text)
    assert again.entities == expected.entities
    assert again.relations == expected.relations
    assert again.clusters == expected.clusters


@given(sendable())
def test_what_label_studio_can_hold_comes_back_as_it_was(document: Document) -> None:
    assert list(tasks.refused(document, SCHEMA)) == []
    task = tasks.to_task(document, SCHEMA, form="annotations")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "export.json")
        path.write_text(json.dumps([task | {"id": 1}]), "utf-8")
        read = labelstudio.read(path, schema="other/1")
    (again,) = read.documents
    assert read.notes == ()
    assert native.dumps(again) == native.dumps(with_layers(document))


@given(documents(scored=False))
def test_what_would_not_come_back_is_refused(document: Document) -> None:
    reasons = list(tasks.refused(document, SCHEMA))
    if reasons:
        with pytest.raises(ValueError, match=re.escape(reasons[0])):
            tasks.to_task(document, SCHEMA)


def with_layers(document: Document) -> Document:
    """What was annotated by somebody is annotated: a layer that has something is listed."""
    if not document.layers:
        return msgspec.structs.replace(document, layers=LAYERS)
    valued = any(item.value for item in (*document.entities, *document.clusters))
    filled = dict(
        zip(LAYERS, (document.entities, document.relations, document.clusters, valued), strict=True)
    )
    layers = tuple(name for name in LAYERS if name in document.layers or filled[name])
    return msgspec.structs.replace(document, layers=layers)


@settings(deadline=None)  # spaCy is imported in the first one
@given(st.lists(documents(fragments=False), max_size=3, unique_by=lambda document: document.id))
def test_docbin_loses_no_entity(written: list[Document]) -> None:
    pytest.importorskip("spacy", reason="spaCy (extra spacy) is not installed")
    content, notes = docbin.dumps(written)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.spacy")
        path.write_bytes(content)
        read = docbin.read(path, schema="diplomacy/1")
    assert len(read.documents) == len(written)
    for before, after in zip(written, read.documents, strict=True):
        assert (after.id, after.text, after.date) == (before.id, before.text, before.date)
        assert {(e.start, e.end, e.label) for e in after.entities} == {
            (e.start, e.end, e.label) for e in before.entities
        }
        annotated = bool(before.entities or "entities" in before.layers)
        assert after.layers == (("entities",) if annotated else ())
    told = sum(note.kind == "duplicate" for note in notes)
    assert told == sum(repeats(document) for document in written)
    beside = [item for d in written for item in (*d.relations, *d.clusters)]
    beside += [x for d in written for e in d.entities for x in (e.value, e.score) if x is not None]
    assert len(notes) - told == len(beside)


def repeats(document: Document) -> int:
    counted = Counter((entity.start, entity.end, entity.label) for entity in document.entities)
    return sum(times > 1 for times in counted.values())


PIECES = [
    *(
        "T1",
        "T2",
        "R1",
        "*",
        "#1",
        "E1",
        "\t",
        " ",
        "\n",
        "\r",
        ";",
        "0",
        "3",
        "99",
        "A",
        "Arg1:T1",
        "Arg2:T2",
    ),
    *("AnnotatorNotes T1\tdragoman ", '{"value": "x"}', '{"cluster": "x"}', "🙂", "T1\tA 0 1\t"),
]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_annotations_end_in_documents_or_one_error(parts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.ann")
        path.write_bytes("".join(parts).encode())
        path.with_suffix(".txt").write_text("abcd")
        try:
            read = brat.read(path, schema="s/1").documents
        except FormatError as error:
            place, read = error.place, ()
        else:
            place = f"{path}:"
    assert place.startswith(f"{path}:")
    for entity in read[0].entities if read else ():
        assert entity.surface == entity.cut("abcd") != ""


ODD = (
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.floats(0, 3)
    | st.sampled_from(["", "a", "b", "X", "left"])
)
ODD = ODD | st.lists(ODD, max_size=2) | st.dictionaries(st.sampled_from(["start", "end", "text"]), ODD)
NAMES = st.sampled_from(["a", "b", "a.2"]) | ODD
LABELS_OF = st.lists(st.sampled_from(["X", "Y", "same_as"]), max_size=2) | ODD
RESULTS = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("labels"),
            "id": NAMES,
            "value": st.fixed_dictionaries(
                {"start": st.integers(-1, 6) | ODD, "end": st.integers(-1, 6) | ODD, "labels": LABELS_OF}
            )
            | ODD,
        },
        optional={"text": ODD},
    ),
    st.fixed_dictionaries(
        {"type": st.just("relation"), "from_id": NAMES, "to_id": NAMES, "labels": LABELS_OF},
        optional={"direction": st.sampled_from(["right", "left", "bi"]) | ODD},
    ),
    st.fixed_dictionaries(
        {"type": st.just("textarea"), "id": NAMES, "from_name": st.just("value"), "value": ODD}
    ),
    ODD,
)


@given(st.lists(RESULTS, max_size=6), st.booleans())
def test_any_results_of_label_studio_make_a_sound_document(results: list[object], utf16: bool) -> None:
    task = {"id": 1, "data": {"text": "🙂 a b"}, "annotations": [{"id": 1, "result": results}]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "export.json")
        path.write_text(json.dumps([task]), "utf-8")
        (document,) = labelstudio.read(path, schema="s/1", utf16=utf16).documents
    known = document.by_id()
    assert len(known) == len(document.entities)
    for entity in document.entities:
        assert entity.surface == entity.cut(document.text or "").strip() != ""
    assert all({relation.source, relation.target} <= known.keys() for relation in document.relations)
    members = [member for cluster in document.clusters for member in cluster.members]
    assert len(set(members)) == len(members)
    assert set(members) <= known.keys()


@given(
    st.lists(
        st.sampled_from(["Ana", "\t", " ", "\n", "\r", "O", "B-X", "I-X", "-DOCSTART-", "B-", "é", "\x85"]),
        max_size=20,
    ),
    DIALECTS,
    MODES,
    st.booleans(),
)
def test_any_lines_end_in_documents_or_one_error(
    parts: list[str], dialect: Dialect, mode: Mode, per_sentence: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.conll")
        path.write_bytes("".join(parts).encode())
        try:
            read = conll.read(
                path, schema="s/1", dialect=dialect, mode=mode, per_sentence=per_sentence
            ).documents
        except FormatError as error:
            place, read = error.place, ()
        else:
            place = str(path)
    assert place.startswith(str(path))
    for document in read:
        assert document.text
        assert all(entity.surface == entity.cut(document.text) != "" for entity in document.entities)
