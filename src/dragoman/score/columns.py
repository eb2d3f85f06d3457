"""Spans and relations of many documents as columns: what counting works on.

One row per span, in any order; labels and documents are indices. Offsets are half-open, in
code points or in any other unit that both sides share.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragoman.errors import ScoreError
from dragoman.types import Document, Entity

Ints = NDArray[np.int64]
LARGEST = 2**53
Fragments = tuple[tuple[int, int], ...]
BLOCK = 2048


class Spans(msgspec.Struct, frozen=True):
    """Columns of equal length: each row is a span.

    document, label: indices, 0 or more. start, end: half-open offsets. shape: 0 for a span of
    one piece, else a number that spans of the same fragments share; fragments: by that number.
    valued: False if surely none has a normalised value.
    """

    document: Ints
    start: Ints
    end: Ints
    label: Ints
    shape: Ints
    fragments: Mapping[int, Fragments] = {}
    valued: bool = True

    def __len__(self) -> int:
        return len(self.document)

    def slice(self, rows: slice) -> Spans:
        """Neighbouring rows, without a copy."""
        return Spans(
            self.document[rows],
            self.start[rows],
            self.end[rows],
            self.label[rows],
            self.shape[rows],
            self.fragments,
        )

    def pieces(self, row: int) -> Fragments:
        """The stretches that one span covers."""
        shape = int(self.shape[row])
        return self.fragments[shape] if shape else ((int(self.start[row]), int(self.end[row])),)

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[int, int, int, int]]) -> Spans:
        """From (document, start, end, label) rows, in any order; see ``from_arrays``."""
        columns = _table(rows, 4)
        return cls.from_arrays(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])

    @classmethod
    def from_arrays(
        cls, document: ArrayLike, start: ArrayLike, end: ArrayLike, label: ArrayLike, *, side: str = "a"
    ) -> Spans:
        """Columns that a caller has already: integers, one-dimensional, of equal length.

        side: names them in errors. Raises ScoreError for anything else, a negative number, or a
        span that ends before it has begun.
        """
        columns = []
        for name, given in (("document", document), ("start", start), ("end", end), ("label", label)):
            column = np.asarray(given)
            if column.size == 0:
                column = column.astype(np.int64)
            if column.ndim != 1 or not np.issubdtype(column.dtype, np.integer):
                raise ScoreError(
                    f"{side} column {name}: found {column.dtype} of shape {column.shape}, expected whole "
                    "numbers in one dimension"
                )
            if column.size and column.min() < 0:
                row = int(column.argmin())
                raise ScoreError(f"{side} column {name}: row {row} is {column[row]}, expected 0 or more")
            if column.size and column.max() > LARGEST:
                raise ScoreError(f"{side} column {name}: {column.max()} is beyond {LARGEST}")
            columns.append(column.astype(np.int64))
        if len({len(column) for column in columns}) > 1:
            raise ScoreError(f"{side} columns are of the lengths {[len(column) for column in columns]}")
        empty = np.flatnonzero(columns[2] <= columns[1])
        if len(empty):
            row = int(empty[0])
            raise ScoreError(f"{side} row {row}: the end {columns[2][row]} is not above the start")
        rows, starts, ends, labels = columns
        return cls(rows, starts, ends, labels, np.zeros(len(rows), np.int64))


def spans_of(sides: Sequence[Sequence[Document]], labels: Mapping[str, int]) -> list[Spans]:
    """The entities of each side's documents, row by row in their order.

    labels: the index of each label. Raises ScoreError for an unknown one.
    """
    entities = [list(chain.from_iterable([document.entities for document in side])) for side in sides]
    try:
        found = entity_spans(entities, labels)
    except KeyError:
        raise _unknown_label(sides, labels) from None
    return [
        msgspec.structs.replace(spans, document=_owners([len(document.entities) for document in side]))
        for spans, side in zip(found, sides, strict=True)
    ]


def _owners(sizes: Sequence[int]) -> Ints:
    return np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)


def entity_spans(sides: Sequence[Sequence[Entity]], labels: Mapping[str, int]) -> list[Spans]:
    """The entities of one document on each side; KeyError for an unknown label."""
    read = [_read(entities, labels) for entities in sides]
    pieces = sorted({fragments for _, _, split in read for fragments in split.values()})
    shapes = {fragments: number for number, fragments in enumerate(pieces, 1)}  # no input order shows
    by_number = dict(enumerate(pieces, 1))
    found = []
    for (start, end, label), valued, split in read:
        shape = np.zeros(len(start), np.int64)
        shape[list(split)] = [shapes[fragments] for fragments in split.values()]
        owner = np.zeros(len(start), np.int64)
        found.append(Spans(owner, start, end, label, shape, by_number, valued))
    return found


def _read(
    entities: Sequence[Entity], labels: Mapping[str, int]
) -> tuple[list[Ints], bool, dict[int, Fragments]]:
    """Starts, ends and labels; False if surely no entity has a value; the fragments of those with some."""
    columns = array("q"), array("q"), array("q")
    valued = False
    split: dict[int, Fragments] = {}
    for first in range(0, len(entities), BLOCK):  # a block stays in the processor's cache for every pass
        block = entities[first : first + BLOCK]
        columns[0].fromlist([entity.start for entity in block])
        columns[1].fromlist([entity.end for entity in block])
        columns[2].fromlist([labels[entity.label] for entity in block])
        if [entity for entity in block if entity.value is not None or entity.fragments]:
            valued = True
            split |= {row: entity.fragments for row, entity in enumerate(block, first) if entity.fragments}
    return [np.array(column, np.int64) for column in columns], valued, split


class Links(msgspec.Struct, frozen=True):
    """Relations as columns. document, label: indices; source, target: rows of the Spans."""

    document: Ints
    label: Ints
    source: Ints
    target: Ints

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[int, int, int]], spans: Spans) -> Links:
        """From (label, source, target) rows, whose ends are rows of ``spans`` in one document.

        Raises ScoreError for a negative number, an end that is no row, or ends in two documents.
        """
        columns = _table(rows, 3)
        label, source, target = (np.ascontiguousarray(columns[:, number]) for number in range(3))
        wrong = (columns < 0).any(axis=1) | (columns[:, 1:] >= len(spans)).any(axis=1)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ScoreError(
                f"relation {row} is {rows[row]}, expected a label and two of the {len(spans)} spans"
            )
        apart = np.flatnonzero(spans.document[source] != spans.document[target])
        if len(apart):
            raise ScoreError(f"relation {int(apart[0])} links spans of two documents")
        return cls(spans.document[source], label, source, target)

    @classmethod
    def of(cls, documents: Sequence[Document], labels: Mapping[str, int]) -> Links:
        """The relations of documents; their ends are rows of ``Spans.of`` the same documents.

        Raises ScoreError for an unknown label or an end that does not exist.
        """
        rows: list[tuple[int, int, int, int]] = []
        first = 0
        for index, document in enumerate(documents):
            if document.relations:
                place = {entity.id: first + row for row, entity in enumerate(document.entities)}
                try:
                    rows += [
                        (index, labels[r.label], place[r.source], place[r.target]) for r in document.relations
                    ]
                except KeyError:
                    raise _broken_relation(document, labels) from None
            first += len(document.entities)
        columns = np.array(rows, dtype=np.int64).reshape(-1, 4)
        return cls(*(np.ascontiguousarray(columns[:, number]) for number in range(4)))


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    """Rows of whole numbers as a table; ScoreError for anything else."""
    try:
        table = np.array(rows) if len(rows) else np.zeros((0, width), np.int64)
    except (ValueError, TypeError, OverflowError) as error:
        raise ScoreError(f"rows: {error}; expected {width} whole numbers in each") from error
    if table.ndim != 2 or table.shape[1] != width or not np.issubdtype(table.dtype, np.integer):
        raise ScoreError(
            f"rows: found {table.dtype} of shape {table.shape}, expected {width} whole numbers in each"
        )
    return table.astype(np.int64) if table.dtype != np.uint64 else table


def digest(
    documents: Sequence[Document], spans: Spans, labels: Sequence[str], named: bytes | None = None
) -> str:
    """SHA-256 over documents of annotations: ids, texts, spans, values, relations and clusters.

    documents: in order of their ids, with their spans and the names of these spans' labels. The
    order of annotations within a document never shows, nor do their ids or unused labels.
    named: what ``heads`` gives for these documents, if it is at hand.
    """
    used = sorted(labels[index] for index in np.flatnonzero(np.bincount(spans.label)))
    rank = np.zeros(len(labels), np.int64)
    rank[[labels.index(name) for name in used]] = np.arange(len(used))
    hashed = hashlib.sha256("\n".join((*used, "")).encode())
    hashed.update(heads(documents) if named is None else named)
    columns = (spans.document, spans.start, spans.end, rank[spans.label])
    ordered = _in_order(columns)
    hashed.update(repr(spans.fragments and sorted(map(spans.pieces, np.flatnonzero(spans.shape)))).encode())
    for column in columns:
        hashed.update(np.ascontiguousarray(column if ordered is None else column[ordered], dtype="<i8").data)
    more = [
        document
        for document in documents
        if document.relations
        or document.clusters
        or (spans.valued and [1 for entity in document.entities if entity.value is not None])
    ]
    for document in more:
        hashed.update(f"{document.id}\0{sorted(_linked(document))}\n".encode())
    return hashed.hexdigest()


def heads(documents: Sequence[Document]) -> bytes:
    """A line for each document, in UTF-8: id, hash of the text, layers."""
    layers = {found: ",".join(sorted(found)) for found in {document.layers for document in documents}}
    if len(layers) == 1:
        end = f"\0{next(iter(layers.values()))}\n"
        return (end.join([f"{document.id}\0{document.sha256}" for document in documents]) + end).encode()
    return "".join(
        [f"{document.id}\0{document.sha256}\0{layers[document.layers]}\n" for document in documents]
    ).encode()


def _in_order(columns: Sequence[Ints]) -> Ints | None:
    """The order of rows by their columns; None if they are in it."""
    later = np.zeros(max(0, len(columns[0]) - 1), bool)
    equal = ~later
    for column in columns:
        step = np.diff(column)
        later |= equal & (step < 0)
        equal &= step == 0
    return np.lexsort(tuple(reversed(columns))) if later.any() else None


def _linked(document: Document) -> Iterable[str]:
    """Values, relations and clusters of a document, by the spans they stand on."""
    key = {entity.id: f"{entity.spans}{entity.label}" for entity in document.entities}
    for entity in document.entities:
        if entity.value is not None:
            yield f"{key[entity.id]}={entity.value}"
    for relation in document.relations:
        yield f"{relation.label} {key[relation.source]} {key[relation.target]}"
    for cluster in document.clusters:
        yield f"{cluster.value} {sorted(key[member] for member in cluster.members)}"


def _unknown_label(sides: Sequence[Sequence[Document]], labels: Mapping[str, int]) -> ScoreError:
    for number, side in enumerate(sides):
        name = ("gold", "predicted")[number] if len(sides) == 2 else f"annotator {number + 1}"
        for document in side:
            for entity in document.entities:
                if entity.label not in labels:
                    return ScoreError(
                        f"{document.id} ({name}): entity {entity.id} has the unknown label "
                        f"{entity.label!r}; the schema has {', '.join(labels)}"
                    )
    raise AssertionError("called without an unknown label")


def _broken_relation(document: Document, labels: Mapping[str, int]) -> ScoreError:
    known = {entity.id for entity in document.entities}
    for relation in document.relations:
        if relation.label not in labels:
            return ScoreError(
                f"{document.id}: relation {relation.id} has the unknown label {relation.label!r}"
            )
        for end in (relation.source, relation.target):
            if end not in known:
                return ScoreError(
                    f"{document.id}: relation {relation.id} points at {end}, which does not exist"
                )
    raise AssertionError("called without a broken relation")
