"""Checks that documents hold what the format, the schema and their neighbours demand.

Every check has an id, a level and one broken file under ``tests/cases/invalid``.
Errors keep a document from being trained on or scored; warnings do not.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from dragoman import corpus
from dragoman.errors import DragomanError, FormatError
from dragoman.formats import files, native
from dragoman.iso3166 import is_code
from dragoman.schema import Schema
from dragoman.types import LAYERS, Cluster, Document, Entity, Relation, first_line, text_hash

MOST = 1000
"""Overlaps told per document at most."""

ERROR = "error"
WARNING = "warning"

CHECKS: Mapping[str, tuple[str, str]] = {
    "unreadable": (ERROR, "the system refuses to read the file"),
    "not-utf8": (ERROR, "the file is not UTF-8"),
    "not-json": (ERROR, "the file is not JSON, or cut short"),
    "unknown-format": (ERROR, "the format is missing, unknown or newer than this version"),
    "repeated-key": (ERROR, "a key stands twice in one object, of which only the last would be read"),
    "unknown-key": (ERROR, "a key that the format does not have"),
    "wrong-type": (ERROR, "a value of the wrong type, or one that contradicts itself"),
    "source-rule": (ERROR, "a stand-off document names a rule that does not exist"),
    "source-missing": (ERROR, "a document has neither text nor source"),
    "text-hash": (ERROR, "the text is not the one that was annotated"),
    "schema-mismatch": (ERROR, "the document was annotated by another schema"),
    "id-file-name": (ERROR, "the file's name is not the document's id"),
    "id-duplicate": (ERROR, "two annotations of a document share an id"),
    "article-date": (ERROR, "the article's date is not ISO 8601"),
    "title-first-line": (WARNING, "the title is not the first line of the text"),
    "layer-unknown": (ERROR, "a layer that the format does not have"),
    "layer-unlisted": (ERROR, "annotations of a layer that is not listed as annotated"),
    "entity-label": (ERROR, "an entity label that the schema does not have"),
    "entity-outside-text": (ERROR, "an entity reaches beyond the text"),
    "entity-surface": (ERROR, "an entity's surface differs from the text"),
    "entity-edge-space": (ERROR, "an entity begins or ends with white space"),
    "entity-inside-word": (WARNING, "an entity begins or ends inside a word"),
    "entity-duplicate": (ERROR, "the same span is marked twice with the same label"),
    "entity-overlap": (ERROR, "two mentions overlap, which the schema forbids"),
    "entity-unused": (WARNING, "a mention that the schema wants only in a relation has none"),
    "relation-label": (ERROR, "a relation label that the schema does not have"),
    "relation-unknown-argument": (ERROR, "a relation points at an entity that does not exist"),
    "relation-argument-type": (ERROR, "a relation links labels that the schema forbids"),
    "relation-self": (ERROR, "a relation links an entity to itself"),
    "relation-duplicate": (ERROR, "the same relation is marked twice"),
    "cluster-unknown-member": (ERROR, "a cluster names an entity that does not exist"),
    "cluster-overlap": (ERROR, "an entity stands in a cluster twice, or in two clusters"),
    "cluster-labels": (ERROR, "a cluster mixes entity labels"),
    "value-date": (ERROR, "a date's value is not ISO 8601, or no such day"),
    "value-country": (ERROR, "a cluster's value is not an ISO 3166 alpha-2 code"),
    "value-label": (ERROR, "a value stands where the schema knows none"),
    "value-cluster": (WARNING, "the members of a cluster have different values"),
    "value-split": (WARNING, "two clusters carry the same value"),
    "not-canonical": (WARNING, "the file is not written as `dragoman` writes it"),
    "seal": (WARNING, "the documents are not those that corpus.toml was written for"),
    "document-duplicate": (ERROR, "two files of a corpus have the same id or the same text"),
    "event-in-two-splits": (ERROR, "documents of one event stand in two splits"),
}


class Finding(msgspec.Struct, frozen=True):
    """One violated check: where, which, and what to do about it."""

    place: str
    check: str
    message: str

    @property
    def level(self) -> str:
        """``error`` or ``warning``."""
        return CHECKS[self.check][0]

    def __str__(self) -> str:
        return f"{self.place}: [{self.check}] {self.message}"


class Report(msgspec.Struct, frozen=True):
    """What ``validate`` saw: findings, number of documents, and how many had no text."""

    findings: tuple[Finding, ...]
    documents: int
    without_text: int

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings of level ``error``."""
        return tuple(finding for finding in self.findings if finding.level == ERROR)


