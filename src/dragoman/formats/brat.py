r"""brat standoff: ``NAME.ann`` with the annotations of the text in ``NAME.txt`` beside it.

    T1	GPE 36 45	Freedonia
    T2	AGREEMENT 50 55;60 66	peace accord
    R1	party_to Arg1:T1 Arg2:T2
    *	same_as T1 T3
    #1	AnnotatorNotes T1	dragoman {"value": "1987-05-03"}

Offsets are code points of the text file's bytes decoded as UTF-8, line ends as they are.
Values, scores and the values of clusters have no place in brat: the writer puts them into notes
that begin with ``dragoman``, and the reader takes them from there.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from dragoman.errors import FormatError
from dragoman.formats import files
from dragoman.formats.conversion import Conversion, Kind, Note, joined
from dragoman.formats.linked import components
from dragoman.types import Cluster, Document, Entity, Relation, first_line

LAYERS = ("entities", "relations", "clusters")
OURS = "dragoman "
"""How the text of a note begins that carries what brat has no place for."""

NAMES = {"E": "an event", "A": "an attribute", "M": "an attribute", "N": "a link to a knowledge base"}
SPAN = re.compile(r"(?P<label>\S+) (?P<spans>[0-9]{1,15} [0-9]{1,15}(?:;[0-9]{1,15} [0-9]{1,15})*)")
RELATION = re.compile(r"(?P<label>\S+) (?P<one>[^\s:]+):(?P<source>\S+) (?P<two>[^\s:]+):(?P<target>\S+)\s*")
EQUIVALENCE = re.compile(r"(?P<label>\S+)(?P<members>(?: \S+)+)\s*")


class Carried(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What our notes carry of one annotation; cluster: the value of the entity's cluster."""

    value: str | None = None
    score: float | None = None
    cluster: str | None = None


def read(path: Path, *, schema: str) -> Conversion:
    """Read one ``.ann`` file, or all of them in a folder and below it; hidden ones are left out.

    schema: the schema reference that the documents get. Their ids are the names of the files,
    without suffix; their layers are entities, relations and clusters (every equivalence, of
    whatever name), and values where a note of ours carries one.

    Where a surface differs from the text at its offsets the offsets win (note ``malformed``);
    spans outside the text and links to what is missing are left out (``malformed``); events,
    attributes, normalisations and people's notes are ``skipped``.

    Raises FormatError [brat-line] for a line that is none of the format, [brat-id] for an id
    given twice, [brat-text] for a missing text file, [brat-folder] for a folder without ``.ann``
    or with two of one name, and what ``files`` raises.
    """
    if not path.is_dir():
        return _read(path, schema)
    found = files.below(path, (".ann",))
    if not found:
        raise FormatError(
            str(path), "brat-folder", "no .ann file in this folder or below. Name one that has some."
        )
    repeated = [name for name, count in Counter(file.stem for file in found).items() if count > 1]
    if repeated:
        raise FormatError(
            str(path),
            "brat-folder",
            f"two files are named {repeated[0]}.ann, and so would be two documents. Read each by itself.",
        )
    return joined(_read(file, schema) for file in found)


def write(folder: Path, document: Document) -> None:
    """Write ``<id>.txt`` and ``<id>.ann`` into a folder, each whole or not at all.

    Ids that brat can't have are given anew, for all of the document. Title, date, meta and
    layers have no place in brat. Raises what ``dumps`` raises, and WriteError.
    """
    annotations = dumps(document)
    target = files.path_for(folder, document.id, ".ann")
    files.write(files.path_for(folder, document.id, ".txt"), document.text or "")
    files.write(target, annotations)


def dumps(document: Document, *, coreference: str = "same_as") -> str:
    """The content of the ``.ann`` file: entities, relations, clusters, and our notes.

    coreference: the name that equivalences get.

    Raises ValueError for a document without text, an annotation outside the text, links to
    what is missing, an entity in a cluster twice or in two, and a label with white space.
    """
    text = _writable(document)
    document = document.ordered()
    regular = all(re.fullmatch(r"T[0-9]+", entity.id) for entity in document.entities)
    regular = regular and all(re.fullmatch(r"R[0-9]+", relation.id) for relation in document.relations)
    numbers = [relation.id for relation in document.relations]
    if not regular or len(set(numbers)) < len(numbers):
        document = document.renumbered()
    notes: dict[str, Carried] = {}
    lines = []
    for entity in document.entities:
        spans = ";".join(f"{start} {end}" for start, end in entity.spans)
        lines.append(f"{entity.id}\t{entity.label} {spans}\t{_one_line(entity.cut(text))}\n")
        notes[entity.id] = Carried(value=entity.value, score=entity.score)
    for relation in document.relations:
        lines.append(f"{relation.id}\t{relation.label} Arg1:{relation.source} Arg2:{relation.target}\n")
        notes[relation.id] = Carried(score=relation.score)
    for cluster in document.clusters:
        if len(cluster.members) > 1:
            lines.append(f"*\t{coreference} {' '.join(cluster.members)}\n")
        first = cluster.members[0]
        notes[first] = msgspec.structs.replace(notes[first], cluster=cluster.value)
    carried = [(owner, note) for owner, note in notes.items() if note != Carried()]
    for number, (owner, note) in enumerate(carried, 1):
        content = json.dumps(msgspec.to_builtins(note), ensure_ascii=True)
        lines.append(f"#{number}\tAnnotatorNotes {owner}\t{OURS}{content}\n")
    return "".join(lines)


