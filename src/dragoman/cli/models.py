"""``train`` and ``extract``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dragoman import corpus
from dragoman import schema as schemas
from dragoman.cli.options import MODEL, PATH, PLACES
from dragoman.errors import DragomanError
from dragoman.formats import files, native
from dragoman.validate import is_day


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(train_command)
    main.add_command(extract_command)


@click.command("train")
@click.argument("recipe", type=PATH)
@click.option("--on", "places", type=PATH, multiple=True, help="Documents to train on; else corpus/train.")
@click.option("--seed", type=int, default=11, show_default=True)
@click.option("-o", "--out", type=PATH, help="Model folder; else build/models/<recipe> in its project.")
def train_command(recipe: Path, places: tuple[Path, ...], seed: int, out: Path | None) -> None:
    """Fit the extractor of RECIPE and write its model folder."""
    from dragoman import train

    train.read_recipe(recipe)
    root = schemas.find(recipe).parent.parent
    documents = corpus.load(*(places or (root / "corpus" / "train",)))
    target = out or root / "build" / "models" / recipe.stem
    extractor = train.fit(recipe, documents, seed=seed)
    sha256 = extractor.save(target)
    click.echo(f"{target}: {extractor.name} trained on {len(documents)} documents, sha256 {sha256[:12]}")


@click.command("extract")
@PLACES
@MODEL
@click.option("-o", "--out", type=PATH, help="Folder for document files; else JSONL to stdout.")
@click.option("--date", help="The articles' date, for text files: 2025-07-18.")
def extract_command(places: tuple[Path, ...], model: Path, out: Path | None, date: str | None) -> None:
    """Extract from text or document files in PLACES; - is standard input.

    A document that can't be read is reported and left out; the exit code is then 1.
    """
    if date is not None and not is_day(date):
        raise DragomanError(f"--date {date!r}: expected a day such as 2025-07-18")
    from dragoman import extract

    extractor = extract.load(model)
    failed = 0
    names: set[str] = set()
    for place, document in corpus.articles(places, schema=extractor.schema.reference, date=date):
        try:
            if isinstance(document, DragomanError):
                raise document
            if document.id in names and out is not None:
                raise DragomanError(f"{place}: a second article with the id {document.id}. Rename it.")
            predicted = extractor.extract(document.bare())
            if out is None:
                click.echo(native.dump_line(predicted), nl=False)
            else:
                native.write(files.path_for(out, document.id, ".json"), predicted)
            names.add(document.id)
        except (DragomanError, ValueError) as error:
            click.echo(f"dragoman: {error}", err=True)
            failed += 1
    click.echo(f"{len(names)} articles extracted, {failed} failed", err=True)
    sys.exit(1 if failed else 0)
