"""``train`` and ``extract``."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from dragoman import corpus, train
from dragoman.cli.options import MODEL, PATH, PLACES
from dragoman.errors import DragomanError, FormatError, ModelError
from dragoman.evaluate import load_model
from dragoman.extract import Extractor
from dragoman.formats import files, native
from dragoman.types import Document, first_line
from dragoman.validate import is_day

SUFFIXES = (".txt", ".json", ".jsonl")


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(train_command)
    main.add_command(extract_command)


@click.command("train")
@click.argument("recipe", type=PATH)
@click.option("--on", "places", type=PATH, multiple=True, help="Documents to train on; else corpus/train.")
@click.option("--seed", type=int, default=11, show_default=True)
@click.option("-o", "--out", type=PATH, help="Model folder; else build/models/<recipe> beside models/.")
def train_command(recipe: Path, places: tuple[Path, ...], seed: int, out: Path | None) -> None:
    """Fit the extractor of RECIPE and write its model folder."""
    root = recipe.resolve().parent.parent
    train.read_recipe(recipe)
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
    extractor = load_model(model)
    logging.getLogger("dragoman").info("model %s", model)
    failed = 0
    names: set[str] = set()
    for place, document in _articles(places, extractor, date):
        if isinstance(document, Document) and document.id in names and out is not None:
            document = DragomanError(f"{place}: a second article with the id {document.id}; rename it")
        if isinstance(document, DragomanError):
            click.echo(f"dragoman: {document}", err=True)
            failed += 1
            continue
        names.add(document.id)
        try:
            predicted = extractor.extract(document.bare())
            content = native.dump_line(predicted) if out is None else native.dumps(predicted)
        except (ModelError, ValueError) as error:
            click.echo(f"dragoman: {place}: {error}", err=True)
            failed += 1
            continue
        if out is None:
            click.echo(content, nl=False)
        else:
            files.write(out / f"{document.id}.json", content)
    click.echo(f"{len(names)} articles extracted, {failed} failed", err=True)
    sys.exit(1 if failed else 0)


def _articles(
    places: tuple[Path, ...], extractor: Extractor, date: str | None
) -> Iterator[tuple[str, Document | DragomanError]]:
    schema = extractor.schema.reference
    for path in _files(places):
        try:
            found = list(_read(path, schema, date))
        except DragomanError as error:
            yield str(path), error
            continue
        for document in found:
            if document.schema == schema:
                yield str(path), document
            else:
                message = f"{path}: annotated by {document.schema}, the model predicts {schema}"
                yield str(path), ModelError(message)


def _files(places: tuple[Path, ...]) -> Iterator[Path]:
    for place in places:
        if not place.is_dir():
            yield place
            continue
        found = sorted(path for path in place.rglob("*") if path.suffix in SUFFIXES and not path.is_dir())
        if not found:
            raise DragomanError(f"{place}: [empty-folder] no article ({', '.join(SUFFIXES)}) here or below")
        yield from (path for path in found if not path.name.startswith("."))


def _read(path: Path, schema: str, date: str | None) -> Iterator[Document]:
    if str(path) == "-":
        yield _from_text(sys.stdin.buffer.read(), "stdin", schema, date, "-")
    elif path.suffix in (".json", ".jsonl"):
        yield from corpus.load(path)
    else:
        yield _from_text(files.read_bytes(path), path.stem, schema, date, str(path))


def _from_text(data: bytes, name: str, schema: str, date: str | None, place: str) -> Document:
    text = files.decode(data, place).removeprefix("\ufeff")
    if not text.strip():
        raise FormatError(place, "empty-text", "the file holds no text.")
    return Document.new(id=name, text=text, schema=schema, title=first_line(text), date=date)
