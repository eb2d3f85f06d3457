"""Options and types that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dragoman import schema as schemas
from dragoman.errors import SchemaError

Command = TypeVar("Command", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)

MODEL = click.option(
    "-m",
    "--model",
    type=PATH,
    default=Path("build/models/linear"),
    show_default=True,
    help="Model folder, as `dragoman train` writes it.",
)

PLACES = click.argument("places", nargs=-1, required=True, type=PATH)


def schema_option(command: Command) -> Command:
    """Add --schema, the nearest annotation/schema.toml unless given."""
    return click.option(
        "--schema",
        "schema_path",
        type=PATH,
        help="Schema file; the nearest annotation/schema.toml at or above the input if not given.",
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
