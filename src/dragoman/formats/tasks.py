"""Label Studio's tasks: what a document is sent as, so that it can come back as it was.

Region ids are the ids of entities. What Label Studio does not keep through an annotator's hands (ids of
relations and clusters, layers, ``meta``) travels as JSON in the task's ``data``, under RECORD.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal

import msgspec

from dragoman.schema import Schema
from dragoman.types import LAYERS, Cluster, Document, Entity, Source

REGION, TEXT, VALUE = "entities", "text", "value"
"""The names of the tags in the labelling configuration."""
RECORD = "document"
IDENTIFYING = "iso-3166"
"""The kind of value that identifies a cluster; other values are those of a mention."""
As = Literal["annotations", "predictions"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a document is neither its text nor a region.

    identifying: the labels whose text field holds the value of their cluster. entities: their ids.
    relations: (id, label, source, target). clusters: (id, members).
    """

    format: str
    schema: str
    title: str | None = None
    date: str | None = None
    meta: dict[str, Any] = {}
    source: Source | None = None
    layers: tuple[str, ...] = ()
    identifying: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    relations: tuple[tuple[str, str, str, str], ...] = ()
    clusters: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, document: Document, schema: Schema) -> Record:
        """What stands in a document of a schema."""
        return cls(
            format=document.format,
            schema=document.schema,
            title=document.title,
            date=document.date,
            meta=document.meta,
            source=document.source,
            layers=document.layers,
            identifying=tuple(sorted(schema.labels_with_value(IDENTIFYING))),
            entities=tuple(entity.id for entity in document.entities),
            relations=tuple((r.id, r.label, r.source, r.target) for r in document.relations),
            clusters=tuple((c.id, c.members) for c in document.clusters),
        )


def to_task(
    document: Document, schema: Schema, *, form: As | None = None, version: str | None = None
) -> dict[str, Any]:
    """A document as a task to import, with its annotations as one annotation or one prediction, or without.

    version: the model version of a prediction; else its producer's name, else "dragoman".
    Raises ValueError, naming the first reason of ``refused``, and for an annotation with scores or a
    producer, which makes it a prediction.
    """
    for reason in refused(document, schema):
        raise ValueError(f"{document.id}: {reason}")
    if form == "annotations" and document.predicted:
        raise ValueError(f"{document.id}: it is a prediction, with scores or a producer; send it as one")
    record = msgspec.json.encode(Record.of(document, schema)).decode()
    task: dict[str, Any] = {
        "data": {
            "id": document.id,
            "title": document.title or "",
            "date": document.date or "",
            "text": document.text,
            "sha256": document.sha256,
            RECORD: record,
        }
    }
    if form == "annotations":
        task[form] = [{"result": results(document, schema)}]
    elif form == "predictions":
        known = document.producer.model if document.producer else "dragoman"
        prediction: dict[str, Any] = {"result": results(document, schema), "model_version": version or known}
        scores = [found for entity in document.entities if (found := entity.score) is not None]
        scores += [found for relation in document.relations if (found := relation.score) is not None]
        if scores:
            prediction["score"] = min(scores)  # Label Studio sorts by it: the most doubtful first
        task[form] = [prediction]
    return task


def results(document: Document, schema: Schema) -> list[dict[str, Any]]:
    """The regions, values and relations of a document as Label Studio writes them.

    Coreference is the schema's link from each mention of a cluster to the next. Two regions have one
    relation with several labels, since Label Studio drops a second one.
    """
    text = document.text or ""
    found: list[dict[str, Any]] = []
    values = _values(document, schema)
    for entity in document.entities:
        place: dict[str, Any] = {
            "start": entity.start,
            "end": entity.end,
            "text": text[entity.start : entity.end],
        }
        tags = {"id": entity.id, "to_name": TEXT}
        region: dict[str, Any]
        region = {**tags, "from_name": REGION, "type": "labels", "value": {**place, "labels": [entity.label]}}
        if entity.score is not None:
            region["score"] = entity.score
        found.append(region)
        if entity.id in values:
            field = {"start": entity.start, "end": entity.end, "text": [values[entity.id]]}
            found.append({**tags, "from_name": VALUE, "type": "textarea", "value": field})
    labels: dict[tuple[str, str], list[str]] = {}
    for relation in document.relations:
        labels.setdefault((relation.source, relation.target), []).append(relation.label)
    for cluster in document.clusters:
        for pair in pairwise(cluster.members):
            labels.setdefault(pair, []).append(schema.coreference)
    for (source, target), names in labels.items():
        link = {"from_id": source, "to_id": target, "direction": "right", "labels": names}
        found.append({"type": "relation", **link})
    return found