def validate(places: Iterable[Path], schema: Schema, *, texts: Sequence[Path] | None = None) -> Report:
    """Check every document below files and folders, and what they say of each other.

    Stand-off documents whose text is not attached are checked as far as that goes.
    Raises DragomanError for a missing name or an empty folder.
    """
    places = tuple(places)
    loaded = corpus.read(places, texts=texts)
    findings = [Finding(e.place, e.check, e.message) for e in loaded.errors]
    for place, document in loaded.documents.items():
        findings += check_file(Path(place), document, schema)
    findings += check_together(loaded.documents, places)
    for root in places:
        findings += check_seal(root)
    return Report(tuple(findings), len(loaded.documents), len(loaded.without_text))


def refuse_errors(documents: Mapping[str, Document], schema: Schema) -> None:
    """Raise DragomanError if any document violates a check of level ``error``."""
    for place, document in documents.items():
        for finding in check(document, schema):
            if finding.level == ERROR:
                raise DragomanError(f"{place}: [{finding.check}] {finding.message}")


def check_file(path: Path, document: Document, schema: Schema) -> Iterator[Finding]:
    """The findings of one document, with the line of the file for each."""
    raw = files.read_bytes(path) if path.suffix == ".json" else b""
    data = raw.decode("utf-8")
    lines = native.Lines(data)
    for finding in check(document, schema):
        section, _, index = finding.place.partition(" ")
        line = lines.of(section, int(index) if index else None)
        yield msgspec.structs.replace(finding, place=f"{path}:{line}" if line else str(path))
    if not data:
        return
    if path.stem != document.id:
        yield Finding(
            f"{path}:{lines.of('id') or 1}",
            "id-file-name",
            f"the id is {document.id!r}, but the file is named {path.stem!r}. Make them equal.",
        )
    try:
        native.refuse_repeated(data, str(path))
    except FormatError as error:
        yield Finding(error.place, error.check, error.message)
        return
    if data != native.dumps(native.parse(raw, str(path))):
        yield Finding(
            str(path),
            "not-canonical",
            "the file is not in the canonical layout. Run `dragoman convert --in-place` on it.",
        )


def check(document: Document, schema: Schema) -> Iterator[Finding]:
    """The findings of one document; places are ``section`` or ``section index``."""
    if document.schema != schema.reference:
        yield Finding(
            "schema",
            "schema-mismatch",
            f"the document was annotated by {document.schema!r}, this project's schema is "
            f"{schema.reference!r}. Use the project it belongs to, or annotate it anew.",
        )
        return
    for part in (_head, _layers, _entities, _overlaps, _relations, _clusters, _values):
        yield from part(document, schema)


def _head(document: Document, schema: Schema) -> Iterator[Finding]:
    if document.text is not None and text_hash(document.text) != document.sha256:
        yield Finding(
            "sha256",
            "text-hash",
            f"the text's SHA-256 is {text_hash(document.text)}, the file states {document.sha256}. "
            "The text was changed after annotation: restore it, or annotate it anew.",
        )
    if document.source is not None:
        try:
            corpus.check_rule(document.source.rule, "")
        except FormatError as error:
            yield Finding("source", error.check, error.message)
    elif document.text is None:
        yield Finding(
            "text", "source-missing", "the text is null and no source says where it is. Add one of them."
        )
    if document.date is not None and not is_day(document.date):
        yield Finding(
            "date",
            "article-date",
            f"the article's date is {document.date!r}, expected a day such as '1987-05-04'.",
        )
    if document.text and document.title is not None:
        first = first_line(document.text) or ""
        if document.title != first:
            yield Finding(
                "title",
                "title-first-line",
                f"the title is {document.title!r}, the text begins {first[:80]!r}. "
                "Put the title there, or drop the key.",
            )


