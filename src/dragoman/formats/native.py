"""The document file: JSON, one annotation per line; and JSONL, one document per line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from dragoman.errors import FormatError
from dragoman.formats import files
from dragoman.types import FORMAT, Document

LISTS = (b'"text":', b'"entities":', b'"relations":', b'"clusters":')
ANNOTATIONS = ("entities", "relations", "clusters")
OMITTED_WHEN_NONE = ("title", "date", "producer", "source")
_DECODER = msgspec.json.Decoder(Document)


def read(path: Path) -> Document:
    """Read one document file.

    Raises FormatError naming file, line and rule: [unreadable], [not-utf8], [not-json],
    [unknown-format], [unknown-key] or [wrong-type].
    """
    return parse(files.read_bytes(path), str(path))


def parse(data: bytes, place: str) -> Document:
    """Read one document from bytes; ``place`` names them in errors."""
    try:
        document = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _explain(data, place, error) from error
    if document.format != FORMAT:
        raise _unknown_format(document.format, place)
    if any(data.count(key) > 1 for key in LISTS):
        refuse_repeated(data.decode("utf-8"), place)
    return document


def dumps(document: Document) -> str:
    """The document file's text, in canonical order; what was read is given back byte for byte.

    Raises ValueError for what UTF-8 cannot hold (a lone surrogate).
    """
    document = document.ordered()
    lines = []
    for name in document.__struct_fields__:
        value = getattr(document, name)
        if name in ANNOTATIONS:
            rows = ",\n".join(f"    {_json(msgspec.to_builtins(item))}" for item in value)
            lines.append(f'  "{name}": [\n{rows}\n  ]' if rows else f'  "{name}": []')
        elif value is not None or name not in OMITTED_WHEN_NONE:
            lines.append(f'  "{name}": {_json(msgspec.to_builtins(value))}')
    result = "{\n" + ",\n".join(lines) + "\n}\n"
    result.encode("utf-8")
    return result


def write(path: Path, document: Document) -> None:
    """Write one document file, whole or not at all."""
    files.write(path, dumps(document))


def read_lines(path: Path) -> Iterator[tuple[int, Document | FormatError]]:
    """Read JSONL as a stream of (line number, document); empty lines are skipped.

    A line that can't be read comes as its error, and the next one follows.
    """
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    yield number, parse(line, f"{path}:{number}")
                except FormatError as error:
                    yield number, error
    except OSError as error:
        raise FormatError(str(path), "unreadable", f"the file can't be read ({error.strerror}).") from error


def dump_line(document: Document) -> str:
    """One document as one line of JSONL, with the same keys in the same order."""
    document = document.ordered()
    content = {
        name: msgspec.to_builtins(getattr(document, name))
        for name in document.__struct_fields__
        if name not in OMITTED_WHEN_NONE or getattr(document, name) is not None
    }
    line = _json(content)
    line.encode("utf-8")
    return line + "\n"


def repeated_keys(data: str) -> tuple[str, ...]:
    """Keys that stand twice in one object of a JSON text, of which readers see only the last."""
    found: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        found.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)

    json.loads(data, object_pairs_hook=note)
    return tuple(found)


def refuse_repeated(data: str, place: str) -> None:
    """Raise FormatError [repeated-key] if a key stands twice in one object."""
    repeated = repeated_keys(data)
    if repeated:
        raise FormatError(
            place,
            "repeated-key",
            f"the key {repeated[0]!r} stands twice in one object, and only the last would be read. "
            "Remove one.",
        )


class Lines:
    """Finds the lines of a document file's keys and items, whatever its layout."""

    def __init__(self, data: str) -> None:
        """data: the file's text."""
        self._data = data
        self._items: dict[str, list[int]] = {}

    def of(self, section: str, index: int | None = None) -> int | None:
        """The line (from 1) of a top-level key or of one item of its list; None if not found."""
        key = re.search(rf'(?<!\\)"{section}"\s*:\s*', self._data)
        if key is None:
            return None
        if index is None:
            return self._data.count("\n", 0, key.end()) + 1
        if section not in self._items:
            self._items[section] = list(self._walk(key.end()))
        items = self._items[section]
        return items[index] if index < len(items) else None

    def _walk(self, position: int) -> Iterator[int]:
        """The line of every item of the list that begins at ``position``."""
        decoder = json.JSONDecoder()
        separator = re.compile(r"[\s,\[]*")
        line, counted = 1, 0
        while match := separator.match(self._data, position):
            position = match.end()
            line, counted = line + self._data.count("\n", counted, position), position
            try:
                _, position = decoder.raw_decode(self._data, position)
            except (ValueError, RecursionError):
                return
            yield line


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _unknown_format(found: object, place: str) -> FormatError:
    newer = re.fullmatch(r"dragoman/([0-9]{1,9})", str(found))
    if newer and int(newer[1]) > 1:
        advice = f"dragoman {newer[1]}.0 or later reads it."
    else:
        advice = f'Its first key must be "format": "{FORMAT}".'
    return FormatError(place, "unknown-format", f"the format is {found!r}, expected {FORMAT!r}. {advice}")


def _at(place: str, line: int) -> str:
    """The place with the line; that of a line in JSONL has it already."""
    return place if re.search(r"\.jsonl:[0-9]+$", place) else f"{place}:{line}"


def _explain(data: bytes, place: str, error: Exception) -> FormatError:
    text = files.decode(data, place)
    if text.startswith("\ufeff"):
        return FormatError(place, "not-json", "begins with a byte-order mark. Save it as UTF-8 without one.")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as bad:
        return FormatError(
            _at(place, bad.lineno),
            "not-json",
            f"{bad.msg} at column {bad.colno}, expected a document file in JSON. "
            "The file may be cut short; restore it or mend this line.",
        )
    except RecursionError:
        return FormatError(place, "not-json", "the JSON is nested too deeply to be a document file.")
    except ValueError as bad:  # a number of thousands of digits
        return FormatError(place, "not-json", f"a value can't be read ({bad}). Correct it.")
    if isinstance(content, dict) and content.get("format") != FORMAT:
        return _unknown_format(content.get("format"), place)
    message = str(error)
    path = re.search(r" - at `\$\.(\w+)(?:\[(\d+)\])?", message)
    line = Lines(text).of(path[1], int(path[2]) if path[2] else None) if path else 1
    check = "unknown-key" if "unknown field" in message else "wrong-type"
    return FormatError(
        _at(place, line) if line else place,
        check,
        f"{message}. The document file's keys and types are in docs/document-format.md.",
    )
