"""``score`` and ``report``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from dragoman import corpus
from dragoman.cli.options import MODEL, PATH, SEED, default_model, find_schema, schema_option
from dragoman.formats import files
from dragoman.types import GIVEN, Given

if TYPE_CHECKING:
    from dragoman.score import Scorecard


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(score)
    main.add_command(compare_command)
    main.add_command(report_command)


@click.command()
@click.argument("gold", type=PATH)
@click.argument("predicted", type=PATH)
@click.option("--given", type=click.Choice(GIVEN), default="nothing", show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the bootstrap.")
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "json"]), default="table", show_default=True
)
@click.option("-o", "--out", type=PATH, help="File to write; stdout if not given.")
@schema_option
def score(
    gold: Path,
    predicted: Path,
    given: Given,
    seed: int,
    form: str,
    out: Path | None,
    schema_path: Path | None,
) -> None:
    """Score PREDICTED documents against GOLD.

    --given says what of the gold the extractor was shown: nothing (end to end), mentions,
    or mentions and clusters.
    """
    from dragoman import report
    from dragoman import score as scores

    schema = find_schema(schema_path, gold)
    card = scores.score(
        corpus.load(gold),
        corpus.load(predicted),
        schema,
        given=given,
        seed=seed,
        gold_version=corpus.version(gold),
    )
    forms = {"json": _json, "markdown": report.markdown, "table": report.table}
    content = forms[form](card)
    if out is None:
        click.echo(content)
    else:
        files.write(out, content + "\n")


def _json(card: Scorecard) -> str:
    return json.dumps(msgspec.to_builtins(card), indent=1, ensure_ascii=False)


@click.command("compare")
@click.argument("gold", type=PATH)
@click.argument("systems", type=PATH, nargs=-1, required=True)
@click.option("--metric", default="facts.any-mention", show_default=True)
@click.option("--macro", is_flag=True, help="Average over the labels with gold instead of micro.")
@click.option("--given", type=click.Choice(GIVEN), default="nothing", show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--resamples", type=click.IntRange(1), default=10_000, show_default=True)
@schema_option
def compare_command(
    gold: Path,
    systems: tuple[Path, ...],
    metric: str,
    macro: bool,
    given: Given,
    seed: int,
    resamples: int,
    schema_path: Path | None,
) -> None:
    """Is one of SYSTEMS (folders of predictions) better against GOLD? One JSON line per pair.

    Paired bootstrap for the interval of the difference, approximate randomisation for p,
    Holm-corrected over all pairs.
    """
    from dragoman import score as scores

    found = scores.compare(
        corpus.load(gold),
        {str(system): corpus.load(system) for system in systems},
        find_schema(schema_path, gold),
        metric=metric,
        macro=macro,
        given=given,
        seed=seed,
        resamples=resamples,
    )
    for comparison in found:
        click.echo(json.dumps(msgspec.to_builtins(comparison), ensure_ascii=False))


@click.command("report")
@click.argument("root", type=PATH, default=Path())
@MODEL
@click.option("-o", "--out", type=PATH, help="Page to write; else build/report/index.html in ROOT.")
def report_command(root: Path, model: Path | None, out: Path | None) -> None:
    """Score a model on the test split and the seeds of project ROOT; write the page."""
    from dragoman import evaluate, extract

    extractor = extract.load(model or default_model(root))
    out = out or root / "build" / "report" / "index.html"
    runs = evaluate.project_runs(extractor, root)
    evaluate.write_page(runs, extractor, out)
    for found in runs:
        click.echo(evaluate.headline(found))
    click.echo(f"report: {out}")
