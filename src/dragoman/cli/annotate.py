"""``annotate``: commands for annotators and their tools."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
import msgspec

from dragoman import corpus, validate
from dragoman.annotate.config import label_config
from dragoman.cli.options import PATH, PLACES, SEED, find_schema, schema_option
from dragoman.cli.reading import form_options, read_any
from dragoman.errors import DragomanError, visible
from dragoman.formats import files

log = logging.getLogger(__name__)


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


URL = click.option("--url", envvar="LABEL_STUDIO_URL", required=True, help="Of the server; LABEL_STUDIO_URL.")
KEY = click.option(
    "--api-key",
    envvar="LABEL_STUDIO_API_KEY",
    required=True,
    help="Personal or legacy; LABEL_STUDIO_API_KEY.",
)


@annotate.command()
@click.option("--home", type=PATH, help="Folder for the server and its data; else one for this user.")
@click.option("--port", type=click.IntRange(1, 65535), help="To listen on; a free one unless given.")
def serve(home: Path | None, port: int | None) -> None:
    """Run a Label Studio on 127.0.0.1 until Ctrl-C; installed at the first start, its data kept."""
    import signal

    from dragoman.annotate import serve as serving

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for sent in (signal.SIGTERM, signal.SIGINT):  # a shell's background job ignores SIGINT unless told
        signal.signal(sent, stop)
    with serving.running(home or serving.home(), port=port) as found:
        click.echo(f"{found.url}   user {found.user}   password {found.password}")
        click.echo(f"export LABEL_STUDIO_URL={found.url} LABEL_STUDIO_API_KEY={found.key}")
        click.echo("Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


@annotate.command()
@URL
@KEY
def doctor(url: str, api_key: str) -> None:
    """Say what is wrong with the way to a Label Studio server, and what to do; exit 1 if anything is."""
    from dragoman.annotate import doctor as asked

    wrong = 0
    for finding in asked.examine(url, api_key):
        wrong += not finding.good
        line = f"good   {finding.what}" if finding.good else f"wrong  {finding.what}. {finding.remedy}"
        click.echo(visible(line))
    sys.exit(1 if wrong else 0)


@annotate.command("push")
@PLACES
@click.option("--project", required=True, help="Title, or number of one that exists.")
@click.option("--predictions", is_flag=True, help="Send the annotations, for annotators to begin with.")
@click.option("--version", help="Model version of the predictions; else their producer's name.")
@click.option("--instructions", type=PATH, help="File (HTML) shown to annotators.")
@URL
@KEY
@schema_option
def push_command(
    places: tuple[Path, ...],
    project: str,
    predictions: bool,
    version: str | None,
    instructions: Path | None,
    url: str,
    api_key: str,
    schema_path: Path | None,
) -> None:
    """Send the documents of PLACES to a project of Label Studio; what is there already stays.

    Bare texts, or with --predictions their annotations to begin with. A push that was interrupted is
    taken up by running it again.
    """
    from dragoman.annotate import project as projects

    schema = find_schema(schema_path, *places)
    documents = corpus.load(*places)
    shown = files.decode(files.read_bytes(instructions), str(instructions)) if instructions else ""
    found = projects.push(
        projects.connect(url, api_key),
        url,
        project,
        documents,
        schema,
        form="predictions" if predictions else None,
        version=version,
        instructions=shown,
        stage=_tell,
    )
    kinds = ("sent", "updated", "same", "replaced")
    told = ", ".join(f"{len(getattr(found, kind))} {kind}" for kind in kinds if getattr(found, kind))
    click.echo(f"{url}/projects/{found.project}: {told or 'nothing to send'}")
    for name in found.kept:
        click.echo(
            f"{name}: not sent, its text there is another and is annotated; give it another id", err=True
        )
    sys.exit(1 if found.kept else 0)


@annotate.command("pull")
@click.option("--project", required=True, help="Title or number.")
@click.option("-o", "--out", type=PATH, required=True, help="Folder to write ANNOTATOR/ID.json in.")
@click.option("--drafts", is_flag=True, help="Also what was not submitted, in OUT/drafts.")
@URL
@KEY
@schema_option
def pull_command(
    project: str, out: Path, drafts: bool, url: str, api_key: str, schema_path: Path | None
) -> None:
    """Write the annotations of a project as documents, a folder for each annotator.

    Exit 1 if the schema finds errors; each is told with a link that opens the annotation.
    """
    from dragoman.annotate import project as projects

    schema = find_schema(schema_path, out)
    client = projects.connect(url, api_key)
    found = projects.pull(client, url, project, out, schema, drafts=drafts, stage=_tell)
    for note in found.notes:
        click.echo(str(note), err=True)
    failed = 0
    for one in found.annotations:
        if one.state != "submitted":
            continue
        for finding in validate.check(one.document, schema):
            failed += finding.level == validate.ERROR
            place = projects.link(url, found.project, one)
            click.echo(f"{one.document.id} {one.annotator}: [{finding.check}] {finding.message} {place}")
    states = Counter(one.state for one in found.annotations)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no annotation"
    click.echo(f"{out}: {told}; {found.written} written, {found.same} as they were")
    sys.exit(1 if failed else 0)


def _tell(what: str, done: int, of: int) -> None:
    if of or done % 500 == 0:
        log.info("%d%s %s", done, f" of {of}" if of else "", what)


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