def _values(document: Document, schema: Schema) -> dict[str, str]:
    """What stands in the text field of each region: a mention's value, or its cluster's, once."""
    identifying, entities = schema.labels_with_value(IDENTIFYING), document.by_id()
    found = {entity.id: entity.value for entity in document.entities if entity.value is not None}
    for cluster in document.clusters:
        if cluster.value is not None:
            owner = next(member for member in cluster.members if entities[member].label in identifying)
            found[owner] = cluster.value
    return found


def refused(document: Document, schema: Schema) -> Iterator[str]:
    """Why a document can't be sent: what would break the page, or would not come back."""
    text = document.text
    if text is None:
        yield "it is stand-off, without its text; attach it first"
        return
    if not text.strip() or "\0" in text:
        yield "its text is empty or holds a NUL character"
    counted = Counter(entity.id for entity in document.entities)
    entities = document.by_id()
    identifying = schema.labels_with_value(IDENTIFYING)
    yield from (f"two entities have the id {name}" for name, times in counted.items() if times > 1)
    for entity in document.entities:
        yield from _refused_entity(entity, text, schema, identifying)
    seen: set[tuple[str, str, str]] = set()
    for relation in document.relations:
        ends = relation.source, relation.target
        missing = [end for end in ends if end not in entities]
        if missing:
            yield f"relation {relation.id} points at {missing[0]}, which does not exist"
        elif relation.label not in schema.relations:
            yield f"relation {relation.id} has the label {relation.label}, which the schema does not have"
        elif relation.source == relation.target:
            yield f"relation {relation.id} links {relation.source} to itself"
        elif (relation.label, *ends) in seen:
            yield f"relation {relation.id} is marked twice"
        seen.add((relation.label, *ends))
    grouped = Counter(member for cluster in document.clusters for member in cluster.members)
    for cluster in document.clusters:
        unknown = [member for member in cluster.members if member not in entities]
        twice = [member for member in cluster.members if grouped[member] > 1]
        if unknown or twice:
            member = (unknown or twice)[0]
            yield f"cluster {cluster.id} names {member}, which {'does not exist' if unknown else 'is in two'}"
        elif cluster.value is not None:
            labels = [entities[member].label for member in cluster.members]
            if identifying.isdisjoint(labels):
                kinds = ", ".join(sorted(identifying)) or "no label"
                yield f"cluster {cluster.id} has a value, but no mention of {kinds} that could carry it"
            elif not _plain(cluster.value):
                yield f"the value of cluster {cluster.id} is empty, or has white space at its edges"


def _refused_entity(entity: Entity, text: str, schema: Schema, identifying: frozenset[str]) -> Iterator[str]:
    shown = f"entity {entity.id}"
    cut = text[entity.start : entity.end]
    if entity.label not in schema.entities:
        yield f"{shown} has the label {entity.label}, which the schema does not have"
    if entity.fragments:
        yield f"{shown} is discontinuous"
    if entity.end > len(text):
        yield f"{shown} ends at {entity.end}, but the text has {len(text)} code points"
    elif cut != cut.strip():
        yield f"{shown} has white space at its edges"
    if entity.value is not None and (entity.label in identifying or not _plain(entity.value)):
        yield f"{shown} of label {entity.label} can't carry the value {entity.value!r}"


def _plain(value: str) -> bool:
    return bool(value) and value == value.strip() and "\0" not in value


