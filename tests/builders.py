"""Small invented documents for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dragoman import schema
from dragoman.formats import inline
from dragoman.types import Document, Entity, Relation

ROOT = Path(__file__).parents[1]
SCHEMA = schema.read(ROOT / "annotation" / "schema.toml")

LAKESIDE = """id: lakeside-accord-1987
date: 1987-05-04
kind: treaty signing

Two neighbours sign lakeside accord
[Freedonia]{T1 GPE} and [Sylvania]{T2 GPE} signed the [Lakeside Accord]{T3 AGREEMENT} on \
[Sunday]{T4 DATE =1987-05-03}. [Freedonian]{T5 GPE} [Foreign Minister]{T6 ROLE} [Ana Vell]{T7 PERSON} \
welcomed [open ferries]{T8 TOPIC}.
---
T1 T2 party_to T3
T3 held_on T4
T7 holds_role T6
T7 represents T5
T7 supports T8
C T1 T5
"""


def lakeside(identifier: str = "lakeside-accord-1987") -> Document:
    """A short annotated article; with another id its text ends with that id."""
    content = LAKESIDE
    if identifier != "lakeside-accord-1987":
        content = content.replace("id: lakeside-accord-1987", f"id: {identifier}")
        content = content.replace("\n---\n", f"\nFiled as {identifier}.\n---\n")
    return inline.parse(content, "builders.py", schema=SCHEMA.reference)


def spans(
    *found: tuple[int, int, str], identifier: str = "d", length: int = 100, relations: Sequence[str] = ()
) -> Document:
    """A document of ``length`` letters with these spans T1, T2, ...; relations as "T1 label T2"."""
    text = "x" * length
    entities = tuple(
        Entity(id=f"T{n}", start=start, end=end, label=label, surface=text[start:end])
        for n, (start, end, label) in enumerate(found, 1)
    )
    links = tuple(
        Relation(id=f"R{n}", source=source, label=label, target=target)
        for n, (source, label, target) in enumerate((line.split() for line in relations), 1)
    )
    return Document.new(
        id=identifier,
        text=text,
        schema=SCHEMA.reference,
        layers=("entities", "relations", "clusters"),
        entities=entities,
        relations=links,
    )
