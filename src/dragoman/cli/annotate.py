"""``annotate``: commands for annotators and their tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
import msgspec

from dragoman.annotate.config import label_config
from dragoman.cli.options import PATH, SEED, find_schema, schema_option
from dragoman.cli.reading import form_options, read_any
from dragoman.errors import DragomanError
from dragoman.formats import files


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(annotate)


@click.group()
def annotate() -> None:
    """Prepare annotation, and compare annotators."""


@annotate.command()
@schema_option
@click.option("-o", "--out", type=PATH, help="File to write; stdout if not given.")
def config(schema_path: Path | None, out: Path | None) -> None:
    """Print the labelling configuration of Label Studio for the schema."""
    xml = label_config(find_schema(schema_path))
    if out is None:
        click.echo(xml, nl=False)
    else:
        files.write(out, xml)


@annotate.command()
@click.argument("rounds", metavar="ROUND...", type=PATH, nargs=-1, required=True)
@click.option(
    "--unit",
    type=click.Choice(["tokens", "spans", "pairs"]),
    default="tokens",
    show_default=True,
    help="What Krippendorff's alpha is over.",
)
@click.option(
    "--missing",
    type=click.Choice(["drop", "pairwise"]),
    default="drop",
    show_default=True,
    help="Compare the articles that all annotators did, or that two or more did.",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the bootstrap.")
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "json"]), default="table", show_default=True
)
@form_options
@schema_option
def agree(
    rounds: tuple[Path, ...],
    unit: Literal["tokens", "spans", "pairs"],
    missing: Literal["drop", "pairwise"],
    seed: int,
    form: str,
    form_read: str | None,
    dialect: str | None,
    mode: str | None,
    schema_path: Path | None,
) -> None:
    """Print how far annotators agree: two ROUNDs or more, each a folder of one annotator's documents.

    An annotator is called by the folder's name; by its path where two have the same name.
    """
    from dragoman import report
    from dragoman import score as scores

    schema = find_schema(schema_path, *rounds)
    found = scores.agreement(
        {
            name: read_any(place, schema, form_read, dialect, mode)[0]
            for name, place in _named(rounds).items()
        },
        schema,
        unit=unit,
        missing=missing,
        seed=seed,
    )
    if form == "json":
        click.echo(json.dumps(msgspec.to_builtins(found), indent=1, ensure_ascii=False))
    else:
        click.echo(report.agreement_markdown(found) if form == "markdown" else report.agreement_table(found))


def _named(rounds: Sequence[Path]) -> dict[str, Path]:
    """The folders by their names, or by their paths if two have one name."""
    full = [place.resolve() for place in rounds]
    if len(set(full)) < len(full):
        raise DragomanError("a ROUND is named twice. Name the folders of different annotators.")
    names = [place.name for place in full]
    if len(set(names)) < len(names):
        names = [str(place) for place in rounds]
    return dict(zip(names, rounds, strict=True))
