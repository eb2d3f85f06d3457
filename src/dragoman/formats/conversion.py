"""What a reader of a foreign format hands back: documents, and all that it skipped or changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

import msgspec

from dragoman.types import Document, Entity

Kind = Literal["skipped", "unaligned", "duplicate", "malformed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Note(msgspec.Struct, frozen=True):
    """One thing that a reader or writer skipped or changed.

    place: the file and, where known, the line, task or document.
    kind: ``skipped`` (the other format can't hold it, or it isn't read), ``unaligned`` (a span
    was moved to edges that it did not have), ``duplicate`` (the same annotation stands twice;
    it is kept) or ``malformed`` (it breaks its format's rules; the message says what became of it).
    """

    place: str
    kind: Kind
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}: {self.message}"


class Conversion(msgspec.Struct, frozen=True):
    """Documents read from a foreign format, in the order of the file, with the reader's notes."""

    documents: tuple[Document, ...]
    notes: tuple[Note, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many notes there are of each of the four kinds, zeros included.

        >>> Conversion((), (Note("a.ann:3", "skipped", "an event"),)).counts()
        {'skipped': 1, 'unaligned': 0, 'duplicate': 0, 'malformed': 0}
        """
        found = Counter(note.kind for note in self.notes)
        return {kind: found[kind] for kind in KINDS}


def joined(conversions: Iterable[Conversion]) -> Conversion:
    """All documents and notes of several conversions, in their order."""
    parts = tuple(conversions)
    return Conversion(
        tuple(document for part in parts for document in part.documents),
        tuple(note for part in parts for note in part.notes),
    )


def duplicates(document: Document, place: str) -> Iterator[Note]:
    """A note for every entity and relation of a document that repeats an earlier one.

    Entities are the same if they cover the same code points with the same label, relations
    if they link such entities in the same direction with the same label. Nothing is removed:
    what is made twice is scored twice.
    """
    spans: dict[object, Entity] = {}
    for entity in document.entities:
        key = (entity.spans, entity.label)
        first = spans.setdefault(key, entity)
        if first is not entity:
            yield Note(
                place,
                "duplicate",
                f"entity {entity.id} marks [{entity.start}, {entity.end}) as {entity.label} like "
                f"{first.id}; both are kept.",
            )
    ends: dict[str, object] = {entity.id: (entity.spans, entity.label) for entity in document.entities}
    links: dict[object, str] = {}
    for number, relation in enumerate(document.relations):
        link = (
            relation.label,
            ends.get(relation.source, relation.source),
            ends.get(relation.target, relation.target),
        )
        name = f"{relation.id} (number {number + 1})"
        earlier = links.setdefault(link, name)
        if earlier is not name:
            yield Note(
                place,
                "duplicate",
                f"relation {name} says {relation.label} of the same two spans as {earlier}; both are kept.",
            )


def unwritten(document: Document, form: str) -> Iterator[Note]:
    """A note for every value, score, relation and cluster: ``form`` holds spans and labels alone."""
    for entity in document.entities:
        for key, value in (("value", entity.value), ("score", entity.score)):
            if value is not None:
                yield Note(
                    f"{document.id}: entity {entity.id}", "skipped", f"{form} holds no {key} ({value})."
                )
    for relation in document.relations:
        yield Note(f"{document.id}: relation {relation.id}", "skipped", f"{form} holds no relation.")
    for cluster in document.clusters:
        yield Note(f"{document.id}: cluster {cluster.id}", "skipped", f"{form} holds no cluster.")