def _layers(document: Document, schema: Schema) -> Iterator[Finding]:
    for layer in document.layers:
        if layer not in LAYERS:
            yield Finding(
                "layers", "layer-unknown", f"{layer!r} is none of {', '.join(LAYERS)}. Remove or correct it."
            )
    present: dict[str, tuple[Entity | Relation | Cluster, ...]] = {
        "entities": document.entities,
        "relations": document.relations,
        "clusters": document.clusters,
    }
    valued: tuple[Entity | Relation | Cluster, ...] = (
        *(entity for entity in document.entities if entity.value is not None),
        *(cluster for cluster in document.clusters if cluster.value is not None),
    )
    for layer, items in {**present, "values": valued}.items():
        if items and layer not in document.layers:
            yield Finding(
                "layers",
                "layer-unlisted",
                f"{len(items)} {layer} stand in the document, but {layer!r} is not listed as annotated. "
                "List it.",
            )
    for section, found in present.items():
        for identifier, count in Counter(item.id for item in found).items():
            if count > 1:
                index = max(n for n, item in enumerate(found) if item.id == identifier)
                yield Finding(
                    f"{section} {index}",
                    "id-duplicate",
                    f"the id {identifier} stands {count} times. Give each its own.",
                )


def _entities(document: Document, schema: Schema) -> Iterator[Finding]:
    text = document.text
    seen: set[object] = set()
    for index, entity in enumerate(document.entities):
        place = f"entities {index}"
        if entity.label not in schema.entities:
            yield Finding(
                place,
                "entity-label",
                f"entity {entity.id} has the label {entity.label!r}, expected one of "
                f"{', '.join(schema.entities)}. Correct the label.",
            )
        key = (entity.spans, entity.label)
        if key in seen:
            yield Finding(
                place,
                "entity-duplicate",
                f"entity {entity.id} marks [{entity.start}, {entity.end}) as {entity.label} once more. "
                "Remove it.",
            )
        seen.add(key)
        if text is None:
            continue
        if entity.end > len(text):
            yield Finding(
                place,
                "entity-outside-text",
                f"entity {entity.id} ends at {entity.end}, but the text has {len(text)} code points. "
                "Correct the offsets.",
            )
            continue
        yield from _surface(place, entity, text)


def _surface(place: str, entity: Entity, text: str) -> Iterator[Finding]:
    actual = entity.cut(text)
    if entity.surface != actual:
        yield Finding(
            place,
            "entity-surface",
            f"entity {entity.id} states the surface {entity.surface!r}, but the text has {actual!r} at "
            f"[{entity.start}, {entity.end}). Correct the offsets or the surface.",
        )
    elif actual != actual.strip():
        yield Finding(
            place,
            "entity-edge-space",
            f"entity {entity.id} {actual!r} begins or ends with white space. Leave it out.",
        )
    elif _cuts_word(text, entity.start) or _cuts_word(text, entity.end):
        yield Finding(
            place,
            "entity-inside-word",
            f"entity {entity.id} {actual!r} is part of the word in "
            f"{text[max(0, entity.start - 10) : entity.end + 10]!r}. Mark whole words.",
        )


def _cuts_word(text: str, offset: int) -> bool:
    return 0 < offset < len(text) and text[offset - 1].isalnum() and text[offset].isalnum()


def _overlaps(document: Document, schema: Schema) -> Iterator[Finding]:
    if schema.overlap:
        return
    pieces = sorted(
        (start, end, index) for index, entity in enumerate(document.entities) for start, end in entity.spans
    )
    told: set[frozenset[int]] = set()
    open_pieces: list[tuple[int, int]] = []
    for start, end, index in pieces:
        if len(told) >= MOST:
            return
        open_pieces = [piece for piece in open_pieces if piece[0] > start]
        for _, other in open_pieces:
            one, two = document.entities[other], document.entities[index]
            same = one.spans == two.spans and one.label == two.label  # that is entity-duplicate
            if other != index and not same and frozenset((index, other)) not in told:
                told.add(frozenset((index, other)))
                yield Finding(
                    f"entities {index}",
                    "entity-overlap",
                    f"entity {two.id} {two.label} {_short(two)} [{two.start}, {two.end}) overlaps entity "
                    f"{one.id} {one.label} {_short(one)} [{one.start}, {one.end}). Keep one of them.",
                )
        open_pieces.append((end, index))


def _short(entity: Entity) -> str:
    surface = entity.surface or ""
    return repr(surface if len(surface) <= 60 else f"{surface[:57]}...")


