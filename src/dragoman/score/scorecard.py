"""From gold and predicted documents to a scorecard that says how to reproduce it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from dragoman import __version__
from dragoman.corpus import digest
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import matching, resample
from dragoman.score.counts import Counts
from dragoman.types import Document, Given

GIVEN_MEANING: Mapping[Given, str] = {
    "nothing": "end to end",
    "mentions": "gold mentions given",
    "clusters": "gold mentions and clusters given",
}

# columns of the document x label x column count array of every metric
GOLD, PREDICTED, GOLD_COR, PREDICTED_COR, GOLD_INC, PREDICTED_INC, GOLD_PAR, PREDICTED_PAR = range(8)
COLUMNS = 8

Matrix = NDArray[np.int64]
Count = Callable[[Document, Document, Mapping[str, int], Matrix], None]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a scorecard: a metric for one label, or an average.

    metric: such as ``entities.strict``. label: a label, or ``micro`` or ``macro``.
    precision, recall, f1: 0 to 1, None where undefined. low, high: the interval of f1.
    """

    metric: str
    label: str
    gold: int
    predicted: int
    correct: int
    incorrect: int = 0
    partial: int = 0
    missed: int
    spurious: int
    precision: float | None
    recall: float | None
    f1: float | None
    low: float | None = None
    high: float | None = None


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """All scores of one set of predictions, with what reproduces them.

    given: what of the gold the extractor was shown (see GIVEN_MEANING).
    signatures: one per metric. note: why there are no intervals, or None.
    confusion: predicted label by gold label over spans that coincide; ``-`` stands for
    missed or spurious.
    """

    given: str
    documents: tuple[str, ...]
    schema: str
    gold_sha256: str
    version: str
    seed: int
    note: str | None
    signatures: dict[str, str]
    rows: tuple[Row, ...]
    confusion: dict[str, dict[str, int]]

    def row(self, metric: str, label: str = "micro") -> Row:
        """One line; ScoreError if there is none."""
        for row in self.rows:
            if (row.metric, row.label) == (metric, label):
                return row
        known = ", ".join(dict.fromkeys(row.metric for row in self.rows))
        raise ScoreError(f"no row {label} of {metric}; the metrics are {known}")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics in order."""
        return tuple(self.signatures)


def score(
    gold: Iterable[Document],
    predicted: Iterable[Document],
    schema: Schema,
    *,
    given: Given = "nothing",
    seed: int = 0,
    gold_version: str | None = None,
) -> Scorecard:
    """Score predicted documents against gold ones.

    gold, predicted: the same articles, paired by id; order never matters.
    given: what of the gold the extractor was shown; ``mentions`` and ``clusters`` demand
    predictions with the gold entities, and then entities are not scored.
    seed: of the bootstrap over documents. gold_version: of the corpus, for the signature.

    Layers that a gold document does not list as annotated are left out, not counted wrong.
    Raises ScoreError if the articles differ, a text differs, or an annotation can't be scored.
    """
    pairs = pair_documents(gold, predicted, schema, given)
    gold_hash = digest(document for document, _ in pairs)
    gold_name = f"{gold_version or '-'}@{gold_hash[:12]}"
    rows: list[Row] = []
    signatures: dict[str, str] = {}
    without: list[str] = []
    for metric, counted in count_documents(pairs, schema, given).items():
        rows += _rows(metric, counted, seed)
        if len(counted.documents) < resample.LEAST_DOCUMENTS:
            without.append(metric)
        signatures[metric] = _signature(metric, counted, schema, given, gold_name, seed)
    if not signatures:
        raise ScoreError("no gold document lists a layer that can be scored; see its key `layers`")
    return Scorecard(
        given=given,
        documents=tuple(document.id for document, _ in pairs),
        schema=schema.reference,
        gold_sha256=gold_hash,
        version=__version__,
        seed=seed,
        note=_note(without, signatures),
        signatures=signatures,
        rows=tuple(rows),
        confusion=_confusion(pairs, schema) if "entities.exact" in signatures else {},
    )


class Counted(msgspec.Struct, frozen=True):
    """The counts of one metric: documents x labels x COLUMNS, and what the first two axes are."""

    documents: tuple[str, ...]
    labels: tuple[str, ...]
    cells: Matrix


def count_documents(
    pairs: Sequence[tuple[Document, Document]], schema: Schema, given: Given
) -> dict[str, Counted]:
    """Count every metric over the pairs whose gold lists its layer as annotated."""
    found: dict[str, Counted] = {}
    for metric, (layers, count) in _metrics(schema.symmetric).items():
        of_entities = layers == {"entities"}
        if of_entities and given != "nothing":
            continue
        kept = [pair for pair in pairs if layers <= set(pair[0].layers)]
        if not kept:
            continue
        labels = tuple(schema.entities if of_entities else schema.relations)
        place = {label: index for index, label in enumerate(labels)}
        cells = np.zeros((len(kept), len(labels), COLUMNS), dtype=np.int64)
        for index, (one, two) in enumerate(kept):
            count(one, two, place, cells[index])
        found[metric] = Counted(tuple(one.id for one, _ in kept), labels, cells)
    return found


def _note(without: Sequence[str], metrics: Iterable[str]) -> str | None:
    if not without:
        return None
    everywhere = set(without) == set(metrics)
    return resample.TOO_FEW if everywhere else f"{', '.join(without)}: {resample.TOO_FEW}"


def _signature(metric: str, counted: Counted, schema: Schema, given: Given, gold_name: str, seed: int) -> str:
    task, _, match = metric.partition(".")
    enough = len(counted.documents) >= resample.LEAST_DOCUMENTS
    return "|".join(
        (
            f"task:{task}",
            f"match:{match}",
            "average:micro, macro over labels with gold",
            f"given:{given}",
            f"schema:{schema.reference}",
            f"gold:{gold_name}",
            f"documents:{len(counted.documents)}",
            f"bootstrap:{f'{resample.RESAMPLES} resamples, seed {seed}' if enough else 'none'}",
            f"dragoman:{__version__}",
        )
    )


def pair_documents(
    gold: Iterable[Document], predicted: Iterable[Document], schema: Schema, given: Given
) -> list[tuple[Document, Document]]:
    """Pair documents by id, in order of it, and refuse what cannot be compared (ScoreError)."""
    sides = []
    for name, documents in (("gold", gold), ("predicted", predicted)):
        by_id: dict[str, Document] = {}
        for document in documents:
            if document.id in by_id:
                raise ScoreError(f"the {name} side has two documents with the id {document.id}")
            by_id[document.id] = document
        if not by_id:
            raise ScoreError(f"the {name} side has no document")
        sides.append(by_id)
    golds, preds = sides
    if golds.keys() != preds.keys():
        only_gold = sorted(golds.keys() - preds.keys())
        only_pred = sorted(preds.keys() - golds.keys())
        raise ScoreError(
            "the two sides hold different articles: "
            + "; ".join(
                f"{len(ids)} only in {name} ({', '.join(ids[:3])}{', ...' if len(ids) > 3 else ''})"
                for name, ids in (("gold", only_gold), ("predicted", only_pred))
                if ids
            )
            + ". Extract exactly the gold articles."
        )
    pairs = [(golds[key], preds[key]) for key in sorted(golds)]
    for one, two in pairs:
        if one.sha256 != two.sha256:
            raise ScoreError(f"{one.id}: gold and prediction are of different texts. Extract it again.")
        if one.schema != two.schema:
            raise ScoreError(f"{one.id}: gold is annotated by {one.schema}, the prediction by {two.schema}.")
        if given != "nothing":
            shown = [sorted((e.spans, e.label) for e in document.entities) for document in (one, two)]
            if shown[0] != shown[1]:
                raise ScoreError(
                    f"{one.id}: {GIVEN_MEANING[given]}, but the predicted entities are not the gold ones."
                )
        if given == "clusters" and matching.cluster_spans(one) != matching.cluster_spans(two):
            raise ScoreError(
                f"{one.id}: {GIVEN_MEANING[given]}, but the predicted clusters are not the gold ones."
            )
        _check(one, schema)
        _check(two, schema)
    return pairs


def _check(document: Document, schema: Schema) -> None:
    entities = document.by_id()
    for entity in document.entities:
        if entity.label not in schema.entities:
            raise ScoreError(f"{document.id}: entity {entity.id} has the unknown label {entity.label!r}")
    for relation in document.relations:
        if relation.label not in schema.relations:
            raise ScoreError(
                f"{document.id}: relation {relation.id} has the unknown label {relation.label!r}"
            )
        for end in (relation.source, relation.target):
            if end not in entities:
                raise ScoreError(
                    f"{document.id}: relation {relation.id} points at {end}, which does not exist"
                )
    if len(entities) < len(document.entities):
        raise ScoreError(f"{document.id}: two entities share an id, so its relations can't be scored")
    grouped = [member for cluster in document.clusters for member in cluster.members]
    if len(set(grouped)) < len(grouped):
        raise ScoreError(f"{document.id}: an entity stands in two clusters, so its facts can't be scored")
    for cluster in document.clusters:
        for member in cluster.members:
            if member not in entities:
                raise ScoreError(f"{document.id}: cluster {cluster.id} names {member}, which does not exist")


def _metrics(symmetric: frozenset[str]) -> dict[str, tuple[frozenset[str], Count]]:
    """For every metric the layers that the gold must have, and what counts it."""
    spans, links = frozenset({"entities"}), frozenset({"relations"})
    facts = links | {"clusters"}
    return {
        **{f"entities.{scheme}": (spans, _count_spans(scheme)) for scheme in matching.SCHEMES},
        "relations.strict": (links, _count_relations(True, symmetric)),
        "relations.boundaries": (links, _count_relations(False, symmetric)),
        "facts.any-mention": (facts, _count_facts(False, symmetric)),
        "facts.hard": (facts, _count_facts(True, symmetric)),
    }


def _count_spans(scheme: matching.Scheme) -> Count:
    def count(gold: Document, predicted: Document, place: Mapping[str, int], cells: Matrix) -> None:
        paired = matching.pair_spans(gold.entities, predicted.entities, scheme)
        half = scheme == "partial"
        for entity in gold.entities:
            cells[place[entity.label], GOLD] += 1
        for entity in predicted.entities:
            cells[place[entity.label], PREDICTED] += 1
        for g, p in paired.correct:
            cells[place[gold.entities[g].label], GOLD_COR] += 1
            cells[place[predicted.entities[p].label], PREDICTED_COR] += 1
        for g, p in paired.other:
            cells[place[gold.entities[g].label], GOLD_PAR if half else GOLD_INC] += 1
            cells[place[predicted.entities[p].label], PREDICTED_PAR if half else PREDICTED_INC] += 1

    return count


def _count_relations(types: bool, symmetric: frozenset[str]) -> Count:
    def count(gold: Document, predicted: Document, place: Mapping[str, int], cells: Matrix) -> None:
        sides = [
            [(label, key) for label, key in found if key is not None]
            for found in (
                matching.relation_keys(document, types=types, symmetric=symmetric)
                for document in (gold, predicted)
            )
        ]
        for column, side in zip((GOLD, PREDICTED), sides, strict=True):
            for label, _ in side:
                cells[place[label], column] += 1
        hits = matching.shared((key for _, key in sides[0]), (key for _, key in sides[1]))
        for key, number in hits.items():
            cells[place[key[0]], [GOLD_COR, PREDICTED_COR]] += number  # type: ignore[index]

    return count


def _count_facts(hard: bool, symmetric: frozenset[str]) -> Count:
    def count(gold: Document, predicted: Document, place: Mapping[str, int], cells: Matrix) -> None:
        golds = matching.facts(gold, symmetric=symmetric)
        preds = matching.facts(predicted, symmetric=symmetric)
        for column, side in ((GOLD, golds), (PREDICTED, preds)):
            for label, _, _ in side:
                cells[place[label], column] += 1
        for g, _ in matching.pair_facts(golds, preds, hard=hard, symmetric=symmetric):
            cells[place[golds[g][0]], [GOLD_COR, PREDICTED_COR]] += 1

    return count


def _rows(metric: str, counted: Counted, seed: int) -> list[Row]:
    labels, cells = counted.labels, counted.cells
    totals = cells.sum(axis=0)
    samples = None
    if len(cells) >= resample.LEAST_DOCUMENTS:
        drawn = resample.weights(len(cells), seed=seed)
        samples = np.einsum("rd,dlc->rlc", drawn, cells).astype(np.float64)
    rows = []
    for index, label in enumerate(labels):
        spread = None if samples is None else resample.interval(_sampled_f1(samples[:, index]))
        rows.append(_row(metric, label, totals[index], spread))
    micro = None if samples is None else resample.interval(_sampled_f1(samples.sum(axis=1)))
    supported = totals[:, GOLD] > 0
    macro = None
    if samples is not None and supported.any():
        by_label = _sampled_f1(samples[:, supported])
        defined = ~np.isnan(by_label)
        numbers = defined.sum(axis=1)
        sums = np.where(defined, by_label, 0.0).sum(axis=1)
        macro = resample.interval(np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan))
    rows.append(_row(metric, "micro", totals.sum(axis=0), micro))
    rows.append(_macro(metric, [row for row in rows[:-1] if row.gold], rows[-1], macro))
    return rows


def _sampled_f1(samples: resample.Array) -> resample.Array:
    return resample.f1(
        samples[..., GOLD],
        samples[..., PREDICTED],
        samples[..., GOLD_COR] + samples[..., GOLD_PAR] / 2,
        samples[..., PREDICTED_COR] + samples[..., PREDICTED_PAR] / 2,
    )


def _row(metric: str, label: str, cells: Matrix, spread: tuple[float, float] | None) -> Row:
    numbers = [int(cell) for cell in cells]
    counts = Counts(
        gold=numbers[GOLD],
        predicted=numbers[PREDICTED],
        gold_correct=numbers[GOLD_COR],
        predicted_correct=numbers[PREDICTED_COR],
        gold_incorrect=numbers[GOLD_INC],
        predicted_incorrect=numbers[PREDICTED_INC],
        gold_partial=numbers[GOLD_PAR],
        predicted_partial=numbers[PREDICTED_PAR],
    )
    return Row(
        metric=metric,
        label=label,
        gold=counts.gold,
        predicted=counts.predicted,
        correct=counts.gold_correct,
        incorrect=counts.gold_incorrect,
        partial=counts.gold_partial,
        missed=counts.missed,
        spurious=counts.spurious,
        precision=counts.precision,
        recall=counts.recall,
        f1=counts.f1,
        low=spread[0] if spread else None,
        high=spread[1] if spread else None,
    )


def _macro(metric: str, rows: Sequence[Row], micro: Row, spread: tuple[float, float] | None) -> Row:
    """The means over the labels with gold; precision over those of them where it is defined."""

    def mean(values: Iterable[float | None]) -> float | None:
        numbers = [value for value in values if value is not None]
        return sum(numbers) / len(numbers) if numbers else None

    return msgspec.structs.replace(
        micro,
        label="macro",
        precision=mean(row.precision for row in rows),
        recall=mean(row.recall for row in rows),
        f1=mean(row.f1 for row in rows),
        low=spread[0] if spread else None,
        high=spread[1] if spread else None,
    )


def _confusion(pairs: Sequence[tuple[Document, Document]], schema: Schema) -> dict[str, dict[str, int]]:
    names = [*schema.entities, "-"]
    table = {gold: dict.fromkeys(names, 0) for gold in names}
    for gold, predicted in pairs:
        if "entities" not in gold.layers:
            continue
        paired = matching.pair_spans(gold.entities, predicted.entities, "exact")
        for g, p in paired.correct:
            table[gold.entities[g].label][predicted.entities[p].label] += 1
        taken = {g for g, _ in paired.correct}, {p for _, p in paired.correct}
        for g, entity in enumerate(gold.entities):
            table[entity.label]["-"] += g not in taken[0]
        for p, entity in enumerate(predicted.entities):
            table["-"][entity.label] += p not in taken[1]
    return table
