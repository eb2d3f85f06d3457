"""Reads ``annotation/schema.toml``: labels, legal arguments, and the traits code asks for.

No label is named in code: whoever needs the dates asks for ``labels_of("date")``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from dragoman.errors import SchemaError

VALUES = ("iso-8601", "iso-3166")
HOTKEY = r"\A(?:(?:ctrl|shift|alt|command)\+)*[a-z0-9]\Z"
LABEL = re.compile(r"\w[\w.-]*")
RESERVED = ("micro", "macro", "weighted", "per-document", "all", "none", "null", "C")


class EntityType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entity label.

    kind: the trait by which code finds it (person, country, date, event, ...), if any.
    value: what its normalised value is written in, one of VALUES, or None.
    needs_relation: a mention without any relation is a finding.
    """

    description: str
    kind: str = ""
    value: str | None = None
    needs_relation: bool = False
    color: Annotated[str, msgspec.Meta(pattern=r"\A#[0-9a-fA-F]{6}\Z")] = "#666666"
    hotkey: Annotated[str, msgspec.Meta(pattern=HOTKEY)] | None = None


class RelationType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One relation label and the entity labels that each end may have."""

    description: str
    source: tuple[str, ...]
    target: tuple[str, ...]
    symmetric: bool = False


class Schema(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The labels of one domain.

    coreference: the name of the symmetric link that stands for clusters in other tools.
    overlap: whether mentions may overlap.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"\A[\w.-]+\Z")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    coreference: str = "same_as"
    overlap: bool = False
    notes: str = ""
    entities: dict[str, EntityType]
    relations: dict[str, RelationType] = {}

    def __post_init__(self) -> None:
        if not self.entities:
            raise ValueError("it has no entity type; add a table [entities.LABEL]")
        for label, described in {**self.entities, **self.relations, self.coreference: None}.items():
            if not LABEL.fullmatch(label) or label in RESERVED:
                raise ValueError(
                    f"{label!r} can't be a label: one is made of letters, digits, _, . and -, and is none "
                    f"of {', '.join(RESERVED)}, which name rows of scores and parts of notations"
                )
            if described is not None and not described.description.isprintable():
                raise ValueError(f"{label}: the description holds a control character; write one line")
        for label, relation in self.relations.items():
            for end in ("source", "target"):
                unknown = [name for name in getattr(relation, end) if name not in self.entities]
                if unknown:
                    raise ValueError(
                        f"relation {label}: {end} names {', '.join(unknown)}, which is no entity "
                        f"type; the entity types are {', '.join(self.entities)}"
                    )
        if self.coreference in self.relations:
            raise ValueError(f"{self.coreference} names the coreference link and a relation")
        for label, entity in self.entities.items():
            if entity.value is not None and entity.value not in VALUES:
                raise ValueError(f"entity {label}: value {entity.value!r} is none of {', '.join(VALUES)}")

    @property
    def symmetric(self) -> frozenset[str]:
        """The relations without direction."""
        return frozenset(label for label, relation in self.relations.items() if relation.symmetric)

    @property
    def reference(self) -> str:
        """How documents name this schema: ``name/version``."""
        return f"{self.name}/{self.version}"

    def labels_of(self, kind: str) -> frozenset[str]:
        """The entity labels of a kind, maybe none."""
        return frozenset(label for label, entity in self.entities.items() if entity.kind == kind)

    def labels_with_value(self, value: str) -> frozenset[str]:
        """The entity labels whose normalised value is written in ``value``."""
        return frozenset(label for label, entity in self.entities.items() if entity.value == value)

    def allows(self, relation: str, source: str, target: str) -> bool:
        """Whether the relation may link these entity labels in this direction."""
        known = self.relations.get(relation)
        return known is not None and source in known.source and target in known.target

    def between(self, source: str, target: str) -> tuple[str, ...]:
        """The relation labels that may link these entity labels, in schema order."""
        return tuple(label for label in self.relations if self.allows(label, source, target))


def read(path: Path) -> Schema:
    """Read a schema file; SchemaError says what is wrong with it."""
    try:
        content = path.read_bytes().decode("utf-8")
        return msgspec.convert(tomllib.loads(content), Schema)
    except OSError as error:
        raise SchemaError(
            f"{path}: the schema can't be read ({error.strerror}); every project folder has "
            "annotation/schema.toml: run the command inside one, or name it with --schema"
        ) from error
    except RecursionError as error:
        raise SchemaError(f"{path}: not a schema: nested too deeply") from error
    except ValueError as error:  # not UTF-8, not TOML, of the wrong types, a number beyond bounds
        raise SchemaError(f"{path}: not a schema: {error}") from error


def find(start: Path) -> Path:
    """The nearest ``annotation/schema.toml`` at or above a file or folder."""
    try:
        here = start.resolve()
    except RuntimeError as error:  # a loop of links before Python 3.13
        raise SchemaError(f"{start}: is a loop of links") from error
    for folder in (here, *here.parents):
        candidate = folder / "annotation" / "schema.toml"
        if candidate.is_file():
            return candidate
    raise SchemaError(
        f"{start}: no annotation/schema.toml here or in any folder above; run the command "
        "inside a project folder, or name the schema with --schema"
    )