def _relations(document: Document, schema: Schema) -> Iterator[Finding]:
    entities = document.by_id()
    seen: set[tuple[str, str, str]] = set()
    for index, relation in enumerate(document.relations):
        place = f"relations {index}"
        if relation.label not in schema.relations:
            yield Finding(
                place,
                "relation-label",
                f"relation {relation.id} has the label {relation.label!r}, expected one of "
                f"{', '.join(schema.relations)}. Correct the label.",
            )
            continue
        unknown = [end for end in (relation.source, relation.target) if end not in entities]
        if unknown:
            yield Finding(
                place,
                "relation-unknown-argument",
                f"relation {relation.id} points at {' and '.join(unknown)}, which is no entity of the "
                "document. Correct the id or add the entity.",
            )
            continue
        if relation.source == relation.target:
            yield Finding(
                place,
                "relation-self",
                f"relation {relation.id} links {relation.source} to itself. Correct one end.",
            )
            continue
        key = (relation.label, relation.source, relation.target)
        if key in seen:
            yield Finding(
                place,
                "relation-duplicate",
                f"relation {relation.id} ({' '.join((key[1], key[0], key[2]))}) stands twice. Remove one.",
            )
        seen.add(key)
        source, target = entities[relation.source], entities[relation.target]
        if not schema.allows(relation.label, source.label, target.label):
            kind = schema.relations[relation.label]
            yield Finding(
                place,
                "relation-argument-type",
                f"relation {relation.id} {relation.label} links {source.label} {source.surface!r} to "
                f"{target.label} {target.surface!r}; it goes from {'/'.join(kind.source)} to "
                f"{'/'.join(kind.target)}. Correct the label, an end or the direction.",
            )
    if "relations" in document.layers:
        used = {end for relation in document.relations for end in (relation.source, relation.target)}
        for index, entity in enumerate(document.entities):
            kind_of = schema.entities.get(entity.label)
            if kind_of is not None and kind_of.needs_relation and entity.id not in used:
                yield Finding(
                    f"entities {index}",
                    "entity-unused",
                    f"entity {entity.id} {entity.surface!r} is a {entity.label}, which is marked only "
                    "where a relation needs it, and has none. Add the relation or unmark it.",
                )


def _clusters(document: Document, schema: Schema) -> Iterator[Finding]:
    entities = document.by_id()
    owner: dict[str, str] = {}
    for index, cluster in enumerate(document.clusters):
        place = f"clusters {index}"
        unknown = [member for member in cluster.members if member not in entities]
        if unknown:
            yield Finding(
                place,
                "cluster-unknown-member",
                f"cluster {cluster.id} names {', '.join(unknown)}, which is no entity of the document. "
                "Correct the id.",
            )
            continue
        for member in cluster.members:
            if member in owner:
                yield Finding(
                    place,
                    "cluster-overlap",
                    f"entity {member} stands in cluster {owner[member]} and again in {cluster.id}. "
                    "An entity has one cluster: merge them or remove it from one.",
                )
            owner[member] = cluster.id
        labels = sorted({entities[member].label for member in cluster.members})
        if len(labels) > 1:
            yield Finding(
                place,
                "cluster-labels",
                f"cluster {cluster.id} mixes {' and '.join(labels)}. Mentions of one entity share a label.",
            )


