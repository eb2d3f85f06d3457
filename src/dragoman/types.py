"""Documents and their annotations: small, frozen, without I/O.

What an object alone can tell is checked here and raised as ValueError; what needs the
text, the schema or a neighbour is checked in ``validate``.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import Any, Literal, get_args

import msgspec

FORMAT = "dragoman/1"
LAYERS = ("entities", "relations", "clusters", "values")
Given = Literal["nothing", "mentions", "clusters"]
"""What of the gold an extractor is shown: raw text, mentions, or mentions and clusters."""
GIVEN: tuple[Given, ...] = get_args(Given)
LARGEST_OFFSET = 2**53
DIGITS = "0123456789"


class Entity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A labelled stretch of one article's text.

    id: unique within its document; relations and clusters point at it.
    start, end: code points into ``Document.text``, half-open.
    fragments: the parts of a discontinuous span, in order, inside [start, end).
    surface: the text of the span as the file states it; None in stand-off documents.
    value: the normalised value (a date in ISO 8601).
    score: the producer's confidence, 0 to 1; None in gold.
    """

    id: str
    start: int
    end: int
    fragments: tuple[tuple[int, int], ...] = ()
    label: str
    surface: str | None = None
    value: str | None = None
    score: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= LARGEST_OFFSET:
            raise ValueError(
                f"entity {self.id}: start {self.start} must be 0 or more and below end {self.end}, "
                f"and that at most {LARGEST_OFFSET}"
            )
        if self.fragments:
            flat = [offset for fragment in self.fragments for offset in fragment]
            increasing = all(a < b for a, b in pairwise(flat))
            if len(self.fragments) < 2 or not increasing or (flat[0], flat[-1]) != (self.start, self.end):
                raise ValueError(
                    f"entity {self.id}: fragments must be two or more, in order, apart, and "
                    f"reach from start {self.start} to end {self.end}"
                )
        check_score(self.id, self.score)

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The covered stretches: the fragments, or the one span."""
        return self.fragments or ((self.start, self.end),)

    def cut(self, text: str) -> str:
        """The surface as the text has it; fragments are joined by one space."""
        return " ".join(text[start:end] for start, end in self.spans)


class Relation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A labelled, directed link between two entities of one document, named by id."""

    id: str
    label: str
    source: str
    target: str
    score: float | None = None

    def __post_init__(self) -> None:
        check_score(self.id, self.score)


