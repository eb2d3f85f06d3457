"""Random documents: any Unicode, nested, crossing, duplicate and discontinuous spans."""

from __future__ import annotations

import hypothesis.strategies as st
import msgspec

from dragoman.types import LAYERS, Cluster, Document, Entity, Relation

TEXTS = st.text(
    st.one_of(
        st.sampled_from("ab []{}\\-#=~@\"'.\n\r\t🙂é"),
        st.characters(exclude_categories=("Cs",)),
    ),
    min_size=1,
    max_size=40,
)
LABELS = st.sampled_from(["PERSON", "GPE", "EVENT"])
RELATIONS = st.sampled_from(["participates_in", "supports"])
SCORES = st.none() | st.floats(0, 1)
VALUES = st.none() | st.sampled_from(["1987-05-04", "1987", "a b", 'q"]} #', "~1"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | TEXTS
    | st.sampled_from(["1987", "null", " x "]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)


@st.composite
def spans(draw: st.DrawFn, length: int) -> list[tuple[int, int]]:
    cuts = draw(
        st.lists(st.integers(0, length), min_size=2, max_size=4, unique=True)
        .map(sorted)
        .filter(lambda cuts: len(cuts) != 3)
    )
    return list(zip(cuts[::2], cuts[1::2], strict=True))


@st.composite
def documents(draw: st.DrawFn, *, scored: bool = True, fragments: bool = True) -> Document:
    """A document that every structural check accepts; labels and overlaps are arbitrary."""
    text = draw(TEXTS)
    entities = []
    for number in range(draw(st.integers(0, 6))):
        parts = draw(spans(len(text)))
        start, end = parts[0][0], parts[-1][1]
        entity = Entity(
            id=f"T{number + 1}" if draw(st.booleans()) else f"x{number}",
            start=start,
            end=end,
            fragments=tuple(parts) if fragments and len(parts) > 1 else (),
            label=draw(LABELS),
            value=draw(VALUES),
            score=draw(SCORES) if scored else None,
        )
        entities.append(Entity(**{**_fields(entity), "surface": entity.cut(text)}))
    ids = [entity.id for entity in entities]
    relations = []
    clusters = []
    if ids:
        for number in range(draw(st.integers(0, 5))):
            relations.append(
                Relation(
                    id=f"R{number + 1}",
                    label=draw(RELATIONS),
                    source=draw(st.sampled_from(ids)),
                    target=draw(st.sampled_from(ids)),
                    score=draw(SCORES) if scored else None,
                )
            )
        members = tuple(ids[: draw(st.integers(0, len(ids)))])
        value = draw(VALUES)
        if len(members) > 1 or (members and value is not None):
            clusters.append(Cluster(id="C1", members=members, value=value))
    return Document.new(
        id=draw(st.sampled_from(["a-1", "x", "é", "1e5"])),
        schema="diplomacy/1",
        text=text,
        title=draw(st.none() | TEXTS | st.just(text.split("\n", 1)[0])),
        date=draw(st.none() | st.just("1987-05-04")),
        meta=draw(st.dictionaries(TEXTS, JSON, max_size=3)),
        layers=draw(st.sampled_from([LAYERS, ("entities",), ()])),
        entities=tuple(entities),
        relations=tuple(relations),
        clusters=tuple(clusters),
    ).ordered()


@st.composite
def sendable(draw: st.DrawFn) -> Document:
    """A document that Label Studio can hold: any text, nested spans, several relations of a pair."""
    document = draw(documents(scored=False, fragments=False))
    text = document.text or ""
    if not text.strip() or "\0" in text:
        return Document.new(id="a", text="a b", schema=document.schema)
    replace = msgspec.structs.replace
    values = {"GPE": st.none(), "PERSON": VALUES, "EVENT": VALUES}
    entities = []
    for entity in document.entities:
        cut = text[entity.start : entity.end]
        if cut.strip():
            start = entity.start + len(cut) - len(cut.lstrip())
            span = {"start": start, "end": start + len(cut.strip()), "surface": cut.strip()}
            entities.append(replace(entity, **span, value=draw(values[entity.label])))
    known = {entity.id: entity.label for entity in entities}
    relations = {
        (relation.label, relation.source, relation.target): relation
        for relation in document.relations
        if relation.source != relation.target and {relation.source, relation.target} <= known.keys()
    }
    clusters = []
    for cluster in document.clusters:
        members = tuple(member for member in cluster.members if member in known)
        value = cluster.value if "GPE" in {known[member] for member in members} else None
        if len(members) > 1 or (members and value is not None):
            clusters.append(replace(cluster, members=members, value=value))
    kept = {"entities": tuple(entities), "relations": tuple(relations.values()), "clusters": tuple(clusters)}
    return replace(document, **kept).ordered()


def _fields(entity: Entity) -> dict[str, object]:
    return {name: getattr(entity, name) for name in entity.__struct_fields__}
