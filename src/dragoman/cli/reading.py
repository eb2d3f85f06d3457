"""Reading documents of any format for a command, and the options that say how."""

from __future__ import annotations

from pathlib import Path

import click

from dragoman import corpus
from dragoman.cli.options import Command
from dragoman.errors import visible
from dragoman.formats import anything
from dragoman.formats.anything import FORMS as FORMS_READ
from dragoman.formats.tags import MODES, PREFIXES
from dragoman.schema import Schema
from dragoman.types import Document

MOST_NOTES = 20


def form_options(command: Command) -> Command:
    """Add --form, --dialect and --mode: how files of other formats are read."""
    for option in (
        click.option("--mode", type=click.Choice(MODES), help="How CoNLL's malformed tags are read."),
        click.option("--dialect", help=f"Of CoNLL's tags: {', '.join(PREFIXES)}."),
        click.option(
            "--form", "form_read", type=click.Choice(FORMS_READ), help="Format of both sides; else by name."
        ),
    ):
        command = option(command)
    return command


def predicted_options(command: Command) -> Command:
    """Add --predicted-form and --predicted-dialect, for predictions in another format than the gold."""
    for option in (
        click.option("--predicted-dialect", help="Of CoNLL's tags in the predictions, if another."),
        click.option(
            "--predicted-form", type=click.Choice(FORMS_READ), help="Format of the predictions, if another."
        ),
    ):
        command = option(command)
    return command


def read_predicted(
    place: Path,
    schema: Schema,
    options: tuple[str | None, str | None, str | None],
    own: tuple[str | None, str | None],
) -> tuple[tuple[Document, ...], dict[str, int]]:
    """Predictions as ``read_any`` reads them; of an export without any annotation, its predictions.

    options: --form, --dialect and --mode of both sides. own: --predicted-form and --predicted-dialect.
    """
    form, dialect, mode = options
    if own[0] is not None:
        form, dialect = own[0], None
    return read_any(place, schema, form, own[1] or dialect, mode, predictions=True)


def tag_settings(
    options: tuple[str | None, str | None, str | None], own: tuple[str | None, str | None]
) -> dict[str, str]:
    """How tags were read, as a signature says it; options, own: as for ``read_predicted``."""
    form, dialect, mode = options
    found = {} if dialect is None or form not in (None, "conll") else {"tags": f"{dialect}, {mode}"}
    other = own[1]
    if other is not None and other != dialect:
        found["predicted-tags"] = f"{other}, {mode}"
    return found


def read_any(
    place: Path,
    schema: Schema,
    form: str | None,
    dialect: str | None,
    mode: str | None,
    *,
    predictions: bool = False,
) -> tuple[tuple[Document, ...], dict[str, int]]:
    """Documents of any format, and how many notes of each kind their reader made.

    predictions: as for ``labelstudio.read``.
    """
    if not place.exists() or (form is None and not anything.is_foreign(place)):
        return corpus.load(place, schema=schema.reference), {}
    name = "document" if place.is_file() else None
    found = anything.read(
        place,
        schema=schema.reference,
        form=form,
        dialect=dialect,
        mode=mode,
        name=name,
        predictions=predictions,
    )
    for note in found.notes[:MOST_NOTES]:
        click.echo(visible(str(note)), err=True)
    if len(found.notes) > MOST_NOTES:
        click.echo(f"{place}: {len(found.notes) - MOST_NOTES} more notes", err=True)
    return found.documents, found.counts()
