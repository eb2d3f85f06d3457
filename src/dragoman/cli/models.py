"""``train`` and ``extract``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from dragoman import corpus, facts
from dragoman import schema as schemas
from dragoman.cli.options import (
    MODEL,
    PATH,
    PLACES,
    SEED,
    counted,
    default_model,
    find_schema,
    project,
    schema_option,
)
from dragoman.errors import DragomanError
from dragoman.formats import files, native
from dragoman.types import GIVEN, Document, Given
from dragoman.validate import is_day, refuse_errors


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(train_command)
    main.add_command(extract_command)


@click.command("train")
@click.argument("recipe", type=PATH)
@click.option("--on", "places", type=PATH, multiple=True, help="Documents to train on; else corpus/train.")
@click.option("--seed", type=SEED, default=11, show_default=True)
@click.option("-o", "--out", type=PATH, help="Model folder; else build/models/<recipe> in its project.")
@schema_option
def train_command(
    recipe: Path, places: tuple[Path, ...], seed: int, out: Path | None, schema_path: Path | None
) -> None:
    """Fit the extractor of RECIPE and write its model folder."""
    from dragoman import train

    train.read_recipe(recipe)
    schema = find_schema(schema_path, recipe)
    root = project(schema_path, recipe)
    documents = corpus.load(*(places or (root / "corpus" / "train",)))
    target = out or root / "build" / "models" / recipe.stem
    extractor = train.fit(recipe, documents, seed=seed, schema=schema)
    sha256 = extractor.save(target)
    click.echo(
        f"{target}: {extractor.name} trained on {counted(len(documents), 'document')}, sha256 {sha256[:12]}"
    )


@click.command("extract")
@PLACES
@MODEL
@click.option("-o", "--out", type=PATH, help="Folder for document files; else to stdout.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "facts", "text"]),
    help="On stdout: documents (jsonl, unless given), facts as JSON lines, or facts for reading.",
)
@click.option("--date", help="The articles' date, for text files: 2025-07-18.")
@click.option(
    "--given",
    type=click.Choice(GIVEN),
    default="nothing",
    show_default=True,
    help="What to keep of documents' own annotations, for scoring with the same --given.",
)
def extract_command(
    places: tuple[Path, ...],
    model: Path | None,
    out: Path | None,
    form: str | None,
    date: str | None,
    given: Given,
) -> None:
    """Extract from PLACES: text files (.txt), documents (.json, .jsonl), folders of them, or -.

    A document that can't be read is reported and left out; the exit code is then 1.
    """
    if date is not None and not is_day(date):
        raise DragomanError(f"--date {date!r}: expected a day such as 2025-07-18")
    if out is not None and form is not None:
        raise click.UsageError("--format is for stdout; --out writes document files. Leave one out.")
    from dragoman import extract

    extractor = extract.load(model or default_model())
    if out is not None:
        files.sweep(out)
    failed = undated = 0
    dated = extractor.schema.labels_with_value("iso-8601")
    names: set[str] = set()
    for place, document in corpus.articles(places, schema=extractor.schema.reference, date=date):
        try:
            if isinstance(document, DragomanError):
                raise document
            if document.id in names:
                raise DragomanError(f"{place}: a second article with the id {document.id}. Rename it.")
            if given != "nothing":
                _refuse_ungiven(document, given, extractor.schema)
            shown = document.bare() if given == "nothing" else document
            predicted = extractor.extract(shown, given=given)
            undated += predicted.date is None and any(e.label in dated for e in predicted.entities)
            if out is None:
                click.echo(_shown(predicted, form or "jsonl"), nl=False)
            else:
                target = files.path_for(out, document.id, ".json")
                if target.exists() and native.read(target).producer is None:
                    raise DragomanError(
                        f"{target}: holds no prediction and is not overwritten. Choose another -o."
                    )
                native.write(target, predicted)
            names.add(document.id)
        except (DragomanError, ValueError) as error:
            click.echo(f"dragoman: {error}", err=True)
            failed += 1
            older = out / f"{Path(place).stem}.json" if out is not None else None
            if older is not None and older.stem not in names and _is_prediction(older):
                click.echo(f"dragoman: {older}: is of an earlier run and stays as it was", err=True)
    click.echo(f"{counted(len(names), 'article')} extracted, {failed} failed", err=True)
    if undated:
        click.echo(
            f"{counted(undated, 'article')} without a date: relative dates have no value (--date)", err=True
        )
    sys.exit(1 if failed else 0)


def _refuse_ungiven(document: Document, given: Given, schema: schemas.Schema) -> None:
    needed = {"entities"} if given == "mentions" else {"entities", "clusters"}
    missing = sorted(needed - set(document.layers))
    if missing:
        raise DragomanError(f"{document.id}: --given {given} needs annotated {' and '.join(missing)}")
    refuse_errors({document.id: document}, schema)


def _is_prediction(path: Path) -> bool:
    try:
        return path.is_file() and native.read(path).producer is not None
    except DragomanError:
        return False


def _shown(document: Document, form: str) -> str:
    if form == "jsonl":
        return native.dump_line(document)
    found = facts.facts(document)
    if form == "text":
        return "".join(f"{document.id}: {facts.sentence(fact)}\n" for fact in found)
    return "".join(json.dumps(msgspec.to_builtins(fact), ensure_ascii=False) + "\n" for fact in found)
