"""Runs an extractor on gold articles in every setting and scores it: one function behind all reports."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dragoman import audit, corpus, score, train
from dragoman.errors import DragomanError, ModelError, ScoreError
from dragoman.extract import Extractor
from dragoman.formats import files, native
from dragoman.report import Page, Run, render
from dragoman.report.words import PER_LABEL, interval, percent
from dragoman.schema import Schema
from dragoman.score import AgreementRow, Scorecard
from dragoman.types import GIVEN, Document, Given, natural, text_hash
from dragoman.validate import refuse_errors

HEADLINES = ("entities.strict", "facts.any-mention")
ORIGINALS = "seeds, original text"
DONE = "done: the whole report is in build/report/index.html"
RATES = ("precision", "recall", "f1")
log = logging.getLogger(__name__)


def run(
    extractor: Extractor,
    gold: Iterable[Document],
    *,
    name: str,
    about: str,
    seed: int = 0,
    gold_version: str | None = None,
) -> Run:
    """Extract from gold articles end to end, with gold mentions, with gold clusters; score each.

    gold: annotated documents with their texts. name, about: what these articles are.
    seed: of the bootstrap. gold_version: for the signatures.

    Raises ModelError if the model predicts another schema, DragomanError if a gold document
    has an error.
    """
    documents = tuple(sorted(gold, key=lambda document: document.id))
    for document in documents:
        if document.schema != extractor.schema.reference:
            raise ModelError(
                f"{document.id} is annotated by {document.schema}, the model predicts "
                f"{extractor.schema.reference}. Train a model on this project's schema."
            )
    refuse_errors({document.id: document for document in documents}, extractor.schema)
    known = sum(map(extractor.trained_on.knows, documents))
    if known:
        about += f" {known} of these {len(documents)} articles were trained on: this is no test of the model."
        log.warning(
            "%s: %d of %d articles were trained on; their scores mean nothing", name, known, len(documents)
        )
    linked = any("relations" in document.layers for document in documents)
    settings = GIVEN if linked else GIVEN[:1]
    log.info("%s: extracting from %d articles in %d settings", name, len(documents), len(settings))
    predicted = {
        given: tuple(
            extractor.extract(document.bare() if given == "nothing" else document, given=given)
            for document in documents
        )
        for given in settings
    }
    cards = tuple(
        score.score(
            documents, predicted[given], extractor.schema, given=given, seed=seed, gold_version=gold_version
        )
        for given in settings
    )
    return Run(name=name, about=about, gold=documents, predicted=predicted["nothing"], cards=cards)


def project_runs(extractor: Extractor, root: Path, *, seed: int = 0) -> tuple[Run, ...]:
    """The runs that a project reports: its test split, its seeds, and attached seed originals."""
    return (corpus_run(extractor, root, seed=seed), *seed_runs(extractor, root, seed=seed))


def corpus_run(extractor: Extractor, root: Path, *, seed: int = 0) -> Run:
    """The run over the test split of the corpus in project folder ``root``."""
    about = "Articles of the test split, written for this corpus from public facts."
    gold = corpus.load(root / "corpus" / "test")
    version = corpus.version(root / "corpus")
    return run(extractor, gold, name="corpus test", about=about, seed=seed, gold_version=version)


def seed_runs(extractor: Extractor, root: Path, *, seed: int = 0) -> tuple[Run, ...]:
    """The seeds restated by us, and apart from them the originals whose text is attached."""
    if not (root / "seeds").is_dir():
        log.info("%s: has no seeds", root)
        return ()
    seeds = corpus.load(root / "seeds")
    own = [document for document in seeds if document.source is None]
    originals = [document for document in seeds if document.source is not None]
    found = []
    if own:
        about = "Seed articles, restated for this project; nothing is trained or tuned on them."
        found.append(run(extractor, own, name="seeds", about=about, seed=seed))
    if originals:
        about = "The original seed articles, whose text is attached and never stored here."
        found.append(run(extractor, originals, name=ORIGINALS, about=about, seed=seed))
    return tuple(found)


def cross_validate(
    recipe: Path, documents: Sequence[Document], schema: Schema, *, folds: int, seed: int
) -> tuple[Scorecard, ...]:
    """Score a recipe on its training documents, each by a model that never saw it.

    folds: how many models are fitted; documents are dealt out in order of the SHA-256 of
    their id. Returns one scorecard per setting, in the order of GIVEN.
    """
    predicted: dict[Given, list[Document]] = {given: [] for given in GIVEN}
    found = train.out_of_fold(recipe, documents, schema, folds=folds, seed=seed, settings=GIVEN)
    for given, document in found:
        predicted[given].append(document)
    return tuple(score.score(documents, predicted[given], schema, given=given, seed=seed) for given in GIVEN)


def write_page(runs: Sequence[Run], extractor: Extractor, path: Path) -> None:
    """Write the report of some runs of an extractor as one HTML page."""
    trained_on = extractor.trained_on
    page = Page(
        title="How right the extracted facts are",
        model=f"{extractor.name} {extractor.sha256[:12]}",
        trained_on=f"{trained_on.documents} articles, digest {trained_on.sha256[:12]}",
        runs=tuple(runs),
    )
    files.write(path, render(page, extractor.schema))


def headline(found: Run) -> str:
    """One line for a run: entity strict F1 and fact F1, end to end."""
    return headlines(record([found]))


def headlines(recorded: Mapping[str, Any]) -> str:
    """One line for each recorded run: its articles, entity strict F1 and fact F1, end to end."""
    lines = []
    for name, settings in recorded.items():
        metrics = settings["nothing"]
        documents = max((found["documents"] for found in metrics.values()), default=0)
        shown = ", ".join(
            f"{metric} F1 {percent(metrics[metric]['micro']['f1'])}"
            if metric in metrics
            else f"{metric} not annotated"
            for metric in HEADLINES
        )
        lines.append(f"{name} ({documents} article{'s' if documents != 1 else ''}): {shown}")
    return "\n".join(lines)


def record(runs: Iterable[Run]) -> dict[str, Any]:
    """What a baseline file keeps of runs: micro and macro of every metric, with signatures."""
    return {found.name: {card.given: _summary(card) for card in found.cards} for found in runs}


def _summary(card: Scorecard) -> dict[str, Any]:
    return {
        metric: {
            "signature": card.signatures[metric],
            "documents": len(card.documents),
            **{
                label: {
                    name: _rounded(getattr(card.row(metric, label), name))
                    for name in ("precision", "recall", "f1", "low", "high")
                }
                for label in ("micro", "macro")
            },
        }
        for metric in card.metrics
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def compare(recorded: Mapping[str, Any], found: Mapping[str, Any], *, tolerance: float) -> list[str]:
    """Where new results differ from recorded ones, one line each; runs not recorded are skipped.

    tolerance: how far apart two rates may be (0 to 1); signatures must be equal.
    """
    lines = []
    for name in sorted(recorded.keys() & found.keys()):
        for given, metrics in recorded[name].items():
            for metric, values in metrics.items():
                now = found[name].get(given, {}).get(metric)
                if not _close(values, now, tolerance):
                    lines.append(f"{name}, given {given}, {metric}: recorded {values}, now {now}")
    return lines


def _close(one: Any, two: Any, tolerance: float) -> bool:
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(_close(one[key], two[key], tolerance) for key in one)
    if isinstance(one, float) and isinstance(two, float):
        return abs(one - two) <= tolerance
    return bool(one == two)


def read_record(path: Path) -> dict[str, Any]:
    """A baseline file; ScoreError if it is none."""
    try:
        content = json.loads(files.decode(files.read_bytes(path), str(path)))
    except (ValueError, RecursionError) as error:
        raise ScoreError(f"{path}: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise ScoreError(f"{path}: expected an object of runs")
    return content


def write_record(path: Path, runs: Iterable[Run]) -> dict[str, Any]:
    """Write a baseline file, whole or not at all, and return what it holds.

    A run that is recorded but not among these (texts that are not attached) is kept, with a
    warning: its figures are those of an older model.
    """
    found = record(runs)
    for name, old in (read_record(path) if path.exists() else {}).items():
        if name not in found:
            log.warning("%s: kept as recorded before; set DRAGOMAN_TEXTS to record it anew", name)
            found[name] = old
    files.write(path, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    return found


def summary(recorded: Mapping[str, Any]) -> str:
    """Recorded runs as a Markdown table: micro P, R and F1 (x 100) of the headline metrics.

    >>> rates = {"precision": 0.5, "recall": None, "f1": 0.4321}
    >>> print(summary({"test": {"nothing": {"entities.strict": {"micro": rates}}}}))
    | articles | shown of the gold | metric | P | R | F1 |
    |---|---|---|---|---|---|
    | test | nothing | entities.strict | 50.0 | – | 43.2 |
    """
    lines = ["| articles | shown of the gold | metric | P | R | F1 |", "|---|---|---|---|---|---|"]
    for name, settings in recorded.items():
        for given, metrics in settings.items():
            for metric in (name for name in PER_LABEL if name in metrics):
                rates = metrics[metric]["micro"]
                cells = (percent(rates[key]) for key in RATES)
                lines.append(f"| {name} | {given} | {metric} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def fill_readme(page: str, recorded: Mapping[str, Any]) -> str:
    """The project's README with its two blocks of scores as recorded.

    The block ``run`` shows what ``make run`` prints where no original text is attached.
    """
    own = {name: found for name, found in recorded.items() if name != ORIGINALS}
    ending = f"```\n{headlines(own)}\n{DONE}\n```"
    return corpus.fill(corpus.fill(page, "run", ending), "scores", summary(recorded))


def passes(root: Path, splits: Sequence[str] = ("dev", "test")) -> tuple[list[Document], list[Document]]:
    """The two independent passes over every article of some splits, from ``annotation/rounds``.

    The first pass is that of the annotator whose folder comes first by name. Raises DragomanError for an
    article that was not annotated twice.
    """
    wanted = {document.id for split in splits for document in corpus.load(root / "corpus" / split)}
    found: dict[str, list[Document]] = {identifier: [] for identifier in wanted}
    for path in sorted((root / "annotation" / "rounds").glob("*/annotator-*/*.json"), key=_annotator):
        if path.stem in found:
            found[path.stem].append(native.read(path))
    for identifier, documents in sorted(found.items()):
        if len(documents) != 2:
            raise DragomanError(f"{identifier}: {len(documents)} passes in annotation/rounds, expected 2")
    ordered = [found[identifier] for identifier in sorted(found)]
    return [one for one, _ in ordered], [two for _, two in ordered]


def _annotator(path: Path) -> tuple[object, ...]:
    return path.parts[-3], natural(path.parts[-2]), path.name


def agreement_block(root: Path, schema: Schema) -> str:
    """How far the two passes over dev and test agree, as Markdown for the dataset card (x 100).

    F1 strict and by span of entities, strict of relations, of facts; Cohen's kappa of labels over shared
    spans; Krippendorff's alpha over tokens; and strict F1 of every label.
    """
    first, second = passes(root)
    found = score.agreement({"first pass": first, "second pass": second}, schema, unit="tokens")
    measures = [
        ("entities, strict F1", "pairwise-f1", "entities.strict"),
        ("entities, F1 of spans", "pairwise-f1", "entities.exact"),
        ("labels of shared spans, Cohen's kappa", "cohen-kappa", "shared-spans"),
        ("tokens, Krippendorff's alpha", "krippendorff-alpha", "tokens"),
        ("relations, strict F1", "pairwise-f1", "relations.strict"),
        ("facts, F1", "pairwise-f1", "facts.any-mention"),
    ]
    lines = ["| agreement of the two passes | value | interval | units |", "|---|--:|--:|--:|"]
    lines += [_agreed(name, found.row(metric, unit)) for name, metric, unit in measures]
    for task in ("entities", "relations"):
        rows = [
            row
            for row in found.rows
            if (row.metric, row.unit) == ("pairwise-f1", f"{task}.strict") and row.label != "all"
        ]
        lines += [_agreed(f"`{row.label}`, strict F1", row) for row in rows]
    return "\n".join([*lines, "", f"Over {len(found.documents)} articles; `{found.signature}`"])


def _agreed(name: str, row: AgreementRow) -> str:
    known = row.low is not None and row.high is not None
    spread = f"{percent(row.low)} to {percent(row.high)}" if known else percent(None)
    return f"| {name} | {percent(row.value)} | {spread} | {row.n_units:,} |"


def error_rates_block(root: Path) -> str:
    """The error rates of the judged samples, ``annotation/audit/sample-SPLIT-TASK.tsv``, as Markdown.

    Behind them how many decoys (``decoys*.tsv``) were found, and how much is missing: the judged proposals
    of articles annotated anew (``missing.tsv``, annotations in ``anew-20/``), with the annotations that
    were taken out to see whether they are found (``removed.tsv``); each where there is such a file.

    Raises DragomanError if there is no sample, or something is not judged.
    """
    folder = root / "annotation/audit"
    splits: dict[str, list[audit.Item]] = {}
    for path in sorted(folder.glob("sample-*.tsv")):
        splits.setdefault(path.stem.split("-")[1], []).extend(audit.read(path))
    if not splits:
        raise DragomanError(f"{folder}: no sample-SPLIT-TASK.tsv; draw one and judge it")
    blocks = [f"{split}:\n\n{rates_table(items)}" for split, items in splits.items()]
    planted = [item for path in sorted(folder.glob("decoys*.tsv")) for item in audit.read(path)]
    if planted:
        blocks.append(
            f"Decoys among what was judged, annotations made wrong on purpose:\n\n{decoys_table(planted)}"
        )
    if (folder / "missing.tsv").exists():
        anew = {document.id for document in corpus.load(folder / "anew-20")}
        gold = [document for document in corpus.load(root / "corpus") if document.id in anew]
        blocks.append(
            f"Missing from the gold of {len(gold)} articles, judged by what annotators marked there anew:\n\n"
            f"{missing_table(audit.read(folder / 'missing.tsv'), gold)}"
        )
    if (folder / "removed.tsv").exists():
        removed = audit.read(folder / "removed.tsv")
        found = audit.Rate(errors=sum(item.verdict == "missing" for item in removed), judged=len(removed))
        blocks.append(
            f"Of {found.judged} annotations taken out on purpose, {found.errors} were judged missing "
            f"({percent(found.value)} %)."
        )
    return "\n\n".join(blocks)


def rates_table(items: Sequence[audit.Item]) -> str:
    """The share of wrong items in judged samples as Markdown (x 100): of each task, then of each label."""
    lines = ["| judged | wrong | of | % | interval |", "|---|--:|--:|--:|--:|"]
    names = {"entity": "entities", "relation": "relations"}
    for kind in dict.fromkeys(item.kind for item in items):
        own = [item for item in items if item.kind == kind]
        lines.append(_rated(names.get(kind, kind), audit.wrong_rate(own)))
        for label in sorted({item.gold for item in own}):
            lines.append(_rated(f"`{label}`", audit.wrong_rate(item for item in own if item.gold == label)))
    return "\n".join(lines)


def decoys_table(decoys: Sequence[audit.Item]) -> str:
    """The share of decoys that were judged wrong, by kind, as Markdown (x 100)."""
    lines = ["| decoys | found | of | % | interval |", "|---|--:|--:|--:|--:|"]
    for kind in sorted({item.kind for item in decoys}):
        lines.append(_rated(kind, audit.wrong_rate(item for item in decoys if item.kind == kind)))
    lines.append(_rated("all", audit.wrong_rate(decoys)))
    return "\n".join(lines)


def missing_table(items: Sequence[audit.Item], gold: Sequence[Document]) -> str:
    """The share of annotations that the gold lacks, of these and what it has, as Markdown (x 100)."""
    lines = ["| | missing | of | % | interval |", "|---|--:|--:|--:|--:|"]
    present = {
        "entity": sum(len(document.entities) for document in gold),
        "relation": sum(len(document.relations) for document in gold),
    }
    for kind, count in present.items():
        own = [item for item in items if item.kind == kind]
        name = {"entity": "entities", "relation": "relations"}[kind]
        lines.append(_rated(name, audit.missing_rate(own, count)))
    return "\n".join(lines)


def _rated(name: str, rate: audit.Rate) -> str:
    low, high = rate.interval or (None, None)
    return (
        f"| {name} | {rate.errors:,} | {rate.judged:,} | {percent(rate.value)} | "
        f"{percent(low)} to {percent(high)} |"
    )


def learning_curve(
    recipe: Path,
    documents: Sequence[Document],
    gold: Sequence[Document],
    schema: Schema,
    *,
    sizes: Sequence[int],
    seed: int,
) -> list[tuple[int, Scorecard]]:
    """Score a recipe trained on more and more documents, end to end on the same gold.

    documents: to train on, taken in order of the SHA-256 of their id. sizes: how many of them; sizes
    beyond their number are left out.
    """
    ranked = sorted(documents, key=lambda document: text_hash(document.id))
    found = []
    for size in sizes:
        if size > len(ranked):
            continue
        log.info("%d of %d training articles", size, len(ranked))
        extractor = train.fit(recipe, ranked[:size], seed=seed, schema=schema)
        predicted = [extractor.extract(document.bare()) for document in gold]
        found.append((size, score.score(gold, predicted, schema)))
    return found


def curve_table(curve: Sequence[tuple[int, Scorecard]]) -> str:
    """A learning curve as Markdown: F1 (x 100) with its interval by number of training articles."""
    lines = ["| training articles | " + " | ".join(PER_LABEL) + " |", "|--:" * (len(PER_LABEL) + 1) + "|"]
    for size, card in curve:
        rows = [card.row(metric) for metric in PER_LABEL]
        cells = [percent(row.f1) + (f" ({spread})" if (spread := interval(row)) else "") for row in rows]
        lines.append(f"| {size} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
