"""Clusters by matching names: countries through the lexicon, persons by surname, dates by value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dragoman.extract.lexicon import Countries, normal
from dragoman.schema import Schema
from dragoman.types import Cluster, Document, Entity

CITY_MARKS = frozenset("in at near to from outside through of around inside into via between".split())
EDGE = re.compile(r"[^\w]+")
LOOK_BACK = 200
Key = Callable[[Entity], str | None]


def cluster(
    document: Document,
    schema: Schema,
    countries: Countries,
    codes: Mapping[str, str],
    nominal: frozenset[str],
) -> tuple[Cluster, ...]:
    """Group the document's entities by what they name.

    codes: country codes of surfaces seen in training. nominal: words that training documents
    use alone for an entity named before ("treaty", "summit").
    """
    keys: dict[str, str] = {}
    values: dict[str, str] = {}
    namers: tuple[tuple[str, Key], ...] = (
        ("country", _country(document, countries, codes, values)),
        ("person", _person(document, schema)),
        ("date", _date),
        ("role", _role(document, schema)),
    )
    for kind, name in namers:
        for entity in document.entities:
            if entity.label in schema.labels_of(kind):
                found = name(entity)
                if found is not None:
                    keys[entity.id] = f"{kind} {found}"
    named = schema.labels_of("country") | schema.labels_of("person")
    named |= schema.labels_of("date") | schema.labels_of("role")
    _by_name(document, schema, named, nominal, keys)
    groups: dict[str, list[str]] = {}
    for entity in document.entities:
        if entity.id in keys:
            groups.setdefault(keys[entity.id], []).append(entity.id)
    clusters: list[Cluster] = []
    for key, members in groups.items():
        value = values.get(key)
        if len(members) > 1 or value is not None:
            clusters.append(Cluster(id=f"C{len(clusters) + 1}", members=tuple(members), value=value))
    return tuple(clusters)


def _country(
    document: Document, countries: Countries, codes: Mapping[str, str], values: dict[str, str]
) -> Key:
    text = document.text or ""

    def key(entity: Entity) -> str:
        surface = entity.surface or ""
        entry = countries.find(surface)
        code = codes.get(normal(surface)) or (entry.code if entry else None)
        capital = entry is not None and entry.kind in ("capital", "city")
        if code is None or (entry is not None and entry.kind == "city"):
            return normal(surface)
        if capital and stands_for_place(text, entity):
            return f"city {normal(surface)}"
        values[f"country {code}"] = code
        return code

    return key


def stands_for_place(text: str, entity: Entity) -> bool:
    """Whether a capital's name means the city here: in a dateline or behind a place's preposition."""
    before = re.search(r"(\w+)\W*$", text[max(0, entity.start - 30) : entity.start])
    dateline = (entity.surface or "").isupper() and len(entity.surface or "") > 3
    return dateline or (before is not None and before[1].lower() in CITY_MARKS)


def _person(document: Document, schema: Schema) -> Key:
    labels = schema.labels_of("person")
    names = [
        tuple(normal(entity.surface or "").split()) for entity in document.entities if entity.label in labels
    ]
    full = sorted({name for name in names if len(name) > 1}, key=lambda name: (-len(name), names.index(name)))

    def key(entity: Entity) -> str:
        name = tuple(normal(entity.surface or "").split())
        for longer in full:
            if name == longer or (name and (longer[-len(name) :] == name or longer[: len(name)] == name)):
                return " ".join(longer)
        return " ".join(name)

    return key


def _date(entity: Entity) -> str | None:
    return entity.value


def _role(document: Document, schema: Schema) -> Key:
    """Offices are one where the title and the state or body of their holder are one."""
    entities = document.by_id()
    holders: dict[str, str] = {}
    bodies: dict[str, str] = {}
    states = {
        relation.source: relation.target
        for relation in document.relations
        if relation.source in entities
        and relation.target in entities
        and entities[relation.source].label in schema.labels_of("person")
        and entities[relation.target].label in schema.labels_of("country")
    }
    for relation in document.relations:
        if relation.target in entities and entities[relation.target].label in schema.labels_of("role"):
            holders.setdefault(relation.target, relation.source)
    for role, holder in holders.items():
        if holder in states:
            bodies[role] = normal(entities[states[holder]].surface or "")

    def key(entity: Entity) -> str | None:
        if entity.id not in bodies:
            return None
        return f"{normal(entity.surface or '')} of {bodies[entity.id]}"

    return key


def _by_name(
    document: Document,
    schema: Schema,
    done: frozenset[str],
    nominal: frozenset[str],
    keys: dict[str, str],
) -> None:
    """The rest: equal names, abbreviations in brackets, a bare head word for the name before."""
    text = document.text or ""
    earlier: dict[str, list[tuple[str, str]]] = {}
    known: dict[str, str] = {}
    previous: Entity | None = None
    for entity in sorted(document.entities, key=lambda e: (e.start, e.end)):
        if entity.label in done:
            previous = entity
            continue
        name = normal(entity.surface or "")
        own = f"{entity.label} {name}"
        before = earlier.setdefault(entity.label, [])
        key = known.get(own)
        if key is None and previous is not None and previous.label == entity.label:
            between = text[previous.end : entity.start]
            if between.strip() == "(" and entity.surface == (entity.surface or "").upper():
                key = keys.get(previous.id)
        if key is None:
            key = _longer_name(name, before[-LOOK_BACK:], nominal) or own
        keys[entity.id] = known[own] = key
        before.append((name, key))
        previous = entity


def _longer_name(name: str, before: Sequence[tuple[str, str]], nominal: frozenset[str]) -> str | None:
    """The key of the nearest name before that this one shortens, if any."""
    words = EDGE.split(name)
    for other, key in reversed(before):
        bare = len(words) == 1 and name in nominal and name in EDGE.split(other)
        if bare or (len(words) > 1 and other.endswith(" " + name)):
            return key
    return None
