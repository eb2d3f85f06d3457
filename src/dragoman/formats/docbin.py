"""spaCy's DocBin (``.spacy``): the entities and span groups of its documents.

spaCy is imported when a file is read (extra ``spacy``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dragoman.errors import DragomanError, FormatError
from dragoman.formats import files
from dragoman.formats.conversion import Conversion, Note
from dragoman.types import Document, Entity, first_line

LAYERS = ("entities",)
ENTS = "doc.ents"


def read(
    path: Path,
    *,
    schema: str,
    language: str = "en",
    spans_key: str | None = None,
    name: str | None = None,
) -> Conversion:
    """Read a DocBin file: ``doc.ents`` and every group of ``doc.spans``.

    schema: the schema reference that the documents get.
    language: whose blank pipeline gives the vocabulary, as spaCy abbreviates it.
    spans_key: read this group of ``doc.spans`` and nothing else.
    name: what document ids begin with, the file's name without suffix if None; ids are
    ``name-1``, ``name-2``, ... in the order of the file.

    spaCy counts characters as code points. The layer entities is listed where spaCy says that
    entities were annotated, maybe none of them, or where there is a group.

    Notes: ``skipped`` for a span that an earlier group or ``doc.ents`` has too (it is read
    once), for ids of a knowledge base, relations (``doc._.rel``) and documents without any
    annotation of entities; ``malformed`` for spans without tokens or label (left out).

    Raises FormatError [docbin-damaged] for what spaCy can't read, [docbin-key] for a group
    that no document has, and what ``files`` raises; DragomanError if spaCy is missing;
    ValueError for an unknown language.
    """
    documents: list[Document] = []
    notes: list[Note] = []
    keys: set[str] = set()
    docs = _load(path, language)
    for number, doc in enumerate(docs, 1):
        place = f"{path}: document {number}"
        keys.update(doc.spans)
        identifier = f"{path.stem if name is None else name}-{number}"
        try:
            documents.append(_document(doc, identifier, schema, spans_key, place, notes))
        except Exception as error:  # offsets beyond the document end in any error of spaCy's
            raise _damaged(place, error) from error
    if docs and spans_key is not None and spans_key not in keys:
        found = ", ".join(sorted(keys)) or "none"
        message = f"no document has spans under {spans_key!r}; the keys are {found}. Name one of them."
        raise FormatError(str(path), "docbin-key", message)
    return Conversion(tuple(documents), tuple(notes))


def _load(path: Path, language: str) -> list[Any]:
    data = files.read_bytes(path)
    try:
        import spacy
        from spacy.tokens import DocBin
    except ImportError as error:
        raise DragomanError(
            f"{path}: reading it takes spaCy, which is not installed. Run `pip install dragoman[spacy]`."
        ) from error
    try:
        vocabulary = spacy.blank(language).vocab
    except ImportError as error:
        raise ValueError(f"{language!r} is no language that spaCy knows") from error
    try:
        return list(DocBin().from_bytes(data).get_docs(vocabulary))
    except Exception as error:  # a damaged file ends in any error of zlib, msgpack or spaCy
        raise _damaged(str(path), error) from error


def _damaged(place: str, error: Exception) -> FormatError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return FormatError(
        place, "docbin-damaged", f"spaCy can't read it ({reason}). Write it again with DocBin.to_disk."
    )


def _document(
    doc: Any, identifier: str, schema: str, spans_key: str | None, place: str, notes: list[Note]
) -> Document:
    groups: list[tuple[str, Sequence[Any]]] = []
    if spans_key is None and doc.has_annotation("ENT_IOB"):
        groups.append((ENTS, doc.ents))
    groups += [(f"doc.spans[{key!r}]", group) for key, group in doc.spans.items() if spans_key in (None, key)]
    if not groups:
        notes.append(Note(place, "skipped", "nothing says whether it has entities; its layer is not listed."))
    if any(key[1] == "rel" and value for key, value in doc.user_data.items() if isinstance(key, tuple)):
        notes.append(Note(place, "skipped", "its relations (doc._.rel) are not read."))
    text = doc.text
    spans = _spans(groups, place, notes)
    return Document.new(
        id=identifier,
        text=text,
        schema=schema,
        title=first_line(text),
        layers=LAYERS if groups else (),
        entities=tuple(
            Entity(id=f"T{number}", start=start, end=end, label=label, surface=text[start:end])
            for number, (start, end, label) in enumerate(spans, 1)
        ),
    )


def _spans(
    groups: Sequence[tuple[str, Sequence[Any]]], place: str, notes: list[Note]
) -> Iterator[tuple[int, int, str]]:
    owner: dict[tuple[int, int, str], str] = {}
    for group, spans in groups:
        for span in spans:
            found = (span.start_char, span.end_char, span.label_)
            shown = f"{group}: [{found[0]}, {found[1]}) {found[2]}"
            if found[0] >= found[1] or not found[2]:
                message = f"{shown} has no {'label' if found[0] < found[1] else 'token'}; it is left out."
                notes.append(Note(place, "malformed", message))
                continue
            if span.kb_id_:
                notes.append(Note(place, "skipped", f"{shown}: the id {span.kb_id_} is not read."))
            if owner.setdefault(found, group) == group:
                yield found
            else:
                notes.append(Note(place, "skipped", f"{shown} is in {owner[found]} too; it is read once."))