def _writable(document: Document) -> str:
    where, text = document.id, document.text
    if text is None:
        raise ValueError(f"{where}: a stand-off document without its text has no brat form")
    known = Counter(entity.id for entity in document.entities)
    repeated = [identifier for identifier, count in known.items() if count > 1]
    if repeated:
        raise ValueError(f"{where}: two entities have the id {repeated[0]}")
    labels = [entity.label for entity in document.entities]
    labels += [relation.label for relation in document.relations]
    for label in labels:
        if not re.fullmatch(r"\S+", label):
            raise ValueError(f"{where}: the label {label!r} can't stand in brat")
    for entity in document.entities:
        if entity.end > len(text):
            raise ValueError(
                f"{where}: entity {entity.id} ends at {entity.end}, but the text has {len(text)} code points"
            )
    members = [member for cluster in document.clusters for member in cluster.members]
    ends = [end for relation in document.relations for end in (relation.source, relation.target)]
    missing = [end for end in (*ends, *members) if end not in known]
    if missing:
        raise ValueError(f"{where}: a relation or cluster points at {missing[0]}, which is no entity")
    if len(set(members)) < len(members):
        raise ValueError(f"{where}: an entity stands in a cluster twice, or in two clusters")
    return text


def _one_line(surface: str) -> str:
    return re.sub(r"[\r\n\t]", " ", surface)


def _read(path: Path, schema: str) -> Conversion:
    place = path.with_suffix(".txt")
    if path.suffix.lower() != ".ann":
        raise FormatError(
            str(path), "brat-line", "expected a file ending in .ann, or a folder of such files."
        )
    content = files.decode(files.read_bytes(path), str(path))
    files.refuse_bare_returns(content, path)
    if not place.exists():
        raise FormatError(
            str(path), "brat-text", f"its text {place.name} is missing. Put it beside the annotations."
        )
    text = files.decode(files.read_bytes(place), str(place))
    return _Reader(path, text, schema).conversion(content)