class Cluster(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Mentions of one and the same entity; ``value`` identifies it outside the article."""

    id: str
    members: tuple[str, ...]
    value: str | None = None

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError(f"cluster {self.id}: it has no member")
        if len(self.members) == 1 and self.value is None:
            raise ValueError(
                f"cluster {self.id}: a cluster of one member is written only if it carries a value"
            )


class Producer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What made a predicted document: the model's name and the hash of its folder."""

    model: str
    sha256: str


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the text of a stand-off document comes from (see ``corpus.attach``)."""

    set: str
    path: str
    rule: str


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One article with what was annotated in it.

    date: the article's own date, ISO 8601, against which relative dates are resolved.
    meta: what a corpus is counted by; any JSON values.
    text: the article; None when it may not be redistributed, then ``source`` says where it is.
    layers: which of LAYERS were annotated; the others are never scored.
    """

    format: str
    schema: str
    id: str
    title: str | None = None
    date: str | None = None
    meta: dict[str, Any] = {}
    producer: Producer | None = None
    source: Source | None = None
    text: str | None
    sha256: str
    layers: tuple[str, ...]
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    clusters: tuple[Cluster, ...] = ()

    @classmethod
    def new(cls, *, id: str, text: str, schema: str, **rest: Any) -> Document:
        """A document of this format version, its hash worked out; no layer unless given."""
        rest.setdefault("layers", ())
        return cls(format=FORMAT, schema=schema, id=id, text=text, sha256=text_hash(text), **rest)

    @property
    def predicted(self) -> bool:
        """Whether a producer or a score says that a model made the annotations."""
        scored = any(entity.score is not None for entity in self.entities)
        return self.producer is not None or scored or any(r.score is not None for r in self.relations)

    def by_id(self) -> dict[str, Entity]:
        """Entities by their id."""
        return {entity.id: entity for entity in self.entities}

    def cluster_of(self) -> dict[str, frozenset[str]]:
        """For every entity id the ids of its cluster; a mention without one stands alone."""
        found = {entity.id: frozenset([entity.id]) for entity in self.entities}
        for cluster in self.clusters:
            members = frozenset(cluster.members)
            found.update(dict.fromkeys(cluster.members, members))
        return found

    def ordered(self) -> Document:
        """The same annotations in the canonical order of the document file."""
        entities = tuple(sorted(self.entities, key=lambda e: (e.start, e.end, e.label, natural(e.id))))
        place = {entity.id: number for number, entity in enumerate(entities)}
        last = len(place)

        def where(member: str) -> tuple[int, tuple[tuple[int, int, str, str], ...]]:
            return place.get(member, last), natural(member)

        relations = tuple(
            sorted(
                self.relations,
                key=lambda r: (where(r.source), where(r.target), r.label, natural(r.id)),
            )
        )
        clusters = (
            msgspec.structs.replace(c, members=tuple(sorted(c.members, key=where))) for c in self.clusters
        )
        return msgspec.structs.replace(
            self,
            entities=entities,
            relations=relations,
            clusters=tuple(sorted(clusters, key=lambda c: (where(c.members[0]), natural(c.id)))),
        )

    def renumbered(self) -> Document:
        """The canonical order, with ids T1, T2, ..., R1, ..., C1, ... in that order.

        Raises ValueError if a relation or cluster names an entity that does not exist.
        """
        document = self.ordered()
        new = {entity.id: f"T{n}" for n, entity in enumerate(document.entities, 1)}
        named = [end for relation in self.relations for end in (relation.source, relation.target)]
        for end in (*named, *(member for cluster in self.clusters for member in cluster.members)):
            if end not in new:
                raise ValueError(f"{self.id}: a relation or cluster names {end}, which is no entity")
        replace = msgspec.structs.replace
        return replace(
            document,
            entities=tuple(replace(e, id=new[e.id]) for e in document.entities),
            relations=tuple(
                replace(r, id=f"R{n}", source=new[r.source], target=new[r.target])
                for n, r in enumerate(document.relations, 1)
            ),
            clusters=tuple(
                replace(c, id=f"C{n}", members=tuple(new[m] for m in c.members))
                for n, c in enumerate(document.clusters, 1)
            ),
        )

    def without_text(self) -> Document:
        """The stand-off form: offsets, labels and the hash, no text and no surface."""
        replace = msgspec.structs.replace
        return replace(
            self,
            text=None,
            title=None,
            entities=tuple(replace(e, surface=None) for e in self.entities),
        )

    def bare(self) -> Document:
        """The article without any annotation: what an extractor is shown."""
        return msgspec.structs.replace(self, producer=None, layers=(), entities=(), relations=(), clusters=())


def text_hash(text: str) -> str:
    """SHA-256 of the text as UTF-8, in hexadecimal; a lone surrogate raises ValueError."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def first_line(text: str) -> str | None:
    """The first line that is not empty: the title of an article that has one."""
    return next((line.removesuffix("\r") for line in text.split("\n") if line.strip()), None)


def title_end(text: str) -> int:
    """Where the first line that is not empty ends, in code points.

    >>> title_end("\\nTalks end\\nThey ended.")
    10
    """
    title = first_line(text)
    return 0 if title is None else text.index(title) + len(title)


def natural(identifier: str) -> tuple[tuple[int, int, str, str], ...]:
    """A sort key that puts T2 before T10, and is total for any identifiers.

    >>> sorted(["T10", "T2", "T2a"], key=natural)
    ['T2', 'T2a', 'T10']
    """
    return tuple(
        (0, len(piece.lstrip("0")), piece.lstrip("0"), piece) if piece[0] in DIGITS else (1, 0, piece, "")
        for piece in re.findall(r"[0-9]+|[^0-9]+", identifier)
    )


def check_score(owner: str, score: float | None) -> None:
    """Refuse a confidence outside 0 to 1, NaN included."""
    if score is not None and not 0 <= score <= 1:
        raise ValueError(f"{owner}: score {score} must be from 0 to 1")
