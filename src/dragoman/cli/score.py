"""``score`` and ``report``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
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
from dragoman.cli.reading import (
    MOST_NOTES,
    form_options,
    predicted_options,
    read_any,
    read_predicted,
    tag_settings,
)
from dragoman.errors import DragomanError, visible
from dragoman.formats import files
from dragoman.types import GIVEN, Document, Given

if TYPE_CHECKING:
    from dragoman.score.slices import Slices


def add_to(main: click.Group) -> None:
    """Register this file's commands."""
    main.add_command(score)
    main.add_command(compare_command)
    main.add_command(verify_command)
    main.add_command(errors_command)
    main.add_command(coreference_command)
    main.add_command(calibrate_command)
    main.add_command(report_command)


CALIBRATED = ("entities.strict", "entities.exact", "relations.strict", "relations.boundaries")
FORMS = ("table", "markdown", "json", "csv", "latex")


SLICES = click.option(
    "--slice",
    "parts",
    multiple=True,
    help="Score parts apart: length, sentence, meta.KEY, seen=TRAIN or frequency=TRAIN (documents).",
)
MIN_SCORE = click.option(
    "--min-score",
    "least",
    multiple=True,
    help="Leave out predictions whose score is below, as 0.6, or entities=0.6, or relations=0.8.",
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
    least: tuple[str, ...],
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
    preds, left, settings = _above(preds, least)
    predicted_notes = {**predicted_notes, **left}
    settings = {**tag_settings(*options), **settings}
    card = scores.score(
        golds,
        preds,
        schema,
        given=given,
        seed=seed,
        gold_version=corpus.version(gold),
        slices=_slices(parts, golds),
        settings=settings,
    )
    card = msgspec.structs.replace(card, conversion=_conversion(gold_notes, predicted_notes))
    forms: dict[str, Callable[[scores.Scorecard], str]] = {
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
        _notice_given(golds, preds, None)
    missed = [line for floor in wanted if (line := floor.missed(card)) is not None]
    for line in missed:
        click.echo(visible(line), err=True)
    sys.exit(1 if missed else 0)


def _notice_given(
    golds: tuple[Document, ...], preds: tuple[Document, ...], name: str | None, *, option: bool = True
) -> None:
    """Say so where predictions look as if their extractor had been given the gold mentions."""
    from dragoman import score as scores

    if scores.same_entities(golds, preds):
        of = f" of {name}" if name else ""
        advice = "say --given mentions (or clusters)" if option else "the entities say nothing of it"
        click.echo(
            visible(
                f"the predicted entities{of} are exactly the gold ones; if the extractor was given them, "
                f"{advice}"
            ),
            err=True,
        )


def _strictest(golds: tuple[Document, ...]) -> str:
    """What systems are compared by if nobody says: facts, else relations, else entities."""
    from dragoman.score.tally import LAYERS_OF

    for metric in ("facts.any-mention", "relations.strict"):
        wanted = set(LAYERS_OF[metric.partition(".")[0]])
        if any(wanted <= set(document.layers) for document in golds):
            return metric
    return "entities.strict"


def _conversion(gold: dict[str, int], predicted: dict[str, int]) -> dict[str, int]:
    notes = {"gold": gold, "predicted": predicted}
    return {f"{side} {kind}": n for side, found in notes.items() for kind, n in found.items()}


def _above(
    documents: tuple[Document, ...], least: tuple[str, ...]
) -> tuple[tuple[Document, ...], dict[str, int], dict[str, str]]:
    """The predictions that reach --min-score, how many don't or have no score, and what a signature says."""
    from dragoman import score as scores

    if not least:
        return documents, {}, {}
    limits = {"entities": 0.0, "relations": 0.0}
    for written in least:
        task, _, number = written.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if task not in ("", *limits) or not 0 <= value <= 1:
            raise DragomanError(
                f"--min-score {written}: expected a number from 0 to 1, or entities=NUMBER or "
                "relations=NUMBER"
            )
        limits |= {name: value for name in limits if task in ("", name)}
    kept, below = scores.above(documents, limits["entities"], relations_least=limits["relations"])
    counted = {"below-score": below}
    unscored = sum(
        item.score is None
        for document in kept
        for name, items in (("entities", document.entities), ("relations", document.relations))
        for item in items
        if limits[name]
    )
    if unscored:
        counted["without-score"] = unscored
        click.echo(f"{unscored} predictions have no score; they are kept", err=True)
    named = ", ".join(f"{name} {value}" for name, value in limits.items())
    return kept, counted, {"min-score": named}


def _slices(parts: tuple[str, ...], golds: tuple[Document, ...]) -> Slices | None:
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
            key = name.removeprefix("meta.")
            if not any(key in document.meta for document in golds):
                known = sorted({known for document in golds for known in document.meta})
                raise DragomanError(
                    f"--slice {part}: no gold document has {key!r} in its meta; there is "
                    f"{', '.join(known) or 'nothing'}"
                )
            documents[name] = slices.meta(key)
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
    least: tuple[str, ...],
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
    preds, predicted_notes = read_predicted(predicted, schema, *options)
    preds, left, settings = _above(preds, least)
    golds, gold_notes = read_any(gold, schema, form_read, dialect, mode)
    found = scores.verify(
        published,
        golds,
        preds,
        schema,
        gold_version=corpus.version(gold),
        slices=_slices(parts, golds),
        settings={**tag_settings(*options), **settings},
    )
    now = _conversion(gold_notes, {**predicted_notes, **left})
    if now != published.conversion:
        found.append(f"conversion differs from what is found now: {published.conversion} and {now}")
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
@click.option("--metric", help="As `score` names it; else facts.any-mention, or what the gold allows.")
@click.option("--macro", is_flag=True, help="Average over the labels with gold instead of micro.")
@click.option("--given", type=click.Choice(GIVEN), default="nothing", show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--resamples", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True)
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@form_options
@predicted_options
@schema_option
def compare_command(
    gold: Path,
    systems: tuple[Path, ...],
    metric: str | None,
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
    golds = read_any(gold, schema, form_read, dialect, mode)[0]
    preds = {str(system): read_predicted(system, schema, *options)[0] for system in systems}
    if given == "nothing":
        for name, documents in preds.items():
            _notice_given(golds, documents, name)
    found = scores.compare(
        golds,
        preds,
        schema,
        metric=metric or _strictest(golds),
        macro=macro,
        given=given,
        seed=seed,
        resamples=resamples,
        settings=tag_settings(*options),
    )
    if form != "json":
        shown = visible(report.comparisons(found)) if form == "table" else scores.to_csv(found)
        click.echo(shown.removesuffix("\n"))
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
    _notice_given(golds, preds, None, option=False)
    found = scores.kinds(golds, preds, schema)
    if form == "table":
        click.echo(visible(report.kinds_table(found)))
    else:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=1, ensure_ascii=False))


@click.command("coreference")
@click.argument("gold", type=PATH)
@click.argument("predicted", type=PATH)
@click.option(
    "--singletons/--no-singletons", default=True, show_default=True, help="Whether clusters of one count."
)
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@form_options
@predicted_options
@schema_option
def coreference_command(
    gold: Path,
    predicted: Path,
    singletons: bool,
    form: str,
    form_read: str | None,
    dialect: str | None,
    mode: str | None,
    predicted_form: str | None,
    predicted_dialect: str | None,
    schema_path: Path | None,
) -> None:
    """Score the clusters of PREDICTED against GOLD: MUC, B3, CEAFe, LEA and the CoNLL average."""
    from dragoman import report
    from dragoman import score as scores

    schema = find_schema(schema_path, gold)
    golds = read_any(gold, schema, form_read, dialect, mode)[0]
    options = (form_read, dialect, mode), (predicted_form, predicted_dialect)
    preds = read_predicted(predicted, schema, *options)[0]
    found = scores.coreference(golds, preds, schema, singletons=singletons)
    if form == "table":
        click.echo(visible(report.coreference_table(found)))
    else:
        click.echo((scores.to_json(found) if form == "json" else scores.to_csv(found)).removesuffix("\n"))


@click.command("calibrate")
@click.argument("gold", type=PATH)
@click.argument("predicted", type=PATH)
@click.option("--metric", type=click.Choice(CALIBRATED), default=CALIBRATED[0], show_default=True)
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
