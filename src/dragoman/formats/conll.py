"""CoNLL: one token and its tag per line, an empty line after each sentence.

    Freedonia	B-GPE
    signed	O

The file says neither its dialect of tags nor the spaces of the text: the dialect is given by
the caller, and the text is rebuilt with one space between tokens and a line break between
sentences. So two files give the same offsets if, and only if, they hold the same tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import msgspec

from dragoman.errors import FormatError
from dragoman.formats import files, tags
from dragoman.formats.conversion import Conversion, Note, unwritten
from dragoman.formats.tags import Dialect, Mode
from dragoman.text import Token, align, tokenized_sentences
from dragoman.types import Document, Entity, first_line

DOCSTART = "-DOCSTART-"
LAYERS = ("entities",)


class Row(msgspec.Struct, frozen=True):
    """One line of a file: its number from 1, its token (maybe empty) and its tag."""

    line: int
    token: str
    tag: str


Sentence = tuple[Row, ...]


def read(
    path: Path,
    *,
    schema: str,
    dialect: Dialect,
    mode: Mode,
    column: int = -1,
    separator: str | None = None,
    per_sentence: bool = False,
    name: str | None = None,
) -> Conversion:
    """Read a file of tokens and tags.

    dialect, mode: see ``tags.decode``.
    column: where the tag stands in a line, from 0, or from -1 at the end; the token stands first.
    separator: what parts the columns; None for a tab in lines that have one, else runs of spaces.
    per_sentence: make every sentence a document of its own.
    name: what document ids begin with, the file's name without suffix if None. A file is one
    document ``name``; lines of ``-DOCSTART-``, or ``per_sentence``, make it ``name-1``, ``name-2``...

    Notes: every malformed tag and what became of it, tokens of nothing, documents without a
    token. Raises FormatError [conll-column], [conll-tag], [conll-empty] with file and line, and
    what ``files`` raises; ValueError for an unknown dialect or mode.
    """
    dialect, mode = tags.named(dialect), tags.moded(mode)
    notes: list[Note] = []
    documents: list[Document] = []
    stem = files.stem(path) if name is None else name
    sections, numbered = _sections(path, column, separator)
    if per_sentence:
        sections = [[sentence] for section in sections for sentence in section]
    for number, section in enumerate(sections, 1):
        identifier = f"{stem}-{number}" if numbered or per_sentence else stem
        if not any(row.token for sentence in section for row in sentence):
            notes.append(Note(f"{path}", "skipped", f"document {identifier} has no token; it is left out."))
            continue
        documents.append(_document(path, identifier, section, schema, dialect, mode, notes))
    if not documents:
        raise FormatError(
            str(path), "conll-empty", "the file holds no line with a token and a tag. Check its name."
        )
    return Conversion(tuple(documents), tuple(notes))


def guess(path: Path, *, column: int = -1, separator: str | None = None) -> tuple[Dialect, ...]:
    """The dialects in which every tag of a file is well formed, for an error message; maybe none."""
    found = tuple(tags.PREFIXES)
    for section in _sections(path, column, separator)[0]:
        for sentence in section:
            fitting = tags.guess([row.tag for row in sentence])
            found = tuple(dialect for dialect in found if dialect in fitting)
    return found


def dumps(document: Document, *, dialect: Dialect) -> tuple[str, tuple[Note, ...]]:
    """The document's tokens and entities as CoNLL, and notes on what that can't hold.

    Tokens and sentences are those of ``text``; no sentence ends inside an entity. An entity
    whose edges are no token edges is widened to the tokens that it touches (note
    ``unaligned``); it is left out where that is none, or where another entity has them
    (``skipped``), as are relations, clusters, values and scores (``skipped``). Read back, the
    other entities cover the same tokens with the same labels.

    Raises ValueError for a document without text, an entity outside the text, overlapping or
    discontinuous entities, a label with white space, and an unknown dialect.
    """
    text = _writable(document)
    sentences = tokenized_sentences(text)
    tokens = [token for sentence in sentences for token in sentence]
    notes: list[Note] = []
    spans = _token_spans(document, tokens, notes)
    breaks = set(accumulate(len(sentence) for sentence in sentences))
    breaks -= {index for start, end, _ in spans for index in range(start + 1, end)}
    lines = []
    first, left = 0, sorted(spans, reverse=True)
    for last in sorted(breaks | {len(tokens)}):  # a chunk never touches one of the sentence before
        own = []
        while left and left[-1][0] < last:
            start, end, label = left.pop()
            own.append((start - first, end - first, label))
        written = tags.encode(own, last - first, dialect=dialect)
        lines += [f"{token.text}\t{tag}\n" for token, tag in zip(tokens[first:last], written, strict=True)]
        if last in breaks:
            lines.append("\n")
        first = last
    return "".join(lines), (*notes, *unwritten(document, "CoNLL"))


def _sections(path: Path, column: int, separator: str | None) -> tuple[list[list[Sentence]], bool]:
    """The sentences of each document, and whether lines of -DOCSTART- part documents."""
    content = files.decode(files.read_bytes(path), str(path)).removeprefix("\ufeff")
    files.refuse_bare_returns(content, path)
    sections: list[list[Sentence]] = [[]]
    numbered = False
    rows: list[Row] = []

    def close() -> None:
        if rows:
            sections[-1].append(tuple(rows))
            rows.clear()

    for number, line in enumerate(content.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            close()
        elif line.split(maxsplit=1)[0] == DOCSTART:
            close()
            if numbered or sections[-1]:
                sections.append([])
            numbered = True
        else:
            rows.append(_row(line, number, path, column, separator))
    close()
    return sections, numbered


def _row(line: str, number: int, path: Path, column: int, separator: str | None) -> Row:
    mark = separator
    if mark is None:
        mark = "\t" if "\t" in line else " "
    fields = [field.strip(" ") for field in line.split(mark)]
    if mark == " ":
        fields = [field for field in fields if field]
    place = column if column >= 0 else len(fields) + column
    if not 0 < place < len(fields):
        raise FormatError(
            f"{path}:{number}",
            "conll-column",
            f"found {line[:60]!r} with {len(fields)} column{'s' * (len(fields) != 1)}, expected a token "
            f"first and its tag in column {column}. Name the tag's column and separator, or mend the line.",
        )
    return Row(number, fields[0], fields[place])


def _document(
    path: Path,
    identifier: str,
    section: Sequence[Sentence],
    schema: str,
    dialect: Dialect,
    mode: Mode,
    notes: list[Note],
) -> Document:
    parts: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = 0
    for sentence in section:
        edges: list[tuple[int, int]] = []
        for row in sentence:
            if row.token:
                if parts:
                    parts.append(" " if any(start < end for start, end in edges) else "\n")
                    length += 1
                parts.append(row.token)
            else:
                message = f"an empty token with the tag {row.tag}; the text has nothing for it."
                notes.append(Note(f"{path}:{row.line}", "malformed", message))
            edges.append((length, length + len(row.token)))
            length += len(row.token)
        for start, end, label in _decode(path, sentence, dialect, mode, notes):
            covered = [edge for edge in edges[start:end] if edge[0] < edge[1]]
            if covered:
                spans.append((covered[0][0], covered[-1][1], label))
            else:
                message = f"a {label} of no token but empty ones; it is left out."
                notes.append(Note(f"{path}:{sentence[start].line}", "skipped", message))
    text = "".join(parts)
    entities = tuple(
        Entity(id=f"T{number}", start=start, end=end, label=label, surface=text[start:end])
        for number, (start, end, label) in enumerate(spans, 1)
    )
    return Document.new(
        id=identifier, text=text, schema=schema, title=first_line(text), layers=LAYERS, entities=entities
    )


def _decode(
    path: Path, sentence: Sentence, dialect: Dialect, mode: Mode, notes: list[Note]
) -> tuple[tags.Span, ...]:
    written = [row.tag for row in sentence]
    try:
        decoded = tags.decode(written, dialect=dialect, mode=mode)
    except ValueError as error:
        for row in sentence:
            try:
                tags.decode([row.tag], dialect=dialect, mode=mode)
            except ValueError as first:
                raise FormatError(
                    f"{path}:{row.line}",
                    "conll-tag",
                    f"{first}. Correct the tag, or name its column and its dialect.",
                ) from error
        raise
    outcome = "its chunk is left out" if mode == "strict" else "read as conlleval does"
    for index in decoded.wrong:
        message = (
            f"the tag {written[index]} of {sentence[index].token!r} is out of place in {dialect}; {outcome}."
        )
        notes.append(Note(f"{path}:{sentence[index].line}", "malformed", message))
    return decoded.spans


def _writable(document: Document) -> str:
    """The text of a document that CoNLL can hold; ValueError for any other."""
    text = document.text
    if text is None:
        raise ValueError(f"{document.id}: a stand-off document without its text has no CoNLL form")
    reached, last = 0, ""
    for entity in sorted(document.entities, key=lambda entity: (entity.start, entity.end)):
        if entity.end > len(text):
            raise ValueError(
                f"{document.id}: entity {entity.id} ends at {entity.end}, "
                f"but the text has {len(text)} code points"
            )
        if entity.fragments:
            raise ValueError(f"{document.id}: entity {entity.id} is discontinuous, which CoNLL can't hold")
        if entity.start < reached:
            raise ValueError(
                f"{document.id}: entities {last} and {entity.id} overlap, which CoNLL can't hold"
            )
        if not entity.label or any(character.isspace() for character in entity.label):
            raise ValueError(f"{document.id}: the label {entity.label!r} can't stand in a CoNLL line")
        reached, last = entity.end, entity.id
    return text


def _token_spans(
    document: Document, tokens: Sequence[Token], notes: list[Note]
) -> list[tuple[int, int, str]]:
    """Token spans of the entities: the aligned ones first, then the widened ones where there is room."""
    spans: list[tuple[int, int, str]] = []
    taken: set[int] = set()
    found = [(entity, align(tokens, entity.start, entity.end)) for entity in document.entities]
    for entity, place in sorted(found, key=lambda pair: pair[1] is None or not pair[1].exact):
        where = f"{document.id}: entity {entity.id}"
        if place is None:
            notes.append(Note(where, "skipped", f"{entity.surface!r} holds no token; it is left out."))
            continue
        covered = range(place.first, place.last)
        if not taken.isdisjoint(covered):
            message = f"{entity.surface!r} is part of tokens that another entity has; it is left out."
            notes.append(Note(where, "skipped", message))
            continue
        if not place.exact:
            words = " ".join(token.text for token in tokens[place.first : place.last])
            message = f"{entity.surface!r} is widened to the tokens {words!r}."
            notes.append(Note(where, "unaligned", message))
        taken.update(covered)
        spans.append((place.first, place.last, entity.label))
    return spans
