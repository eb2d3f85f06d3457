"""Options and types that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from dragoman import schema as schemas
from dragoman.errors import DragomanError, SchemaError

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

MODEL = click.option(
    "-m",
    "--model",
    type=PATH,
    help="Model folder, as `dragoman train` writes it; else build/models/linear of the project here.",
)

SEED = click.IntRange(0, 2**32 - 1)

PLACES = click.argument("places", nargs=-1, required=True, type=PATH)


def default_model(start: Path | None = None) -> Path:
    """build/models/linear of the nearest project at or above ``start``, else of this folder."""
    try:
        root = schemas.find(start or Path.cwd()).parent.parent
    except SchemaError:
        root = Path()
    return root / "build" / "models" / "linear"


def refuse_input(out: Path | None, places: Iterable[Path]) -> None:
    """Raise DragomanError if a file to write is one of those that are read."""
    if out is None:
        return
    target = out.resolve()
    for place in map(Path.resolve, places):
        if target == place or (place.is_dir() and target.is_relative_to(place)):
            raise DragomanError(f"{out}: is one of the inputs or lies among them. Choose another -o.")


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural where it is due.

    >>> counted(1, "article"), counted(2, "article")
    ('1 article', '2 articles')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def project(given: Path | None, *starts: Path) -> Path:
    """The project folder of the schema that ``find_schema`` finds for the same arguments."""
    if given is not None:
        return given.resolve().parent.parent
    for start in (*starts, Path.cwd()):
        try:
            return schemas.find(start).parent.parent
        except SchemaError:
            continue
    return Path.cwd()


def schema_option(command: Command) -> Command:
    """Add --schema, the nearest annotation/schema.toml unless given."""
    return click.option(
        "--schema",
        "schema_path",
        type=PATH,
        help="Schema file; else the nearest annotation/schema.toml at or above the input or this folder.",
    )(command)


def find_schema(given: Path | None, *starts: Path) -> schemas.Schema:
    """The schema named, else the nearest one above the first start, else above the current folder."""
    if given is not None:
        return schemas.read(given)
    for start in starts:
        try:
            nearest = schemas.find(start)
        except SchemaError:
            continue
        return schemas.read(nearest)
    return schemas.read(schemas.find(Path.cwd()))
