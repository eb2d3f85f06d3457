"""Annotations made wrong on purpose, to measure how many errors those who judge a sample find.

A judge who calls everything right finds no error; the share of decoys that were found says what a low
rate of errors is worth.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from dragoman import audit
from dragoman.audit import Item
from dragoman.schema import Schema
from dragoman.text import tokenize
from dragoman.types import Document, Entity, Relation

NEAREST = 3
"""Among how many mentions of the same label, the nearest ones, another end of a relation is chosen."""

KINDS: Mapping[str, str] = {
    "entity-label": "the mention has another label, with which its relations are still allowed",
    "entity-edge": "the mention is one word longer or shorter",
    "relation-label": "the relation has another label that its ends allow",
    "relation-end": "one end is another mention of the same label, of another cluster",
    "relation-direction": "the relation is turned round, where the ends allow it",
}
Place = tuple[str, str, str]
Changed = tuple[Document, Item]


def plant(
    documents: Sequence[Document],
    schema: Schema,
    task: audit.Task,
    size: int,
    *,
    seed: int,
    kept: Sequence[Item] = (),
) -> tuple[list[Document], list[Item]]:
    """Make annotations of a task wrong, kind after kind of KINDS, article after article.

    size: how many; fewer if the documents have no place for more. kept: annotations that stay as they
    are, such as the sample that the decoys are mixed into.
    Returns the documents with their decoys and, for each, an item: ``kind`` is that of the decoy, ``where``
    and ``gold`` are what the article says now, ``other`` is the label before.
    """
    rng = random.Random(seed)  # noqa: S311
    current = {document.id: document for document in sorted(documents, key=lambda document: document.id)}
    fixed: set[Place] = {(item.document, item.where, item.gold) for item in kept}
    found: list[Item] = []
    queue = list(current)
    rng.shuffle(queue)
    failed = 0
    kinds = [kind for kind in KINDS if kind.startswith("entity" if task == "entities" else "relation")]
    for kind in itertools.cycle(kinds):
        if len(found) == size or failed == len(kinds):
            break
        failed += 1
        for name in queue:
            changed = next(_ways(current[name], kind, schema, fixed, rng), None)
            if changed is not None:
                current[name], item = changed
                fixed.add((name, item.where, item.gold))
                found.append(item)
                queue.remove(name)
                queue.append(name)
                failed = 0
                break
    return list(current.values()), sorted(found, key=audit.place)


def _holds(document: Document, fixed: set[Place]) -> bool:
    """Whether a document still has all that must stay."""
    here = {
        (document.id, item.where, item.gold) for task in audit.TASKS for item in audit.marked(document, task)
    }
    return {place for place in fixed if place[0] == document.id} <= here


def _ways(
    document: Document, kind: str, schema: Schema, fixed: set[Place], rng: random.Random
) -> Iterator[Changed]:
    task: audit.Task = "entities" if kind.startswith("entity") else "relations"
    items = list(audit.marked(document, task))
    order = list(range(len(items)))
    rng.shuffle(order)
    makers: Mapping[str, Callable[[Document, int, Schema, random.Random], Iterator[Changed]]] = {
        "entity-label": _other_label,
        "entity-edge": _other_edge,
        "relation-label": _other_relation,
        "relation-end": _other_end,
        "relation-direction": _turned,
    }
    for index in order:
        if (document.id, items[index].where, items[index].gold) in fixed:
            continue
        for changed, item in makers[kind](document, index, schema, rng):
            if _holds(changed, fixed):
                yield changed, msgspec.structs.replace(item, kind=kind, other=items[index].gold)


def _other_label(document: Document, index: int, schema: Schema, rng: random.Random) -> Iterator[Changed]:
    entity = document.entities[index]
    labels = [label for label in schema.entities if label != entity.label]
    rng.shuffle(labels)
    for label in labels:
        changed = _with_entity(document, index, msgspec.structs.replace(entity, label=label, value=None))
        ends = changed[0].by_id()
        if all(
            schema.allows(r.label, ends[r.source].label, ends[r.target].label) for r in document.relations
        ):
            yield changed


def _other_edge(document: Document, index: int, schema: Schema, rng: random.Random) -> Iterator[Changed]:
    entity = document.entities[index]
    text = document.text
    if text is None or entity.fragments:
        return
    words = [(token.start, token.end) for token in tokenize(text) if token.text[0].isalnum()]
    inside = [word for word in words if entity.start <= word[0] and word[1] <= entity.end]
    before = [word for word in words if word[1] < entity.start][-1:]
    behind = [word for word in words if word[0] > entity.end][:1]
    edges = []
    if len(inside) > 1:
        edges += [(inside[1][0], entity.end), (entity.start, inside[-2][1])]
    edges += [(word[0], entity.end) for word in before if text[word[1] : entity.start] == " "]
    edges += [(entity.start, word[1]) for word in behind if text[entity.end : word[0]] == " "]
    rng.shuffle(edges)
    others = [other for other in document.entities if other is not entity]
    for start, end in edges:
        if all(other.end <= start or other.start >= end for other in others):
            moved = msgspec.structs.replace(entity, start=start, end=end, surface=text[start:end])
            yield _with_entity(document, index, moved)


def _with_entity(document: Document, index: int, entity: Entity) -> Changed:
    entities = (*document.entities[:index], entity, *document.entities[index + 1 :])
    changed = msgspec.structs.replace(document, entities=entities)
    return changed, audit.about(changed, "entity", (entity,), entity.label)


def _other_relation(document: Document, index: int, schema: Schema, rng: random.Random) -> Iterator[Changed]:
    relation, ends = document.relations[index], document.by_id()
    labels = [
        label
        for label in schema.relations
        if label != relation.label
        and schema.allows(label, ends[relation.source].label, ends[relation.target].label)
    ]
    rng.shuffle(labels)
    for label in labels:
        yield from _with_relation(document, index, msgspec.structs.replace(relation, label=label))


def _other_end(document: Document, index: int, schema: Schema, rng: random.Random) -> Iterator[Changed]:
    relation, ends, clusters = document.relations[index], document.by_id(), document.cluster_of()
    sides = ["source", "target"]
    rng.shuffle(sides)
    for side in sides:
        old = ends[getattr(relation, side)]
        taken = {
            member
            for end in (relation.source, relation.target)
            for member in clusters.get(end, frozenset({end}))
        }
        near = sorted(
            (entity for entity in document.entities if entity.label == old.label and entity.id not in taken),
            key=lambda entity: abs(entity.start - old.start),
        )[:NEAREST]
        rng.shuffle(near)
        for entity in near:
            yield from _with_relation(document, index, msgspec.structs.replace(relation, **{side: entity.id}))


def _turned(document: Document, index: int, schema: Schema, rng: random.Random) -> Iterator[Changed]:
    relation, ends = document.relations[index], document.by_id()
    turned = msgspec.structs.replace(relation, source=relation.target, target=relation.source)
    allowed = schema.allows(turned.label, ends[turned.source].label, ends[turned.target].label)
    if allowed and relation.label not in schema.symmetric:
        yield from _with_relation(document, index, turned)


def _with_relation(document: Document, index: int, relation: Relation) -> Iterator[Changed]:
    """The document with a relation changed, unless it then says what another of its relations says."""
    clusters = document.cluster_of()

    def stated(one: Relation) -> tuple[str, frozenset[str], frozenset[str]]:
        source, target = (clusters.get(end, frozenset({end})) for end in (one.source, one.target))
        return one.label, source, target

    if stated(relation) in map(stated, document.relations):
        return
    relations = (*document.relations[:index], relation, *document.relations[index + 1 :])
    changed = msgspec.structs.replace(document, relations=relations)
    ends = changed.by_id()
    yield (
        changed,
        audit.about(changed, "relation", (ends[relation.source], ends[relation.target]), relation.label),
    )
