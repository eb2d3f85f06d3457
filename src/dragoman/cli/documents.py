"""``validate``, ``convert`` and ``corpus``: commands that read and write documents."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from dragoman import corpus, spread, validate
from dragoman.cli.options import PATH, PLACES, counted, find_schema, refuse_input, schema_option
from dragoman.errors import DragomanError, FormatError, SchemaError
from dragoman.formats import anything, brat, conll, docbin, files, inline, native, tasks
from dragoman.formats.anything import FORMS
from dragoman.formats.tags import MODES, PREFIXES, named
from dragoman.schema import Schema
from dragoman.types import Document

if TYPE_CHECKING:
    from dragoman.audit import Task

TARGETS = ("json", "jsonl", "inline", "brat", "conll", "docbin", "labelstudio")


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(validate_command)
    main.add_command(convert)
    main.add_command(corpus_group)


def _list_checks(context: click.Context, option: click.Parameter, chosen: bool) -> None:
    if chosen:
        for check, (level, meaning) in validate.CHECKS.items():
            click.echo(f"{check:28} {level:8} {meaning}")
        context.exit()


@click.command("validate")
@PLACES
@schema_option
@click.option(
    "--list-checks",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_checks,
    help="Print every check with its level and end.",
)
def validate_command(places: tuple[Path, ...], schema_path: Path | None) -> None:
    """Check documents in PLACES (files or folders); exit 1 if there are findings."""
    report = validate.validate(places, find_schema(schema_path, *places))
    for finding in report.findings:
        click.echo(str(finding))
    without = f", {report.without_text} without their text" if report.without_text else ""
    errors, warnings = len(report.errors), len(report.findings) - len(report.errors)
    found = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    click.echo(f"{counted(report.documents, 'document')}{without}: {found}", err=True)
    sys.exit(1 if report.findings else 0)


@click.command()
@PLACES
@click.option("--to", "target", type=click.Choice(TARGETS), help="json unless given.")
@click.option("--from", "form", type=click.Choice(FORMS), help="Format of PLACES; else by name.")
@click.option("--dialect", help=f"Of CoNLL's tags, read or written: {', '.join(PREFIXES)}.")
@click.option("--mode", type=click.Choice(MODES), help="How CoNLL's malformed tags are read.")
@click.option("-o", "--out", type=PATH, help="Folder; file for jsonl, docbin, labelstudio; else stdout.")
@click.option("--in-place", is_flag=True, help="Rewrite document files in the canonical layout.")
@click.option("--renumber", is_flag=True, help="Give ids T1, R1, C1, ... in order of the text.")
@click.option("--comments", is_flag=True, help="Inline: put the surfaces behind each relation.")
@schema_option
def convert(
    places: tuple[Path, ...],
    target: str | None,
    form: str | None,
    dialect: str | None,
    mode: str | None,
    out: Path | None,
    in_place: bool,
    renumber: bool,
    comments: bool,
    schema_path: Path | None,
) -> None:
    """Convert documents (.json, .jsonl), inline notation (.txt) and other formats in PLACES.

    What a format can't hold is refused or told. What can't be read is told and left out; so are, with
    exit code 1, findings of the schema.
    """
    if in_place and (target is not None or out is not None):
        raise click.UsageError("--in-place writes where it read: leave out --to and --out.")
    target = target or "json"
    if target == "brat" and out is None:
        raise click.UsageError("brat needs a folder for its pairs of files: give --out.")
    if target == "docbin" and out is None:
        raise click.UsageError("docbin is one binary file: give --out FILE.spacy.")
    found, failed = _read_any(places, schema_path, form, dialect, mode)
    try:
        if renumber:
            found = {path: document.renumbered() for path, document in found.items()}
    except ValueError as error:
        raise DragomanError(f"{error}. Correct it before --renumber.") from error
    if in_place:
        for path, document in found.items():
            if corpus.suffix(path) != ".json":
                raise DragomanError(f"{path}: --in-place rewrites .json documents only")
            native.write(path, document)
        click.echo(f"{counted(len(found), 'document')} rewritten", err=True)
    elif target == "jsonl":
        refuse_input(out, places)
        _emit("".join(native.dump_line(document) for document in found.values()), out)
    elif target == "docbin" and out is not None:
        refuse_input(out, places)
        _write_docbin(found, out)
    elif target == "labelstudio":
        refuse_input(out, places)
        schema = find_schema(schema_path, *found)
        _emit(_tasks(list(found.values()), schema), out)
    else:
        _convert_each(found, target, out, comments, dialect)
    findings = _findings(found, schema_path)
    for finding in findings:
        click.echo(finding, err=True)
    sys.exit(1 if failed or findings else 0)


def _findings(found: dict[Path, Document], schema_path: Path | None) -> list[str]:
    try:
        schema = find_schema(schema_path, *found)
    except SchemaError:
        return []
    return [
        f"{path}: [{finding.check}] {finding.message}"
        for path, document in found.items()
        for finding in validate.check(document, schema)
        if finding.level == validate.ERROR
    ]


def _tasks(documents: list[Document], schema: Schema) -> str:
    """Tasks to import, one a line: annotated, or predicted where a document has a producer or scores."""
    lines = []
    for document in documents:
        form: tasks.As = "predictions" if document.predicted else "annotations"
        try:
            task = tasks.to_task(document, schema, form=form if document.layers else None)
        except ValueError as error:
            raise DragomanError(str(error)) from error
        lines.append(json.dumps(task, ensure_ascii=False))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _write_docbin(found: dict[Path, Document], out: Path) -> None:
    try:
        content, notes = docbin.dumps(tuple(found.values()))
    except ValueError as error:
        raise DragomanError(str(error)) from error
    for note in notes:
        click.echo(str(note), err=True)
    files.write(out, content)


def _convert_each(
    found: dict[Path, Document], target: str, out: Path | None, comments: bool, dialect: str | None
) -> None:
    written: dict[Path, Path] = {}
    suffix = {"json": ".json", "inline": ".txt", "brat": ".ann", "conll": ".conll"}[target]
    for path, document in found.items():
        place = files.path_for(out, document.id, suffix) if out else None
        if place in written:
            raise DragomanError(f"{path}: the id {document.id} is also that of {written[place]}. Rename one.")
        if place is not None:
            written[place] = path
        try:
            if target == "brat" and out is not None:
                brat.write(out, document)
                continue
            _emit(_content(document, target, comments, dialect, path), place)
        except ValueError as error:
            raise DragomanError(f"{path}: {error}") from error


def _content(document: Document, target: str, comments: bool, dialect: str | None, path: Path) -> str:
    if target == "json":
        return native.dumps(document)
    if target == "inline":
        return inline.dumps(document, comments=comments)
    content, notes = conll.dumps(document, dialect=named(dialect or ""))
    for note in notes:
        click.echo(f"{path}: {note.kind}: {note.message}", err=True)
    return content


def _emit(content: str, out: Path | None) -> None:
    if out is None:
        click.echo(content, nl=False)
    else:
        files.write(out, content)


def _read_any(
    places: tuple[Path, ...],
    schema_path: Path | None,
    form: str | None,
    dialect: str | None,
    mode: str | None,
) -> tuple[dict[Path, Document], int]:
    """What can be read, and how many files can't; each of these is told, and what readers changed."""
    found: dict[Path, Document] = {}
    failed = 0
    for place in places:
        foreign = form is not None or (place.exists() and anything.is_foreign(place))
        for path in [place] if foreign else corpus.paths([place], corpus.ARTICLES):
            try:
                if foreign:
                    reference = find_schema(schema_path, place).reference
                    read = anything.read(path, schema=reference, form=form, dialect=dialect, mode=mode)
                    found |= {path / document.id: document for document in read.documents}
                    for note in read.notes:
                        click.echo(str(note), err=True)
                elif corpus.suffix(path) == ".txt":
                    found[path] = inline.read(path, schema=find_schema(schema_path, place).reference)
                else:
                    loaded = corpus.read([path], texts=())  # attaching is for `corpus attach` alone
                    if loaded.errors:
                        raise loaded.errors[0]
                    found |= {Path(name): document for name, document in loaded.documents.items()}
            except FormatError as error:
                click.echo(f"dragoman: {error}", err=True)
                failed += 1
    if failed and not found:
        sys.exit(2)
    return found, failed