def _values(document: Document, schema: Schema) -> Iterator[Finding]:
    dates = schema.labels_with_value("iso-8601")
    countries = schema.labels_with_value("iso-3166")
    for index, entity in enumerate(document.entities):
        if entity.value is None:
            continue
        if entity.label not in dates:
            yield Finding(
                f"entities {index}",
                "value-label",
                f"entity {entity.id} is a {entity.label} with the value {entity.value!r}; "
                f"only {', '.join(sorted(dates)) or 'no label'} has values on mentions. Remove it.",
            )
        elif not is_date_value(entity.value):
            yield Finding(
                f"entities {index}",
                "value-date",
                f"entity {entity.id} has the value {entity.value!r}, expected ISO 8601: a day 1987-05-04, "
                "a month 1987-05, a year 1987, a week 1987-W18, or an interval of two with a slash.",
            )
    entities = document.by_id()
    by_value: dict[str, str] = {}
    for index, cluster in enumerate(document.clusters):
        members = [entities[member] for member in cluster.members if member in entities]
        if len({member.value for member in members}) > 1:
            yield Finding(
                f"clusters {index}",
                "value-cluster",
                f"the members of cluster {cluster.id} have the values "
                f"{', '.join(sorted(str(member.value) for member in members))}. One entity has one value.",
            )
        if cluster.value is None:
            continue
        if members and members[0].label not in countries:
            yield Finding(
                f"clusters {index}",
                "value-label",
                f"cluster {cluster.id} of {members[0].label} has the value {cluster.value!r}; only "
                f"{', '.join(sorted(countries)) or 'no label'} has values on clusters. Remove it.",
            )
        elif not is_code(cluster.value):
            yield Finding(
                f"clusters {index}",
                "value-country",
                f"cluster {cluster.id} has the value {cluster.value!r}, expected an ISO 3166 alpha-2 code "
                "such as JP.",
            )
        if cluster.value in by_value:
            yield Finding(
                f"clusters {index}",
                "value-split",
                f"clusters {by_value[cluster.value]} and {cluster.id} both have the value {cluster.value}. "
                "Mentions of one entity share a cluster: merge them.",
            )
        by_value.setdefault(cluster.value, cluster.id)


def check_seal(root: Path) -> Iterator[Finding]:
    """Where the files of a corpus folder differ from the checksums in its ``corpus.toml``."""
    sealed = corpus.sealed_files(root)
    if sealed is None:
        return
    there = corpus.checksums(root)
    for name in sorted(sealed.keys() | there.keys()):
        if sealed.get(name) == there.get(name):
            continue
        what = "was removed" if name not in there else "is new" if name not in sealed else "was changed"
        yield Finding(
            str(root / name),
            "seal",
            f"the file {what} since corpus.toml was written. Restore it, or run `dragoman corpus seal`.",
        )


def check_together(documents: Mapping[str, Document], roots: Sequence[Path]) -> Iterator[Finding]:
    """What documents say of each other: equal ids or texts, one event in two splits.

    roots: the places that were given; a split is a folder of that name at or below one of them.
    """
    keys: tuple[tuple[str, Callable[[Document], str]], ...] = (
        ("id", lambda document: document.id),
        ("text", lambda document: document.sha256),
    )
    for name, key in keys:
        first: dict[str, str] = {}
        for place, document in documents.items():
            found = first.setdefault(key(document), place)
            if found != place:
                yield Finding(
                    place,
                    "document-duplicate",
                    f"{found} has the same {name}. Remove one, or give it another {name}.",
                )
    where: dict[str, tuple[str, str]] = {}
    for place, document in documents.items():
        split = _split(Path(place), roots)
        event = document.meta.get("event")
        if split is None or not isinstance(event, str):
            continue
        other, first_place = where.setdefault(event, (split, place))
        if other != split:
            yield Finding(
                place,
                "event-in-two-splits",
                f"the event {event!r} of split {split} is also reported in {first_place} of split {other}. "
                "Move one of them.",
            )


def _split(path: Path, roots: Sequence[Path]) -> str | None:
    """The innermost split folder that a document stands in, at or below the place that was given."""
    for root in roots:
        if path.is_relative_to(root):
            parts = (root.name, *path.relative_to(root).parts[:-1])
            return next((part for part in reversed(parts) if part in corpus.SPLITS), None)
    return None


def is_date_value(value: str) -> bool:
    """Whether a value is a day, month, year or ISO week that exists, or an interval of two.

    >>> [is_date_value(v) for v in ("2025-07-18", "2025-W28", "1963", "2025-02-30", "1999/2001")]
    [True, True, True, False, True]
    """
    first, slash, second = value.partition("/")
    if slash:
        return is_date_value(first) and "/" not in second and is_date_value(second)
    if re.fullmatch(r"[0-9]{4}-W[0-9]{2}", value):
        try:
            datetime.date.fromisocalendar(int(value[:4]), int(value[6:]), 1)
        except ValueError:
            return False
        return True
    return is_day(value + {4: "-01-01", 7: "-01"}.get(len(value), ""))


def is_day(value: str) -> bool:
    """Whether a value is a day that exists, as 1987-05-04."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        datetime.date.fromisoformat(value)
    except ValueError:
        return False
    return True
