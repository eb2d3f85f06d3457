"""``annotate``: commands for annotators and their tools."""

from __future__ import annotations

from pathlib import Path

import click

from dragoman.annotate.config import label_config
from dragoman.cli.options import PATH, find_schema, schema_option
from dragoman.formats import files


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(annotate)


@click.group()
def annotate() -> None:
    """Prepare annotation."""


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
