"""Scores of parts of the data: by what a span, a relation or a document is like.

A slice sorts gold and predicted annotations by one attribute. Recall is over the gold
annotations that have the value, precision over the predicted ones; the alignment is that of
the whole, so the parts add up to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import numpy as np

from dragoman.errors import ScoreError
from dragoman.score import averages, tally
from dragoman.score.alignment import SCHEMES
from dragoman.score.averages import Row
from dragoman.text import sentences
from dragoman.types import Document, Entity, Given, Relation

OfSpan = Callable[[Document, Entity], str]
OfRelation = Callable[[Document, Relation], str]
OfDocument = Callable[[Document], str]


class Slices(msgspec.Struct, frozen=True, kw_only=True):
    """Attributes by name; each gives the value of an annotation or a document as a word.

    spans: of entities. relations: of relations. documents: of both, through their document;
    its value is taken from the gold document.
    """

    spans: Mapping[str, OfSpan] = {}
    relations: Mapping[str, OfRelation] = {}
    documents: Mapping[str, OfDocument] = {}

    def rows(
        self,
        material: tally.Material,
        given: Given,
        metrics: Sequence[str],
        seed: int,
    ) -> list[Row]:
        """Micro rows of every metric of entities and relations, one per slice and value.

        Facts have no place in the text, so they are sliced by document alone.
        """
        found: list[Row] = []
        for name, of_document in self.documents.items():
            values = [of_document(gold) for gold, _ in material.pairs]
            for value in sorted(set(values)):
                kept = [pair for pair, own in zip(material.pairs, values, strict=True) if own == value]
                some = tally.Material(kept, material.schema)
                for metric, counted in tally.count_documents(some, given, metrics):
                    part = averages.rows(metric, counted, seed, part=f"{name}={value}")
                    found += [row for row in part if row.label == "micro"]
        found += self._inside(material, metrics, seed)
        return found

    def _inside(self, material: tally.Material, metrics: Sequence[str], seed: int) -> list[Row]:
        found: list[Row] = []
        if self.spans and any(metric.startswith("entities.") for metric in metrics):
            kept = material.kept("entities")
            sides = material.sides(kept)
            for name, of_span in self.spans.items():
                groups = _sorted([[of_span(d, e) for d in side for e in d.entities] for side in _sides(kept)])
                for scheme in SCHEMES:
                    if f"entities.{scheme}" in metrics:
                        counted = tally.count_spans(sides, scheme, groups)
                        found += _parts(f"entities.{scheme}", name, counted, seed)
        matches = [m.partition(".")[2] for m in metrics if m.startswith("relations.")]
        if self.relations and matches:
            kept = material.kept("relations")
            sides, links = material.sides(kept), material.links(kept)
            for name, of_relation in self.relations.items():
                groups = _sorted(
                    [[of_relation(d, r) for d in side for r in d.relations] for side in _sides(kept)]
                )
                for match in matches:
                    types = match == "strict"
                    counted = tally.count_links(sides, links, groups, material.symmetric, types=types)
                    found += _parts(f"relations.{match}", name, counted, seed)
        return found


def _sides(pairs: Sequence[tuple[Document, Document]]) -> list[list[Document]]:
    return [[pair[side] for pair in pairs] for side in (0, 1)]


def _sorted(values: Sequence[Sequence[str]]) -> tally.Sorted:
    names = sorted({value for side in values for value in side})
    place = {name: index for index, name in enumerate(names)}
    gold, predicted = (np.array([place[value] for value in side], dtype=np.int64) for side in values)
    return tally.Sorted(tuple(names), gold, predicted)


def _parts(metric: str, name: str, counted: tally.Counted, seed: int) -> list[Row]:
    """Each value's row, as the micro row of that slice."""
    return [
        msgspec.structs.replace(row, slice=f"{name}={row.label}", label="micro")
        for row in averages.rows(metric, counted, seed)[: len(counted.groups)]
    ]


def seen(training: Iterable[Document]) -> OfSpan:
    """Whether a mention's surface, in lower case, is marked in the training documents: seen or unseen."""
    known = {_surface(document, entity) for document in training for entity in document.entities}
    return lambda document, entity: "seen" if _surface(document, entity) in known else "unseen"


def frequency(training: Iterable[Document]) -> OfSpan:
    """How often the surface is marked in the training documents: 0, 1, 2-4, 5-19 or 20+."""
    counts = Counter(_surface(document, entity) for document in training for entity in document.entities)

    def bucket(document: Document, entity: Entity) -> str:
        count = counts[_surface(document, entity)]
        return "20+" if count > 19 else "5-19" if count > 4 else "2-4" if count > 1 else str(count)

    return bucket


def length(document: Document, entity: Entity) -> str:
    """How many words a mention has: 1, 2, 3-5 or 6+."""
    words = len(_surface(document, entity).split())
    return "6+" if words > 5 else "3-5" if words > 2 else str(max(1, words))


def sentence() -> OfRelation:
    """Whether the two ends of a relation begin in one sentence: within or across."""
    begins: dict[str, list[int]] = {}

    def place(document: Document, relation: Relation) -> str:
        if document.text is None:
            raise ScoreError(f"{document.id}: without its text nothing is known of its sentences")
        if document.sha256 not in begins:
            begins[document.sha256] = [start for start, _ in sentences(document.text)]
        entities = document.by_id()
        starts = np.array(begins[document.sha256])
        ends = [entities[end].start for end in (relation.source, relation.target)]
        first, second = np.searchsorted(starts, ends, side="right")
        return "within" if first == second else "across"

    return place


def meta(key: str) -> OfDocument:
    """A document's metadata of that key, as a word; ``-`` where it has none."""
    return lambda document: str(document.meta.get(key, "-"))


def _surface(document: Document, entity: Entity) -> str:
    if entity.surface is None and document.text is None:
        raise ScoreError(f"{document.id}: without its text nothing is known of its surfaces")
    return (entity.surface or entity.cut(document.text or "")).lower()


__all__ = ["Slices", "frequency", "length", "meta", "seen", "sentence"]