@click.group("corpus")
def corpus_group() -> None:
    """Look at a corpus, attach texts."""


@corpus_group.command()
@PLACES
@click.option("--spread", "covered", is_flag=True, help="Also what is covered, and how the vocabulary grows.")
@click.option("--beside", type=PATH, help="Texts whose vocabulary to show beside it, with --spread.")
@schema_option
def stats(places: tuple[Path, ...], covered: bool, beside: Path | None, schema_path: Path | None) -> None:
    """Count documents, words and annotations in PLACES, per split where there are splits."""
    parts: dict[str, Path] = {}
    for place in places:
        for name, folder in (corpus.splits(place) or {place.name: place}).items():
            parts[name if name not in parts else str(folder)] = folder
    for place in places:
        stray = corpus.outside(place) if place.is_dir() else ()
        if stray:
            click.echo(f"{len(stray)} not counted, as {stray[0]}: in no split of {place}", err=True)
    loaded = {name: corpus.load(folder) for name, folder in parts.items()}
    counts = {name: corpus.statistics(documents) for name, documents in loaded.items()}
    click.echo(corpus.statistics_table(counts))
    if covered:
        documents = [document for part in loaded.values() for document in part]
        curves = {"here": spread.vocabulary(document.text or "" for document in documents)}
        if beside is not None:
            read = corpus.articles([beside], schema="-")
            texts = (found.text or "" for _, found in read if isinstance(found, Document))
            curves[beside.name] = spread.vocabulary(texts)
        schema = find_schema(schema_path, *places)
        click.echo("\n" + spread.table(spread.spread(documents, schema), curves))