class _Reader:
    """Reads one file; keeps the line number for errors and notes."""

    def __init__(self, path: Path, text: str, schema: str) -> None:
        self.path = path
        self.text = text
        self.schema = schema
        self.line = 0
        self.notes: list[tuple[int, Note]] = []
        self.lines: dict[str, int] = {}
        self.entities: dict[str, Entity] = {}
        self.relations: dict[str, Relation] = {}
        self.equivalences: list[tuple[str, ...]] = []
        self.carried: dict[str, Carried] = {}
        self.later: list[tuple[int, Callable[[str, str], None], str, str]] = []

    def fail(self, check: str, message: str) -> FormatError:
        return FormatError(f"{self.path}:{self.line}", check, message)

    def note(self, kind: Kind, message: str) -> None:
        self.notes.append((self.line, Note(f"{self.path}:{self.line}", kind, message)))

    def conversion(self, content: str) -> Conversion:
        for self.line, line in enumerate(content.split("\n"), 1):
            line = line.removesuffix("\r")
            if line.strip():
                self.annotation(line)
        for number, read, identifier, body in sorted(self.later, key=lambda item: item[2][:1] == "#"):
            self.line = number
            read(identifier, body)
        clusters = tuple(self.clusters())
        entities = tuple(self.with_value(entity) for entity in self.entities.values())
        relations = tuple(self.with_score(relation) for relation in self.relations.values())
        values = any(value is not None for value in self.values())
        document = Document.new(
            id=files.stem(self.path),
            text=self.text,
            schema=self.schema,
            title=first_line(self.text),
            layers=(*LAYERS, "values") if values else LAYERS,
            entities=entities,
            relations=relations,
            clusters=clusters,
        )
        notes = sorted(self.notes, key=lambda pair: pair[0])
        return Conversion((document.ordered(),), tuple(note for _, note in notes))

    def annotation(self, line: str) -> None:
        identifier, _, body = line.partition("\t")
        kind = identifier[:1]
        if not body or kind not in {*"TR*#", *NAMES}:
            raise self.fail(
                "brat-line",
                f"found {line[:60]!r}, expected an annotation of brat: an id that begins with T, R, *, E, A, "
                "M, N or #, a tab, and what it says. Mend the line.",
            )
        if identifier != "*":
            if identifier in self.lines:
                raise self.fail(
                    "brat-id",
                    f"the id {identifier} stands in line {self.lines[identifier]} too. Give it another.",
                )
            self.lines[identifier] = self.line
        if kind == "T":
            self.entity(identifier, body)
        elif kind in NAMES:
            self.note("skipped", f"{identifier} is {NAMES[kind]}, which isn't read.")
        else:
            read = {"R": self.relation, "*": self.equivalence, "#": self.remark}[kind]
            self.later.append((self.line, read, identifier, body))

    def entity(self, identifier: str, body: str) -> None:
        where, _, surface = body.partition("\t")
        match = SPAN.fullmatch(where)
        if match is None:
            raise self.fail(
                "brat-line", f"found {where[:60]!r}, expected `LABEL START END`, as in `GPE 0 9`."
            )
        spans = [
            (int(start), int(end)) for start, end in (part.split() for part in match["spans"].split(";"))
        ]
        try:
            entity = Entity(
                id=identifier,
                start=spans[0][0],
                end=spans[-1][1],
                fragments=tuple(spans) if len(spans) > 1 else (),
                label=match["label"],
            )
        except ValueError as error:
            self.note("malformed", f"{error}; it is left out.")
            return
        if entity.end > len(self.text):
            size = f"the text has {len(self.text)} code points"
            self.note("malformed", f"{identifier} ends at {entity.end}, but {size}; it is left out.")
            return
        actual = entity.cut(self.text)
        if surface and _one_line(surface) != _one_line(actual):
            self.note(
                "malformed",
                f"{identifier} states the surface {surface[:60]!r}, but the text has {actual[:60]!r} at "
                f"{match['spans']}; the offsets are kept.",
            )
        self.entities[identifier] = msgspec.structs.replace(entity, surface=actual)

    def relation(self, identifier: str, body: str) -> None:
        match = RELATION.fullmatch(body)
        if match is None:
            raise self.fail(
                "brat-line",
                f"found {body[:60]!r}, expected `LABEL Arg1:ID Arg2:ID`, as in `holds_role Arg1:T1 Arg2:T2`.",
            )
        source, target = match["source"], match["target"]
        if (match["one"], match["two"]) == ("Arg2", "Arg1"):  # other names stand in order
            source, target = target, source
        if self.present(identifier, (source, target)):
            self.relations[identifier] = Relation(
                id=identifier, label=match["label"], source=source, target=target
            )

    def equivalence(self, identifier: str, body: str) -> None:
        match = EQUIVALENCE.fullmatch(body)
        if identifier != "*" or match is None:
            raise self.fail(
                "brat-line", f"found {body[:60]!r}, expected `* NAME ID ID`, as in `* same_as T1 T5`."
            )
        members = tuple(match["members"].split())
        if self.present("an equivalence", members):
            self.equivalences.append(members)

    def present(self, owner: str, ends: Iterable[str]) -> bool:
        """Whether all ends are entities that were read; a note if one is not."""
        for end in ends:
            if end in self.entities:
                continue
            if end[:1] in NAMES and end in self.lines:
                self.note(
                    "skipped", f"{owner} points at {end}, {NAMES[end[0]]}, which isn't read; it is left out."
                )
            else:
                self.note(
                    "malformed", f"{owner} points at {end}, which is no span of the text; it is left out."
                )
            return False
        return True

    def remark(self, identifier: str, body: str) -> None:
        head, _, content = body.partition("\t")
        kind, _, owner = head.partition(" ")
        if kind != "AnnotatorNotes" or not content.startswith(OURS):
            self.note("skipped", f"{identifier} is a note ({kind}), which isn't read.")
            return
        try:
            carried = msgspec.convert(files.from_json(content.removeprefix(OURS)), Carried)
            entity_only = carried.value is not None or carried.cluster is not None
            if owner not in self.entities and (owner not in self.relations or entity_only):
                raise ValueError(f"{owner} has no place for it")
            if owner in self.carried:
                raise ValueError(f"{owner} has another such note")
            if carried.score is not None and not 0 <= carried.score <= 1:
                raise ValueError(f"score {carried.score} must be from 0 to 1")
        except (ValueError, msgspec.ValidationError) as error:
            self.note("malformed", f"{identifier} carries what can't be read ({error}); it is left out.")
            return
        self.carried[owner] = carried

    def clusters(self) -> Iterator[Cluster]:
        """The equivalences, joined where they share a member, and entities with a cluster's value."""
        groups = components(self.equivalences)
        grouped = {member for group in groups for member in group}
        groups += [
            (owner,)
            for owner, note in self.carried.items()
            if note.cluster is not None and owner not in grouped
        ]
        number = 0
        for group in groups:
            values: dict[str, int] = {}
            for member in group:
                cluster = self.carried.get(member, Carried()).cluster
                if cluster is not None:
                    values.setdefault(cluster, self.lines[member])
            for other, line in list(values.items())[1:]:
                self.line = line
                self.note("malformed", f"the cluster has another value too; {other!r} is left out.")
            value = next(iter(values), None)
            if len(group) > 1 or value is not None:
                number += 1
                yield Cluster(id=f"C{number}", members=group, value=value)

    def values(self) -> Iterator[str | None]:
        for note in self.carried.values():
            yield note.value
            yield note.cluster

    def with_value(self, entity: Entity) -> Entity:
        carried = self.carried.get(entity.id, Carried())
        return msgspec.structs.replace(entity, value=carried.value, score=carried.score)

    def with_score(self, relation: Relation) -> Relation:
        return msgspec.structs.replace(relation, score=self.carried.get(relation.id, Carried()).score)
