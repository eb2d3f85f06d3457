"""``score`` and ``report``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from dragoman import corpus
from dragoman.cli.options import (
    MODEL,
    PATH,
    SEED,
    default_model,
    find_schema,
    refuse_input,
    schema_option,
)
from dragoman.cli.reading import MOST_NOTES, form_options, predicted_options, read_any, read_predicted
from dragoman.errors import DragomanError, visible
from dragoman.formats import files
from dragoman.types import GIVEN, Given

if TYPE_CHECKING:
    from dragoman.score.slices import Slices


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(score)
    main.add_command(compare_command)
    main.add_command(verify_command)
    main.add_command(errors_command)
    main.add_command(calibrate_command)
    main.add_command(report_command)


FORMS = ("table", "markdown", "json", "csv", "latex")


SLICES = click.option(
    "--slice",
    "parts",
    multiple=True,
    help="Score parts apart: length, sentence, meta.KEY, seen=TRAIN or frequency=TRAIN (documents).",
)
MIN_SCORE = click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    help="Leave out predictions whose score is below; how many is told in the result.",
)


@click.command()
@click.argument("gold", type=PATH)
@click.argument("predicted", type=PATH)
@click.option("--given", type=click.Choice(GIVEN), default="nothing", show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the bootstrap.")
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option("-o", "--out", type=PATH, help="File to write; stdout if not given.")
@click.option(
    "--floor",
    "floors",
    multiple=True,
    help="What must be reached, as entities.strict.f1=0.85, entities.strict:GPE.recall=0.9 or, of a slice, "
    "entities.strict[meta.kind=summit].f1=0.8; else exit 1.",
)
@SLICES
@MIN_SCORE
@form_options
@predicted_options
@schema_option
def score(
    gold: Path,
    predicted: Path,
    given: Given,
    seed: int,
    form: str,
    out: Path | None,
    floors: tuple[str, ...],
    parts: tuple[str, ...],
    min_score: float | None,
    form_read: str | None,
    dialect: str | None,
    mode: str | None,
    predicted_form: str | None,
    predicted_dialect: str | None,
    schema_path: Path | None,
) -> None:
    """Score PREDICTED documents against GOLD; exit 1 if a --floor is missed.

    Both may be documents, JSONL, inline files, exports of Label Studio, brat folders, CoNLL or
    DocBin; what their reader had to skip or change is told and counted in the result.

    --given says what of the gold the extractor was shown: nothing (end to end), mentions,
    or mentions and clusters.
    """
    from dragoman import report
    from dragoman import score as scores

    wanted = [scores.Floor.parse(floor) for floor in floors]
    refuse_input(out, (gold, predicted))
    schema = find_schema(schema_path, gold)
    golds, gold_notes = read_any(gold, schema, form_read, dialect, mode)
    options = (form_read, dialect, mode), (predicted_form, predicted_dialect)
    preds, predicted_notes = read_predicted(predicted, schema, *options)
    if min_score is not None:
        preds, below = scores.above(preds, min_score)
        predicted_notes = {**predicted_notes, "below-score": below}
    card = scores.score(
        golds,
        preds,
        schema,
        given=given,
        seed=seed,
        gold_version=corpus.version(gold),
        slices=_slices(parts),
    )
    notes = {"gold": gold_notes, "predicted": predicted_notes}
    counted = {f"{side} {kind}": n for side, found in notes.items() for kind, n in found.items()}
    card = msgspec.structs.replace(card, conversion=counted)
    forms = {
        "table": lambda found: visible(report.table(found)),
        "markdown": report.markdown,
        "json": scores.to_json,
        "csv": scores.to_csv,
        "latex": scores.to_latex,
    }
    content = forms[form](card).removesuffix("\n")
    if out is None:
        click.echo(content)
    else:
        files.write(out, content + "\n")
    if given == "nothing" and scores.as_if_given(card):
        click.echo(
            "the predicted entities are exactly the gold ones; if the extractor was given them, say "
            "--given mentions (or clusters)",
            err=True,
        )
    missed = [line for floor in wanted if (line := floor.missed(card)) is not None]
    for line in missed:
        click.echo(visible(line), err=True)
    sys.exit(1 if missed else 0)


def _slices(parts: tuple[str, ...]) -> Slices | None:
    from dragoman.score import slices

    spans: dict[str, slices.OfSpan] = {}
    documents: dict[str, slices.OfDocument] = {}
    relations: dict[str, slices.OfRelation] = {}
    for part in parts:
        name, _, place = part.partition("=")
        if name in ("seen", "frequency") and place:
            training = corpus.load(Path(place))
            spans[name] = slices.seen(training) if name == "seen" else slices.frequency(training)
        elif name == "length" and not place:
            spans[name] = slices.length
        elif name == "sentence" and not place:
            relations[name] = slices.sentence()
        elif name.startswith("meta.") and not place:
            documents[name] = slices.meta(name.removeprefix("meta."))
        else:
            raise DragomanError(
                f"--slice {part}: expected length, sentence, meta.KEY, seen=TRAIN or frequency=TRAIN"
            )
    return slices.Slices(spans=spans, relations=relations, documents=documents) if parts else None


@click.command("verify")
@click.argument("result", type=PATH)
@click.argument("gold", type=PATH)
@click.argument("predicted", type=PATH)
@SLICES
@MIN_SCORE
@form_options
@predicted_options
@schema_option
def verify_command(
    result: Path,
    gold: Path,
    predicted: Path,
    parts: tuple[str, ...],
    min_score: float | None,
    form_read: str | None,
    dialect: str | None,
    mode: str | None,
    predicted_form: str | None,
    predicted_dialect: str | None,
    schema_path: Path | None,
) -> None:
    """Compute the score RESULT (of `score --format json`) anew from GOLD and PREDICTED.

    Exit 1 and a line for each difference if the files are others or the figures differ.
    """
    from dragoman import score as scores

    published = scores.read_result(result)
    schema = find_schema(schema_path, gold)
    options = (form_read, dialect, mode), (predicted_form, predicted_dialect)
    preds = read_predicted(predicted, schema, *options)[0]
    if min_score is not None:
        preds, _ = scores.above(preds, min_score)
    found = scores.verify(
        published,
        read_any(gold, schema, form_read, dialect, mode)[0],
        preds,
        schema,
        gold_version=corpus.version(gold),
        slices=_slices(parts),
    )
    for line in found[:MOST_NOTES]:
        click.echo(visible(line))
    if len(found) > MOST_NOTES:
        click.echo(f"{len(found) - MOST_NOTES} more differences")
    sliced = 0 if parts else sum(row.slice != "all" for row in published.rows)
    if sliced:
        click.echo(f"{sliced} rows of slices were not computed anew: say each --slice they were made with")
    if not found:
        click.echo(f"{result}: every {'other ' if sliced else ''}figure was found again")
    sys.exit(1 if found else 0)


@click.command("compare")
@click.argument("gold", type=PATH)
@click.argument("systems", type=PATH, nargs=-1, required=True)
@click.option("--metric", default="facts.any-mention", show_default=True)
@click.option("--macro", is_flag=True, help="Average over the labels with gold instead of micro.")
@click.option("--given", type=click.Choice(GIVEN), default="nothing", show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--resamples", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@form_options
@predicted_options
@schema_option
def compare_command(
    gold: Path,
    systems: tuple[Path, ...],
    metric: str,
    macro: bool,
    given: Given,
    seed: int,
    resamples: int,
    form: str,
    form_read: str | None,
    dialect: str | None,
    mode: str | None,
    predicted_form: str | None,
    predicted_dialect: str | None,
    schema_path: Path | None,
) -> None:
    """Is one of SYSTEMS (folders of predictions) better against GOLD?

    Paired bootstrap for the interval of the difference, approximate randomisation for p,
    Holm-corrected over all pairs. Needs 10 documents or more.
    """
    from dragoman import report
    from dragoman import score as scores

    schema = find_schema(schema_path, gold)
    twice = [system for system, count in Counter(systems).items() if count > 1]
    if twice:
        raise DragomanError(f"{twice[0]} is named twice: a system can't be compared with itself.")
    options = (form_read, dialect, mode), (predicted_form, predicted_dialect)
    found = scores.compare(
        read_any(gold, schema, form_read, dialect, mode)[0],
        {str(system): read_predicted(system, schema, *options)[0] for system in systems},
        schema,
        metric=metric,
        macro=macro,
        given=given,
        seed=seed,
        resamples=resamples,
    )
    if form == "table":
        click.echo(visible(report.comparisons(found)))
        return
    for comparison in found:
        click.echo(json.dumps(msgspec.to_builtins(comparison), ensure_ascii=False))


@click.command("errors")
@click.argument("gold", type=PATH)
@click.argument("predicted", type=PATH)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@form_options
@predicted_options
@schema_option
def errors_command(
    gold: Path,
    predicted: Path,
    form: str,
    form_read: str | None,
    dialect: str | None,
    mode: str | None,
    predicted_form: str | None,
    predicted_dialect: str | None,
    schema_path: Path | None,
) -> None:
    """Sort every wrong entity and relation by what is wrong, with F1 if that alone were repaired."""
    from dragoman import report
    from dragoman import score as scores

    schema = find_schema(schema_path, gold)
    golds = read_any(gold, schema, form_read, dialect, mode)[0]
    options = (form_read, dialect, mode), (predicted_form, predicted_dialect)
    preds = read_predicted(predicted, schema, *options)[0]
    found = scores.kinds(golds, preds, schema)
    if form == "table":
        click.echo(visible(report.kinds_table(found)))
    else:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=1, ensure_ascii=False))


@click.command("calibrate")
@click.argument("gold", type=PATH)
@click.argument("predicted", type=PATH)
@click.option("--metric", default="entities.strict", show_default=True)
@click.option("--bins", type=click.IntRange(1, 1000), default=10, show_default=True)
@click.option("--given", type=click.Choice(GIVEN), default="nothing", show_default=True)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@form_options
@predicted_options
@schema_option
def calibrate_command(
    gold: Path,
    predicted: Path,
    metric: str,
    bins: int,
    given: Given,
    form: str,
    form_read: str | None,
    dialect: str | None,
    mode: str | None,
    predicted_form: str | None,
    predicted_dialect: str | None,
    schema_path: Path | None,
) -> None:
    """Do the scores of PREDICTED say how often they are right? Reliability, ECE, best threshold."""
    from dragoman import report
    from dragoman import score as scores

    schema = find_schema(schema_path, gold)
    golds = read_any(gold, schema, form_read, dialect, mode)[0]
    options = (form_read, dialect, mode), (predicted_form, predicted_dialect)
    preds = read_predicted(predicted, schema, *options)[0]
    found = scores.calibration(golds, preds, schema, metric=metric, bins=bins, given=given)
    if form == "table":
        click.echo(visible(report.calibration_table(found)))
    else:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=1, ensure_ascii=False))


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