def restored(document: Document, record: Record) -> tuple[Document, list[str]]:
    """A document that came back, with what Label Studio did not keep, and what contradicts itself.

    Relations and clusters that were sent have their ids again (a cluster that changed has the id of the
    one it shares most mentions with); new ones, and regions drawn in the page, the next free numbers. Of
    several values in one cluster the first is taken, with a message.
    """
    document = _renamed(document, set(record.entities))
    document, messages = _with_cluster_values(document, frozenset(record.identifying))
    ids = {(label, source, target): name for name, label, source, target in record.relations}
    taken = set(ids.values())
    relations = [
        msgspec.structs.replace(
            relation,
            id=ids.get((relation.label, relation.source, relation.target)) or _free("R", taken),
        )
        for relation in document.relations
    ]
    names = _cluster_ids(document, record)
    clusters = [
        msgspec.structs.replace(cluster, id=name)
        for cluster, name in zip(document.clusters, names, strict=True)
    ]
    valued = any(e.value for e in document.entities) or any(c.value for c in clusters)
    filled = dict(zip(LAYERS, (document.entities, relations, clusters, valued), strict=True))
    layers = tuple(name for name in LAYERS if not record.layers or name in record.layers or filled[name])
    back = msgspec.structs.replace(
        document,
        format=record.format,
        schema=record.schema,
        title=record.title,
        date=record.date,
        meta=record.meta,
        source=record.source,
        layers=record.layers if set(layers) == set(record.layers) else layers,
        relations=tuple(relations),
        clusters=tuple(clusters),
    )
    return back.ordered(), messages


def _renamed(document: Document, sent: set[str]) -> Document:
    """Regions drawn in the page get ids as documents have them."""
    taken = set(sent)
    new = {
        entity.id: entity.id if entity.id in sent else _free("T", taken)
        for entity in document.ordered().entities
    }
    return msgspec.structs.replace(
        document,
        entities=tuple(msgspec.structs.replace(e, id=new[e.id]) for e in document.entities),
        relations=tuple(
            msgspec.structs.replace(r, source=new[r.source], target=new[r.target]) for r in document.relations
        ),
        clusters=tuple(
            msgspec.structs.replace(c, members=tuple(new[member] for member in c.members))
            for c in document.clusters
        ),
    )


def _with_cluster_values(document: Document, identifying: frozenset[str]) -> tuple[Document, list[str]]:
    """The values of regions that identify their cluster moved there."""
    messages = []
    values = {e.id: e.value for e in document.entities if e.value is not None and e.label in identifying}
    entities = tuple(
        msgspec.structs.replace(entity, value=None) if entity.id in values else entity
        for entity in document.entities
    )
    clusters = []
    grouped = {member for cluster in document.clusters for member in cluster.members}
    alone = [
        Cluster(id=f"C-{name}", members=(name,), value=v) for name, v in values.items() if name not in grouped
    ]
    for cluster in document.ordered().clusters:
        found = list(dict.fromkeys(values[member] for member in cluster.members if member in values))
        if len(found) > 1:
            mentions = ", ".join(cluster.members)
            messages.append(
                f"the mentions {mentions} have the values {', '.join(found)}; the first is taken."
            )
        clusters.append(msgspec.structs.replace(cluster, value=found[0] if found else None))
    return msgspec.structs.replace(document, entities=entities, clusters=(*clusters, *alone)), messages


def _cluster_ids(document: Document, record: Record) -> list[str]:
    left = {name: frozenset(members) for name, members in record.clusters}
    taken = set(left)
    shared = sorted(
        (-len(sent.intersection(cluster.members)), number, name)
        for number, cluster in enumerate(document.clusters)
        for name, sent in left.items()
        if not sent.isdisjoint(cluster.members)
    )
    names: dict[int, str] = {}
    for _, number, name in shared:
        if number not in names and name in left:
            names[number] = name
            del left[name]
    return [names.get(number) or _free("C", taken) for number in range(len(document.clusters))]


def _free(prefix: str, taken: set[str]) -> str:
    """The next free name, which is taken now."""
    numbers = (name.removeprefix(prefix) for name in taken)
    name = f"{prefix}{1 + max((int(n) for n in numbers if n.isdecimal() and n.isascii()), default=0)}"
    taken.add(name)
    return name


def read_record(data: Mapping[str, Any]) -> Record | None:
    """What ``to_task`` put into a task's data; None if there is none.

    Raises ValueError for something else in its place.
    """
    written = data.get(RECORD)
    if written is None:
        return None
    try:
        return msgspec.json.decode(written if isinstance(written, str) else json.dumps(written), type=Record)
    except (msgspec.DecodeError, TypeError, RecursionError) as error:
        raise ValueError(f"data.{RECORD} is not what was sent ({error})") from error
