"""Names of countries with their codes: a table whose every entry names its source."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

import msgspec

from dragoman.errors import RecipeError
from dragoman.formats import files
from dragoman.iso3166 import is_code

Kind = Literal["name", "adjective", "capital", "city"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HEADER = "surface\tkind\tcode\tsource"


class Entry(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One surface that stands for a country; as JSON, a row of its fields.

    code: ISO 3166 alpha-2. source: the library, its version and the field.
    """

    surface: str
    kind: Kind
    code: str
    source: str


def dumps(entries: Iterable[Entry]) -> str:
    """The table as tab-separated text with a header line."""
    rows = ("\t".join((e.surface, e.kind, e.code, e.source)) for e in entries)
    return "\n".join((HEADER, *rows)) + "\n"


def read(path: Path) -> tuple[Entry, ...]:
    """Read a table; RecipeError names the line that is no entry."""
    lines = files.decode(files.read_bytes(path), str(path)).splitlines()
    if not lines or lines[0] != HEADER:
        raise RecipeError(f"{path}:1: [lexicon] expected the header {HEADER!r}")
    entries = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if len(fields) != 4 or fields[1] not in KINDS or not all(fields):
            raise RecipeError(
                f"{path}:{number}: [lexicon] found {line!r}, expected surface, kind "
                f"({', '.join(KINDS)}), code and source, separated by tabs"
            )
        if not is_code(fields[2]):
            raise RecipeError(f"{path}:{number}: [lexicon] {fields[2]!r} is no ISO 3166 alpha-2 code")
        entries.append(msgspec.convert(fields, Entry))
    return tuple(entries)


class Countries:
    """Looks up what a surface stands for."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """entries: of several for a surface, a name wins over an adjective, capital or city."""
        self.entries = tuple(sorted(entries))
        self._codes: dict[str, Entry] = {}
        for kind in KINDS:
            for entry in self.entries:
                if entry.kind == kind:
                    self._codes.setdefault(normal(entry.surface), entry)

    def find(self, surface: str) -> Entry | None:
        """The entry of a surface, whatever its case if it is longer than three characters."""
        key = normal(surface)
        if len(surface) <= 3 and surface != surface.upper():
            return None
        return self._codes.get(key)


def normal(surface: str) -> str:
    """The form under which surfaces are compared: lower case, no article, no full stops."""
    words = surface.lower().replace(".", "").split()
    return " ".join(words[1:] if words[:1] == ["the"] else words)