@corpus_group.command()
@click.argument("root", type=PATH)
@click.option("--version", required=True, help="Version of the corpus, as 0.1.0.")
@click.option("--licence", default="CC-BY-4.0", show_default=True, help="Its SPDX identifier.")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), help="Of the release; today unless given.")
def seal(root: Path, version: str, licence: str, date: datetime | None) -> None:
    """Write ROOT/corpus.toml, and the table of counts in ROOT/README.md, from the documents in ROOT."""
    day = (date or datetime.now(UTC)).date().isoformat()
    sealed = corpus.manifest(root, version=version, licence=licence, date=day)
    card = root / "README.md"
    if card.exists():
        files.write(card, corpus.fill_card(files.decode(files.read_bytes(card), str(card)), root))
    files.write(root / "corpus.toml", sealed)


@corpus_group.command()
@PLACES
@click.option("-o", "--out", type=PATH, default=Path("build/attached"), show_default=True)
def attach(places: tuple[Path, ...], out: Path) -> None:
    """Write the stand-off documents of PLACES with their texts from DRAGOMAN_TEXTS."""
    attached, left = corpus.attach(places, out)
    if not attached and not left:
        raise DragomanError("none of these documents is stand-off, so there is nothing to attach")
    click.echo(f"{attached} documents with their text in {out}")
    if left:
        click.echo(f"{left} left out: no folder of DRAGOMAN_TEXTS holds their text", err=True)
        sys.exit(1)


@corpus_group.command()
@click.argument("root", type=PATH)
@click.option(
    "--hub",
    "out",
    type=PATH,
    required=True,
    help="Folder for the Parquet files, the card and croissant.json.",
)
@schema_option
def export(root: Path, out: Path, schema_path: Path | None) -> None:
    """Write the corpus ROOT as a Hugging Face dataset that `datasets.load_dataset` opens."""
    from dragoman import hub

    written = hub.write(root, out, find_schema(schema_path, root))
    counts = ", ".join(f"{count} in {name}" for name, count in written.items())
    click.echo(f"{out}: {counts}; load it with datasets.load_dataset({str(out)!r})")


