"""spaCy's DocBin (``.spacy``): the entities and span groups of its documents.

spaCy is imported when a file is read or written (extra ``spacy``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from dragoman.errors import DragomanError, FormatError
from dragoman.formats import files
from dragoman.formats.conversion import Conversion, Note, unwritten
from dragoman.text import tokenize
from dragoman.types import Document, Entity, first_line

LAYERS = ("entities",)
ENTS = "doc.ents"
GROUP = "sc"
"""The group of ``doc.spans`` for entities that overlap: spaCy's own default for span categorisers."""
KEPT = ("id", "title", "date")
"""What ``doc.user_data`` keeps of a document."""


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
    ``name-1``, ``name-2``, ... in the order of the file. A document with a text under "id" in
    ``doc.user_data`` has that id, unless a name is given; likewise "title" and "date".

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
        kept = _kept(doc.user_data)
        identifier = f"{files.stem(path) if name is None else name}-{number}"
        if name is None:
            identifier = kept.get("id", identifier)
        try:
            documents.append(_document(doc, identifier, kept, schema, spans_key, place, notes))
        except Exception as error:  # offsets beyond the document end in any error of spaCy's
            raise _damaged(place, error) from error
    if docs and spans_key is not None and spans_key not in keys:
        found = ", ".join(sorted(keys)) or "none"
        message = f"no document has spans under {spans_key!r}; the keys are {found}. Name one of them."
        raise FormatError(str(path), "docbin-key", message)
    return Conversion(tuple(documents), tuple(notes))


def dumps(documents: Sequence[Document], *, language: str = "en") -> tuple[bytes, tuple[Note, ...]]:
    """Documents as one DocBin file, and notes on what that can't hold.

    Texts read back as they are: tokens are those of ``text``, cut at the edges of entities, and white
    space of more than one blank is a token of its own. Entities that don't overlap are ``doc.ents``; if
    any two of a document do, all of them are the group "sc" of ``doc.spans``. Id, title and date are in
    ``doc.user_data``. A document whose layers don't list entities has no annotation of them.

    language: whose blank pipeline gives the vocabulary, as spaCy abbreviates it.

    Notes: ``skipped`` for values, scores, relations and clusters; ``duplicate`` for an entity that
    repeats another (written once).

    Raises ValueError for a document without text, an entity outside the text, a discontinuous one and
    an unknown language; DragomanError if spaCy is missing.
    """
    _, tokens = _spacy("writing DocBin")
    vocabulary = _vocabulary(language)
    written = tokens.DocBin(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True)
    notes: list[Note] = []
    for document in documents:
        written.add(_doc(tokens, vocabulary, document, notes))
        notes += unwritten(document, "DocBin")
    return written.to_bytes(), tuple(notes)


def _doc(tokens: Any, vocabulary: Any, document: Document, notes: list[Note]) -> Any:
    text = document.text
    if text is None:
        raise ValueError(f"{document.id}: a stand-off document without its text has no DocBin form")
    for entity in document.entities:
        if entity.fragments:
            raise ValueError(f"{document.id}: entity {entity.id} is discontinuous, which DocBin can't hold")
        if entity.end > len(text):
            raise ValueError(
                f"{document.id}: entity {entity.id} ends at {entity.end}, "
                f"but the text has {len(text)} code points"
            )
    counted = Counter((entity.start, entity.end, entity.label) for entity in document.entities)
    for (start, end, label), times in counted.items():
        if times > 1:
            message = f"[{start}, {end}) {label} stands {times} times; it is written once."
            notes.append(Note(document.id, "duplicate", message))
    spans = sorted(counted)
    edges, blank_after = _tokens(text, spans)
    starts = {start: number for number, (start, _) in enumerate(edges)}
    ends = {end: number for number, (_, end) in enumerate(edges, 1)}
    doc = tokens.Doc(
        vocabulary,
        words=[text[start:end] for start, end in edges],
        spaces=[end in blank_after for _, end in edges],
    )
    found = [tokens.Span(doc, starts[start], ends[end], label=label) for start, end, label in spans]
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        doc.spans[GROUP] = found
    elif found or "entities" in document.layers:
        doc.set_ents(found)
    doc.user_data.update({key: value for key in KEPT if (value := getattr(document, key))})
    return doc


def _tokens(text: str, spans: Sequence[tuple[int, int, str]]) -> tuple[list[tuple[int, int]], frozenset[int]]:
    """The edges of the tokens, and the ends of those that a blank follows which is no token itself."""
    cuts = {0, len(text)}
    cuts.update(offset for start, end, _ in spans for offset in (start, end))
    cuts.update(offset for token in tokenize(text) for offset in (token.start, token.end))
    begun, ended = {start for start, _, _ in spans}, {end for _, end, _ in spans}
    blank_after = {
        cut
        for cut in cuts
        if 0 < cut < len(text) and text[cut] == " " and cut not in begun and cut + 1 not in ended
    }
    cuts.update(cut + 1 for cut in blank_after)
    edges = [(start, end) for start, end in pairwise(sorted(cuts)) if start not in blank_after]
    return edges, frozenset(blank_after)


def _spacy(work: str) -> tuple[Any, Any]:
    try:
        import spacy
        from spacy import tokens
    except ImportError as error:
        raise DragomanError(
            f"{work} takes spaCy, which is not installed. Run `pip install dragoman[spacy]`."
        ) from error
    return spacy, tokens


def _vocabulary(language: str) -> Any:
    spacy, _ = _spacy("a vocabulary")
    try:
        return spacy.blank(language).vocab
    except ImportError as error:
        raise ValueError(f"{language!r} is no language that spaCy knows") from error


def _load(path: Path, language: str) -> list[Any]:
    data = files.read_bytes(path)
    _, tokens = _spacy(f"{path}: reading it")
    vocabulary = _vocabulary(language)
    try:
        return list(tokens.DocBin().from_bytes(data).get_docs(vocabulary))
    except Exception as error:  # a damaged file ends in any error of zlib, msgpack or spaCy
        raise _damaged(str(path), error) from error


def _damaged(place: str, error: Exception) -> FormatError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return FormatError(
        place, "docbin-damaged", f"spaCy can't read it ({reason}). Write it again with DocBin.to_disk."
    )


def _kept(user_data: Mapping[Any, Any]) -> dict[str, str]:
    return {key: found for key in KEPT if isinstance(found := user_data.get(key), str) and found}


def _document(
    doc: Any,
    identifier: str,
    kept: Mapping[str, str],
    schema: str,
    spans_key: str | None,
    place: str,
    notes: list[Note],
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
        title=kept.get("title", first_line(text)),
        date=kept.get("date"),
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
