r"""Inline notation: annotated articles as plain text that people can write.

    id: lakeside-accord-1987
    date: 1987-05-04
    kind: treaty signing

    [Freedonia]{T1 GPE} signed the [Lakeside Accord]{T2 AGREEMENT} on [Sunday]{T3 DATE =1987-05-03}.
    ---
    T1 party_to T2
    T2 held_on T3
    C T1 = XF

Header, empty line, the text with marks, a line ``---``, then one annotation per line.
A mark may hold another; ``\`` stands before a literal ``[ ] { } \`` and before a line
that would read ``---``. Several ids on either side of a relation mean every pair. Spans
that marks cannot show (crossing, discontinuous) stand after the text, by offsets:
``T9 EVENT @10-14,20-24``. ``#`` at a word's start begins a comment there.

The writer is lossless: what it writes reads as the same document, and it refuses what
the notation cannot hold (a document without text, an id with white space).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from dragoman.errors import FormatError
from dragoman.formats import files
from dragoman.types import (
    FORMAT,
    LAYERS,
    Cluster,
    Document,
    Entity,
    Producer,
    Relation,
    Source,
    first_line,
    text_hash,
)

END = "---"
SPECIAL = frozenset("[]{}\\")
TEXTUAL = ("format", "schema", "id", "title", "date", "sha256")
RESERVED = (*TEXTUAL, "producer", "source", "layers")
ATTRIBUTE = re.compile(r'\s*(?:=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"]\S*)|~(?P<score>[-+.0-9e]+))')
WORD = r"[^\s\[\]{}=~@#:\"][^\s:{}\"]*"
COMMENT = re.compile(r'("(?:[^"\\]|\\.)*"?)|(?:(?<=\s)|^)#.*')
LOOSE = re.compile(r'((?:"(?:[^"\\]|\\.)*"|[^"])*?) @([0-9,-]+)(?: surface (.*))?')


def read(path: Path, *, schema: str) -> Document:
    """Read one annotated article; FormatError names file and line.

    schema: the schema reference the document gets where its header names none.
    """
    content = files.decode(files.read_bytes(path), str(path)).removeprefix("\ufeff")
    return parse(content, str(path), schema=schema)


def parse(content: str, place: str, *, schema: str) -> Document:
    """Read one annotated article from a string; ``place`` names it in errors."""
    return _Reader(content, place).document(schema)


def looks_like(content: str) -> bool:
    """Whether a text begins with a header that names an id and has the line that ends the text."""
    header, blank, rest = content.partition("\n\n")
    return bool(blank) and re.search(r"(?m)^id: ", header) is not None and f"\n{END}\n" in f"\n{rest}\n"


def dumps(document: Document, *, comments: bool = False) -> str:
    """The document in inline notation.

    comments: put the surfaces behind each relation, for a reader's eye.
    Raises ValueError for what the notation cannot hold.
    """
    if document.text is None:
        raise ValueError(f"{document.id}: a stand-off document without its text has no inline form")
    text = document.text
    document = document.ordered()
    identifiers = {entity.id for entity in document.entities}
    identifiers |= {relation.id for relation in document.relations}
    identifiers |= {end for relation in document.relations for end in (relation.source, relation.target)}
    for cluster in document.clusters:
        identifiers |= {cluster.id, *cluster.members}
    for identifier in identifiers:
        if not re.fullmatch(WORD, identifier) or identifier == "C":
            raise ValueError(f"{document.id}: the id {identifier!r} can't be written inline")
    labels = {entity.label for entity in document.entities}
    for label in labels | {relation.label for relation in document.relations}:
        if not re.fullmatch(WORD, label):
            raise ValueError(f"{document.id}: the label {label!r} can't be written inline")
    marked, loose = _nest(document.entities, text)
    header = "".join(f"{key}: {value}\n" for key, value in _header(document))
    body = _mark(text, marked)
    return (
        header
        + "\n"
        + body
        + "\n"
        + END
        + "\n"
        + "".join(line + "\n" for line in _tail(document, loose, comments))
    )


def _header(document: Document) -> Iterator[tuple[str, str]]:
    yield "schema", _scalar(document.schema)
    yield "id", _scalar(document.id)
    if document.title != first_line(document.text or ""):
        yield "title", "null" if document.title is None else _scalar(document.title)
    if document.date is not None:
        yield "date", _scalar(document.date)
    for name in ("producer", "source"):
        value = getattr(document, name)
        if value is not None:
            yield name, json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
    if document.layers != LAYERS:
        yield "layers", json.dumps(document.layers)
    if document.sha256 != text_hash(document.text or ""):
        yield "sha256", _scalar(document.sha256)
    for key, value in document.meta.items():
        plain = re.fullmatch(r"[^\s:\"][^:\n\r]*(?<!\s)", key) is not None
        plain = plain and key not in RESERVED and not key.startswith("meta.")
        yield (
            key if plain else "meta." + json.dumps(key),
            _scalar(value)
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, allow_nan=False),
        )


def _scalar(value: str) -> str:
    try:
        files.from_json(value)
        plain = False
    except ValueError:
        plain = value == value.strip() and value[:1] not in ("", '"', "[", "{")
    return (
        value if plain and "\n" not in value and "\r" not in value else json.dumps(value, ensure_ascii=False)
    )


def _nest(entities: Sequence[Entity], text: str) -> tuple[list[Entity], list[Entity]]:
    """Split into entities that nest within one another, outermost first, and the rest."""
    marked: list[Entity] = []
    loose: list[Entity] = []
    open_ends: list[int] = []
    for entity in sorted(entities, key=lambda e: (e.start, -e.end)):
        while open_ends and open_ends[-1] <= entity.start:
            open_ends.pop()
        fits = not open_ends or entity.end <= open_ends[-1]
        inside = entity.end <= len(text)
        if fits and inside and not entity.fragments and entity.surface == entity.cut(text):
            marked.append(entity)
            open_ends.append(entity.end)
        else:
            loose.append(entity)
    return marked, loose


def _mark(text: str, marked: Sequence[Entity]) -> str:
    opening: dict[int, int] = {}
    closing: dict[int, list[Entity]] = {}
    for entity in marked:
        opening[entity.start] = opening.get(entity.start, 0) + 1
    for entity in reversed(marked):
        closing.setdefault(entity.end, []).append(entity)
    parts: list[str] = []
    for position, character in enumerate(text + "\0"):
        parts += [f"]{{{_attributes(entity)}}}" for entity in closing.get(position, ())]
        parts.append("[" * opening.get(position, 0))
        if position < len(text):
            parts.append("\\" + character if character in SPECIAL else character)
    body = "".join(parts)
    return re.sub(rf"(?m)^(?={END}$)", r"\\", body)


def _attributes(entity: Entity) -> str:
    words = [entity.id, entity.label]
    if entity.value is not None:
        words.append("=" + _word(entity.value))
    if entity.score is not None:
        words.append(f"~{entity.score!r}")
    return " ".join(words)


def _word(value: str) -> str:
    return value if re.fullmatch(r"[^\s\"{}\[\]#\\@]+", value) else json.dumps(value)


def _tail(document: Document, loose: Sequence[Entity], comments: bool) -> Iterator[str]:
    for entity in loose:
        spans = ",".join(f"{start}-{end}" for start, end in entity.spans)
        surface = (
            ""
            if entity.surface == _safe_cut(entity, document.text)
            else f" surface {json.dumps(entity.surface)}"
        )
        yield f"{_attributes(entity)} @{spans}{surface}"
    surfaces = {entity.id: entity.surface for entity in document.entities}
    for number, relation in enumerate(document.relations, 1):
        name = "" if relation.id == f"R{number}" else f"{relation.id}: "
        score = "" if relation.score is None else f" ~{relation.score!r}"
        line = f"{name}{relation.source} {relation.label} {relation.target}{score}"
        if comments:
            shown = (surfaces.get(relation.source), relation.label, surfaces.get(relation.target))
            line += "  # " + " ".join(json.dumps(part, ensure_ascii=False).strip('"') for part in shown)
        yield line
    for number, cluster in enumerate(document.clusters, 1):
        name = "" if cluster.id == f"C{number}" else f"{cluster.id}: "
        value = "" if cluster.value is None else " = " + _word(cluster.value)
        yield f"{name}C {' '.join(cluster.members)}{value}"


def _safe_cut(entity: Entity, text: str | None) -> str | None:
    return entity.cut(text) if text is not None and entity.end <= len(text) else None


T = TypeVar("T", Relation, Cluster)


class _Reader:
    """Reads one article; keeps the line number for errors."""

    def __init__(self, content: str, place: str) -> None:
        self.lines = content.split("\n")
        self.place = place
        self.line = 0
        self.fields: dict[str, Any] = {}
        self.meta: dict[str, Any] = {}
        self.entities: list[Entity] = []
        self.ids: set[str] = set()
        self.relations: list[tuple[str | None, Relation]] = []
        self.clusters: list[tuple[str | None, Cluster]] = []

    def fail(self, check: str, message: str) -> FormatError:
        return FormatError(f"{self.place}:{self.line}", check, message)

    def document(self, schema: str) -> Document:
        self.header()
        text = self.body()
        while self.line < len(self.lines):
            self.line += 1
            line = COMMENT.sub(lambda match: match[1] or "", self.lines[self.line - 1]).strip()
            if line:
                self.annotation(line, text)
        fields: dict[str, Any] = {
            "format": FORMAT,
            "schema": schema,
            "title": first_line(text),
            "layers": LAYERS,
            "sha256": text_hash(text),
            **self.fields,
        }
        fields["layers"] = tuple(fields["layers"])
        if "id" not in fields:
            self.line = 1
            raise self.fail("inline-header", "the header has no id. Add a line `id: <article-id>`.")
        try:
            return Document(
                text=text,
                meta=self.meta,
                entities=tuple(self.entities),
                relations=tuple(_numbered("R", self.relations)),
                clusters=tuple(_numbered("C", self.clusters)),
                **fields,
            ).ordered()
        except (TypeError, ValueError) as error:
            raise self.fail("inline-header", str(error)) from error

    def header(self) -> None:
        while True:
            self.line += 1
            if self.line > len(self.lines):
                raise self.fail("inline-header", "no empty line ends the header. Add one before the text.")
            line = self.lines[self.line - 1].rstrip("\r")
            if not line:
                return
            quoted = re.match(r'meta\.("(?:[^"\\]|\\.)*"): ?(.*)', line)
            plain = re.match(r"([^\s:][^:]*): ?(.*)", line)
            found = quoted or plain
            if found is None:
                raise self.fail(
                    "inline-header",
                    f"found {line[:60]!r}, expected `key: value`; an empty line ends the header.",
                )
            key = self.json(found[1], "inline-header") if quoted else found[1]
            raw = key in TEXTUAL and not quoted and found[2][:1] != '"'
            raw = raw and not (key == "title" and found[2] == "null")
            self.field(key, found[2].strip() if raw else self.value(found[2]), in_meta=quoted is not None)

    def field(self, key: str, value: Any, *, in_meta: bool) -> None:
        target = self.meta if in_meta or key not in RESERVED else self.fields
        if key in target:
            raise self.fail("inline-header", f"the key {key!r} stands twice. Remove one.")
        if target is self.fields and key in ("producer", "source"):
            try:
                value = msgspec.convert(value, Producer if key == "producer" else Source)
            except msgspec.ValidationError as error:
                raise self.fail("inline-header", f"{key}: {error}") from error
        elif target is self.fields and key == "format" and value != FORMAT:
            raise self.fail(
                "unknown-format", f"the format is {value!r}, expected {FORMAT!r}. Remove the line."
            )
        elif target is self.fields and key == "layers":
            strings = isinstance(value, list) and all(isinstance(name, str) for name in value)
            if not strings:
                raise self.fail("inline-header", f"layers: expected a JSON list of names, found {value!r}.")
        target[key] = value

    def value(self, written: str) -> Any:
        written = written.strip()
        if written[:1] in ("[", "{", '"'):
            return self.json(written, "inline-header")
        try:
            return files.from_json(written)
        except ValueError:
            return written

    def json(self, written: str, check: str) -> Any:
        try:
            return files.from_json(written)
        except ValueError as error:
            raise self.fail(check, f"{written[:60]!r} is not JSON ({error}).") from error

    def body(self) -> str:
        first = self.line
        try:
            last = self.lines.index(END, first)
        except ValueError:
            if any(line.rstrip(" \t") == END for line in self.lines[first:]):
                advice = f"white space follows the line `{END}` that ends the text. Remove it."
            elif f"{END}\r" in self.lines:
                advice = "the line ends are CRLF, and a text keeps its own. Save the file with LF."
            else:
                advice = f"no line `{END}` ends the text. Add one, then the relations."
            raise self.fail("inline-text", advice) from None
        out: list[str] = []
        length = 0
        stack: list[tuple[int, int]] = []
        for self.line in range(first + 1, last + 1):
            line = self.lines[self.line - 1]
            if re.fullmatch(r"\\" + END, line):
                line = line[1:]
            if self.line > first + 1:
                out.append("\n")
                length += 1
            position = 0
            while position < len(line):
                character = line[position]
                position += 1
                if character == "[":
                    stack.append((length, self.line))
                elif character == "]":
                    if not stack:
                        raise self.fail("inline-mark", "a ] closes no mark. Write \\] for a literal one.")
                    close = line.find("}", position)
                    if line[position : position + 1] != "{" or close < 0:
                        raise self.fail(
                            "inline-mark", "a ] must be followed by {ID LABEL}, as in [Rome]{T1 GPE}."
                        )
                    attributes = self.closing(line, position)
                    self.entity(attributes[0], ((stack.pop()[0], length),))
                    position = attributes[1]
                elif character in "{}":
                    raise self.fail(
                        "inline-mark", f"a bare {character}. Write \\{character} for a literal one."
                    )
                else:
                    if character == "\\":
                        if line[position : position + 1] not in SPECIAL or position >= len(line):
                            raise self.fail("inline-mark", "a single \\. Write \\\\ for a literal one.")
                        character = line[position]
                        position += 1
                    out.append(character)
                    length += 1
        if stack:
            self.line = stack[-1][1]
            raise self.fail(
                "inline-mark", "a [ is never closed. Add ]{ID LABEL}, or write \\[ for a literal one."
            )
        self.line = last + 1
        text = "".join(out)
        self.entities = [msgspec.structs.replace(e, surface=e.cut(text)) for e in self.entities]
        return text

    def closing(self, line: str, position: int) -> tuple[str, int]:
        """The attributes between { and }, quotes respected, and the position after."""
        match = re.compile(r'\{((?:"(?:[^"\\]|\\.)*"|[^"}])*)\}').match(line, position)
        if match is None:
            raise self.fail("inline-mark", "the attributes after ] have no closing }.")
        return match[1].strip(), match.end()

    def entity(
        self, attributes: str, spans: tuple[tuple[int, int], ...], text: str = "", surface: Any = ...
    ) -> None:
        words = attributes.split(None, 2)
        if len(words) < 2:
            raise self.fail(
                "inline-mark", f"found {{{attributes}}}, expected {{ID LABEL}}, as in [Rome]{{T1 GPE}}."
            )
        value, score = self.attributes(words[2] if len(words) > 2 else "")
        start, end = spans[0][0], spans[-1][1]
        fragments = spans if len(spans) > 1 else ()
        try:
            entity = Entity(
                id=words[0],
                start=start,
                end=end,
                fragments=fragments,
                label=words[1],
                value=value,
                score=score,
            )
        except ValueError as error:
            raise self.fail("inline-mark", str(error)) from error
        if surface is ...:
            surface = _safe_cut(entity, text)
        self.entities.append(msgspec.structs.replace(entity, surface=surface))
        self.ids.add(entity.id)

    def attributes(self, written: str) -> tuple[str | None, float | None]:
        value: str | None = None
        score: float | None = None
        position = 0
        while position < len(written.rstrip()):
            match = ATTRIBUTE.match(written, position)
            if match is None:
                raise self.fail("inline-mark", f"found {written[position:]!r}, expected =VALUE or ~SCORE.")
            try:
                if match["score"]:
                    score = float(match["score"])
                else:
                    value = files.from_json(match["value"]) if match["value"][0] == '"' else match["value"]
            except ValueError as error:
                raise self.fail("inline-mark", f"{match.group()!r}: {error}.") from error
            position = match.end()
        return value, score

    def annotation(self, line: str, text: str) -> None:
        name = None
        named = re.match(rf"({WORD}): +(.*)", line) or re.match(r"([^\s:]+): +(.*)", line)
        if named:
            name, line = named[1], named[2]
        if line.startswith("C ") or line == "C":
            self.cluster(name, line)
        elif loose := LOOSE.fullmatch(line):
            try:
                spans = tuple((int(a), int(b)) for a, b in (part.split("-") for part in loose[2].split(",")))
            except ValueError:
                raise self.fail(
                    "inline-mark", f"found {line[:80]!r}, expected ID LABEL @START-END."
                ) from None
            surface = ... if loose[3] is None else self.json(loose[3], "inline-mark")
            if not (surface is ... or surface is None or isinstance(surface, str)):
                raise self.fail(
                    "inline-mark", f"found the surface {surface!r}, expected a quoted string or null."
                )
            self.entity(loose[1], spans, text, surface)
        else:
            self.relation(name, line)

    def cluster(self, name: str | None, line: str) -> None:
        match = re.fullmatch(r'C((?: +[^\s=]\S*)+)(?: *= *("(?:[^"\\]|\\.)*"|\S+))?', line)
        if match is None:
            raise self.fail("inline-cluster", f"found {line!r}, expected `C T1 T2` or `C T1 = VALUE`.")
        value = match[2]
        if value is not None and value[0] == '"':
            value = self.json(value, "inline-cluster")
        try:
            cluster = Cluster(id=name or "C0", members=tuple(match[1].split()), value=value)
        except ValueError as error:
            raise self.fail("inline-cluster", str(error)) from error
        self.clusters.append((name, cluster))

    def relation(self, name: str | None, line: str) -> None:
        words = line.split()
        score: float | None = None
        if words and words[-1].startswith("~"):
            try:
                score = float(words.pop()[1:])
            except ValueError:
                raise self.fail("inline-relation", f"found {line!r}, the score is no number.") from None
        middles = [n for n, word in enumerate(words) if word not in self.ids and 0 < n < len(words) - 1]
        if len(middles) != 1:
            if len(words) == 3:
                middles = [1]
            else:
                unknown = [words[n] for n in middles]
                raise self.fail(
                    "inline-relation",
                    f"found {line!r}, expected `T1 T2 label T3`; "
                    + (
                        f"which of {', '.join(unknown)} is the label? The others are no entity."
                        if unknown
                        else "no label stands between ids."
                    ),
                )
        sources, label, targets = words[: middles[0]], words[middles[0]], words[middles[0] + 1 :]
        if name is not None and len(sources) * len(targets) > 1:
            raise self.fail("inline-relation", "a line of several pairs can't have an id. Remove it.")
        for source in sources:
            for target in targets:
                try:
                    relation = Relation(
                        id=name or "R0", label=label, source=source, target=target, score=score
                    )
                except ValueError as error:
                    raise self.fail("inline-relation", str(error)) from error
                self.relations.append((name, relation))


def _numbered(prefix: str, items: Sequence[tuple[str | None, T]]) -> list[T]:
    """Give the place in the list as id to those that have none of their own."""
    return [
        item if name is not None else msgspec.structs.replace(item, id=f"{prefix}{number}")
        for number, (name, item) in enumerate(items, 1)
    ]