@corpus_group.command("audit")
@PLACES
@click.option("-r", "--recipe", type=PATH, required=True, help="Of the models that are to contradict.")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
@click.option("--top", type=click.IntRange(1), default=300, show_default=True, help="How many to list.")
@click.option("-o", "--out", type=PATH, required=True, help="Table (.tsv) to review.")
@schema_option
def audit_command(
    places: tuple[Path, ...],
    recipe: Path,
    folds: int,
    seed: int,
    top: int,
    out: Path,
    schema_path: Path | None,
) -> None:
    """List where cross-validated models, and other articles, contradict the gold of PLACES most surely.

    The table is for repairing the gold. It says nothing of the rate of errors: see `corpus sample`.
    """
    from dragoman import audit

    refuse_input(out, places)
    documents = corpus.load(*places)
    schema = find_schema(schema_path, *places)
    found = audit.contradictions(recipe, documents, schema, folds=folds, seed=seed)
    audit.write(out, found[:top])
    click.echo(f"{out}: {min(top, len(found))} of {counted(len(found), 'contradiction')}", err=True)


@corpus_group.command("sample")
@PLACES
@click.option("--task", type=click.Choice(["entities", "relations"]), required=True)
@click.option("--size", type=click.IntRange(1), required=True, help="How many annotations.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("-o", "--out", type=PATH, required=True, help="Table (.tsv) to judge.")
@click.option("--decoys", "planted", type=click.IntRange(1), help="Mix in so many that are wrong on purpose.")
@click.option("--key", type=PATH, help="Table that tells the decoys, to be kept from those who judge.")
@click.option("--articles", type=PATH, help="Folder for the articles as the table has them, decoys included.")
@schema_option
def sample_command(
    places: tuple[Path, ...],
    task: Task,
    size: int,
    seed: int,
    out: Path,
    planted: int | None,
    key: Path | None,
    articles: Path | None,
    schema_path: Path | None,
) -> None:
    """Draw annotations of PLACES uniformly, to be judged `right` or `wrong` in the column verdict.

    Decoys tell how many errors those who judge find: `corpus error-rate TABLE --key KEY`.
    """
    from dragoman import audit, decoys

    if (planted is None) != (key is None):
        raise click.UsageError("--decoys and --key come together: the key tells which ones they are.")
    for target in (out, key, articles):
        refuse_input(target, places)
    documents = list(corpus.load(*places))
    found = audit.sample(documents, task, size, seed=seed)
    if planted is not None and key is not None:
        schema = find_schema(schema_path, *places)
        documents, wrong = decoys.plant(documents, schema, task, planted, seed=seed, kept=found)
        audit.write(key, wrong)
        plain = [msgspec.structs.replace(item, kind=found[0].kind, other="") for item in wrong]
        found = sorted([*found, *plain], key=audit.place)
    audit.write(out, found)
    shown = {item.document for item in found}
    for document in documents:
        if articles is not None and document.id in shown:
            files.write(articles / f"{document.id}.txt", inline.dumps(document, comments=True))
    click.echo(f"{out}: {len(found)} {task}", err=True)


@corpus_group.command("error-rate")
@click.argument("tables", type=PATH, nargs=-1, required=True)
@click.option("--key", "keys", type=PATH, multiple=True, help="Decoys among them, as `corpus sample` wrote.")
def error_rate(tables: tuple[Path, ...], keys: tuple[Path, ...]) -> None:
    """Print the share of wrong annotations of judged samples, per label, with Wilson intervals.

    With a --key also the share of decoys that were found.
    """
    from dragoman import audit, evaluate

    items = [item for table in tables for item in audit.read(table)]
    items, found = audit.split_off(items, [item for key in keys for item in audit.read(key)])
    click.echo(evaluate.rates_table(items))
    if found:
        click.echo("\n" + evaluate.decoys_table(found))
