"""How far annotators of the same articles agree, with what reproduces the numbers.

F1 asks how much of what one annotator marked the other marked too; averaged over the pairs of
annotators it needs no correction for chance, because what nobody marked is not counted (Hripcsak
and Rothschild 2005, Agreement, the F-measure, and reliability in information retrieval).
Kappa asks how far labels agree where spans already do. Alpha asks both at once, over units that
include what only some marked. The coefficients themselves are in ``coefficients``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from dragoman import __version__
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import resample, units
from dragoman.score.coefficients import (
    MISSING,
    NO_UNIT,
    ONE_CATEGORY,
    Floats,
    Ints,
    agreeing,
    corrected,
    counted,
)
from dragoman.score.rounds import Versions, check, gather, left_out_note, sign
from dragoman.score.scorecard import score
from dragoman.types import Document

Unit = Literal["tokens", "spans", "pairs"]
Missing = Literal["drop", "pairwise"]
UNITS: tuple[Unit, ...] = get_args(Unit)
MISSINGS: tuple[Missing, ...] = get_args(Missing)
ALL = "all"
RESAMPLES = resample.RESAMPLES

F1, COHEN, FLEISS, ALPHA = "pairwise-f1", "cohen-kappa", "fleiss-kappa", "krippendorff-alpha"
SHARED = "shared-spans"
NEEDS: Mapping[str, frozenset[str]] = {
    "entities.strict": frozenset({"entities"}),
    "entities.exact": frozenset({"entities"}),
    "relations.strict": frozenset({"relations"}),
    "facts.any-mention": frozenset({"relations", "clusters"}),
    SHARED: frozenset({"entities"}),
    "tokens": frozenset({"entities"}),
    "spans": frozenset({"entities"}),
    "pairs": frozenset({"relations"}),
}
"""The layers that an annotator must have worked on, for everything that is measured."""
UNLABELLED = "entities.exact"
F1_UNITS = ("entities.strict", UNLABELLED, "relations.strict", "facts.any-mention")


class AgreementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One number.

    metric: ``pairwise-f1`` (the mean over the pairs of annotators where it is defined),
    ``cohen-kappa`` (two annotators), ``fleiss-kappa`` (more) or ``krippendorff-alpha``.
    unit: of F1 the metric of the scorecard, such as ``entities.strict``; of kappa
    ``shared-spans``, those that all annotators marked; of alpha ``tokens``, ``spans``, ``pairs``.
    label: one label against the rest, or ``all``. Labels that nobody used have no row, nor have
    pairs of annotators without a shared article.
    value: at most 1; None where undefined, and ``note`` says why. low, high: its interval.
    n_units: how many units the value rests on: what either of a pair marked (F1, summed over
    the pairs), units with two answers (coefficients); of a label those that someone gave it.
    documents: how many articles these come from.
    """

    metric: str
    unit: str
    annotators: tuple[str, ...]
    label: str
    value: float | None
    low: float | None
    high: float | None
    n_units: int
    documents: int
    note: str | None


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """The agreement of some annotators, one number a row.

    documents: the articles compared; left_out: those that too few annotators did.
    signature: what reproduces the numbers, in one line.
    """

    unit: str
    missing: str
    annotators: tuple[str, ...]
    documents: tuple[str, ...]
    left_out: tuple[str, ...]
    schema: str
    version: str
    seed: int
    signature: str
    note: str | None
    rows: tuple[AgreementRow, ...]

    def row(self, metric: str, unit: str | None = None, label: str = ALL) -> AgreementRow:
        """The row of all annotators; ScoreError if there is none. unit: the first, if None."""
        for row in self.rows:
            if (row.metric, row.label, row.annotators) == (metric, label, self.annotators) and (
                unit is None or row.unit == unit
            ):
                return row
        known = ", ".join(dict.fromkeys(f"{row.metric} of {row.unit}" for row in self.rows))
        raise ScoreError(f"no row {label} of {metric} of {unit or 'any unit'}; there are {known}")


def agreement(
    rounds: Mapping[str, Iterable[Document]],
    schema: Schema,
    *,
    unit: Unit = "tokens",
    missing: Missing = "drop",
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Agreement:
    """How far two or more annotators agree.

    rounds: the documents of each annotator by name. Articles are paired by id; order, and which
    annotator comes first, never change a number.
    unit: of Krippendorff's alpha. ``tokens``: every token, its label or none (of nested mentions
    the outermost). ``spans``: every span that anyone marked, its labels or none. ``pairs``: every
    ordered pair of spans that all marked, the labels of its relations or none.
    missing: ``drop`` compares the articles that all annotators did; ``pairwise`` those that two
    or more did, for alpha over the units with two answers or more, for F1 pair by pair; a kappa
    always takes the articles that all did.
    seed, resamples: of the bootstrap over articles; below 10 articles there are no intervals.

    An annotator whose document does not list a layer did not annotate it: the article counts as
    missing for what needs that layer (see NEEDS).
    Raises ScoreError for fewer than two annotators, no shared article, different texts of one
    article, a text that is not attached where tokens are asked for, and what ``score`` refuses.
    """
    if unit not in UNITS:
        raise ScoreError(f"no unit {unit!r}; alpha is over {', '.join(UNITS)}")
    if missing not in MISSINGS:
        raise ScoreError(f"no policy {missing!r} for missing articles; there are {', '.join(MISSINGS)}")
    if resamples < 1:
        raise ScoreError(f"{resamples} resamples; take 1 or more")
    articles, left_out = gather(rounds, least=2 if missing == "pairwise" else len(rounds))
    names = tuple(rounds)
    check(articles, schema, text=unit == "tokens")
    measured = _Measured(names, tuple(articles.values()), missing, seed, resamples)
    by_pair = _scored(measured, schema)
    rows: list[AgreementRow] = []
    for name in F1_UNITS:
        rows += _f1_rows(measured, name, by_pair[name], schema)
    kappa = COHEN if len(names) == 2 else FLEISS
    rows += _coefficient_rows(measured, kappa, SHARED, units.shared_spans, tuple(schema.entities))
    counts: Mapping[str, tuple[Callable[[Versions], Counter[units.Answers]], Iterable[str]]] = {
        "tokens": (units.tokens, schema.entities),
        "spans": (units.spans, schema.entities),
        "pairs": (lambda versions: units.pairs(versions, schema.symmetric), schema.relations),
    }
    rows += _coefficient_rows(measured, ALPHA, unit, counts[unit][0], tuple(counts[unit][1]))
    return Agreement(
        unit=unit,
        missing=missing,
        annotators=names,
        documents=tuple(articles),
        left_out=left_out,
        schema=schema.reference,
        version=__version__,
        seed=seed,
        signature=sign(
            articles,
            names,
            schema,
            left_out,
            f"unit:{unit}",
            f"missing:{missing}",
            bootstrap=f"{resamples} resamples, seed {seed}",
        ),
        note=left_out_note(left_out, 2 if missing == "pairwise" else len(names)),
        rows=tuple(rows),
    )


class _Measured(msgspec.Struct, frozen=True):
    """What every measure starts from."""

    names: tuple[str, ...]
    articles: tuple[Versions, ...]
    missing: Missing
    seed: int
    resamples: int
    weights: dict[int, Floats] = {}

    def of(self, unit: str, *, shared: bool) -> list[Versions]:
        """The articles with enough annotators of the layers of a unit; the others' versions None."""
        return [
            tuple(one if _did(one, unit) else None for one in versions)
            for versions in self.articles
            if self.keeps(unit, versions, shared=shared)
        ]

    def keeps(self, unit: str, versions: Versions, *, shared: bool = False) -> bool:
        """Whether enough annotators worked on the layers of a unit; shared: all must have."""
        number = sum(_did(one, unit) for one in versions)
        return number >= (2 if self.missing == "pairwise" and not shared else len(versions))

    def left_out(self, documents: int) -> list[str]:
        """A note on articles that the others have and one measure had to leave out."""
        number = len(self.articles) - documents
        if not number:
            return []
        return [f"{number} article{'' if number == 1 else 's'} not annotated for this by enough annotators"]

    def row(
        self,
        metric: str,
        unit: str,
        label: str,
        measure: Callable[[Floats], Floats],
        *,
        documents: int,
        n_units: int,
        undefined: str,
        annotators: tuple[str, ...] | None = None,
        notes: Sequence[str] = (),
    ) -> AgreementRow:
        """One row; ``measure`` turns weights, samples x documents, into values, NaN if undefined."""
        said = list(notes)
        value = float(measure(np.ones((1, documents)))[0]) if documents else np.nan
        spread = None
        drawn = self.drawn(documents)
        if np.isnan(value):
            said.append(undefined)
        elif drawn is None:
            said.append(resample.TOO_FEW)
        else:
            samples = measure(drawn)
            spread = resample.interval(samples)
            if empty := int(np.isnan(samples).sum()):
                said.append(f"undefined in {empty} of {len(samples)} resamples")
        return AgreementRow(
            metric=metric,
            unit=unit,
            annotators=annotators or self.names,
            label=label,
            value=None if np.isnan(value) else value,
            low=spread[0] if spread else None,
            high=spread[1] if spread else None,
            n_units=n_units,
            documents=documents,
            note="; ".join(said) or None,
        )

    def drawn(self, documents: int) -> Floats | None:
        """Weights of the articles in each resample; None below LEAST_DOCUMENTS."""
        if documents < resample.LEAST_DOCUMENTS:
            return None
        if documents not in self.weights:
            found = resample.weights(documents, seed=self.seed, resamples=self.resamples)
            self.weights[documents] = found.astype(np.float64)
        return self.weights[documents]


def _did(version: Document | None, unit: str) -> bool:
    return version is not None and NEEDS[unit] <= set(version.layers)


def _scored(measured: _Measured, schema: Schema) -> dict[str, Floats]:
    """The counts of every F1 metric, NaN where a pair of annotators could not be compared.

    articles x pairs of annotators x (all, then labels) x (gold, predicted, correct).
    """
    place = {label: index for index, label in enumerate(("micro", *schema.entities, *schema.relations))}
    couples = list(combinations(range(len(measured.names)), 2))
    shape = (len(measured.articles), len(couples), 1 + len(schema.entities) + len(schema.relations), 3)
    found: dict[str, Floats] = {name: np.full(shape, np.nan) for name in F1_UNITS}
    for index, versions in enumerate(measured.articles):
        wanted = [name for name in F1_UNITS if measured.keeps(name, versions)]
        for couple, (a, b) in enumerate(couples):
            one, two = versions[a], versions[b]
            names = {name for name in wanted if _did(one, name) and _did(two, name)}
            if one is None or two is None or not names:
                continue
            layers = tuple(layer for layer in one.layers if layer in two.layers)
            sides = [[msgspec.structs.replace(side, layers=layers)] for side in (one, two)]
            for name in names:
                found[name][index, couple] = 0
            for row in score(sides[0], sides[1], schema).rows:
                if row.metric in names and row.label in place:
                    counts = row.gold, row.predicted, row.correct
                    found[row.metric][index, couple, place[row.label]] = counts
    return found


def _f1_rows(measured: _Measured, name: str, scored: Floats, schema: Schema) -> list[AgreementRow]:
    compared = ~np.isnan(scored[:, :, 0, 0])
    labels = (ALL, *schema.entities, *schema.relations)
    couples = list(combinations(measured.names, 2))
    every = range(len(couples))
    fewer: list[str] = []

    def row(annotators: tuple[str, ...], chosen: Sequence[int], label: int) -> AgreementRow | None:
        kept = np.nan_to_num(scored[compared[:, chosen].any(axis=1)][:, chosen, label])
        totals = kept.sum(axis=(0, 1))
        marked = int(totals[0] + totals[1] - totals[2])
        if label and not marked:
            return None
        return measured.row(
            F1,
            name,
            labels[label],
            lambda weights: _mean_f1(np.tensordot(weights, kept, axes=1)),
            documents=len(kept),
            n_units=marked,
            undefined="undefined: nobody marked any" if len(kept) else "undefined: no article to compare",
            annotators=annotators,
            notes=[*measured.left_out(len(kept)), *fewer] if chosen is every and not label else (),
        )

    met = [index for index in every if compared[:, index].any()]
    if len(met) < len(couples):
        fewer.append(f"mean over {len(met)} of {len(couples)} pairs: the others share no article")
    rows = [row(measured.names, every, 0)]
    if len(couples) > 1:
        rows += [row(couples[index], [index], 0) for index in met]
    if name != UNLABELLED:  # where labels are ignored, no label has a value of its own
        rows += [row(measured.names, every, label) for label in range(1, len(labels))]
    return [found for found in rows if found is not None]


def _mean_f1(totals: NDArray[np.floating[Any]]) -> Floats:
    """samples x pairs x (gold, predicted, correct) to the mean F1 over the pairs where it is defined."""
    gold, predicted, correct = np.moveaxis(totals.astype(np.float64), -1, 0)
    values = resample.f1(gold, predicted, correct, correct)
    defined = ~np.isnan(values)
    sums = np.where(defined, values, 0.0).sum(axis=-1)
    numbers = defined.sum(axis=-1)
    return np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan)


def _coefficient_rows(
    measured: _Measured,
    metric: str,
    unit: str,
    count: Callable[[Versions], Counter[units.Answers]],
    labels: Sequence[str],
) -> list[AgreementRow]:
    articles = measured.of(unit, shared=metric != ALPHA)
    found = [count(versions) for versions in articles]
    every = list(dict.fromkeys(answers for counter in found for answers in counter))
    table = np.array([[counter[answers] for answers in every] for counter in found], dtype=np.float64)
    table = table.reshape(len(found), len(every))
    numbers = table.sum(axis=0)
    notes = measured.left_out(len(found))
    if unit == "pairs" and (lost := sum(units.outside(versions) for versions in articles)):
        notes.append(f"{lost} relations do not lie between two shared spans")

    def row(
        label: str, codes: Sequence[Sequence[int]], n_units: int, notes: Sequence[str] = ()
    ) -> AgreementRow:
        return measured.row(
            metric,
            unit,
            label,
            _measure(metric, table, np.array(codes, dtype=np.int64).reshape(len(codes), len(measured.names))),
            documents=len(found),
            n_units=n_units,
            undefined=ONE_CATEGORY if n_units else NO_UNIT,
            notes=notes,
        )

    place: dict[units.Answer, int] = {}
    codes = [
        [MISSING if answer is None else place.setdefault(answer, len(place)) for answer in answers]
        for answers in every
    ]
    rows = [row(ALL, codes, int(numbers.sum()), notes)]
    for label in labels:
        has = [[MISSING if one is None else int(label in one) for one in answers] for answers in every]
        given = sum(int(n) for n, row_ in zip(numbers, has, strict=True) if 1 in row_)
        if given:
            rows.append(row(label, has, given))
    return rows


def _measure(metric: str, table: Floats, codes: Ints) -> Callable[[Floats], Floats]:
    """From weights, samples x documents, to values of a coefficient.

    table: documents x distinct combinations of answers, how often each occurs.
    codes: distinct combinations x annotators, the category of each answer. What a combination
    adds to each sum is worked out once, so that a resample costs a few products of matrices.
    """
    if not codes.size:
        return lambda weights: np.full(len(weights), np.nan)
    first = second = counted(codes.T, int(codes.max()) + 1)
    first = second = first * (first.sum(axis=1, keepdims=True) >= 2)
    total, agree = first.sum(axis=1), agreeing(first)
    if metric == COHEN:
        first, second = (counted(codes.T[[side]], int(codes.max()) + 1) for side in (0, 1))
        total, agree = total / 2, agree / 2

    def measure(weights: Floats) -> Floats:
        drawn = weights @ table
        same = ((drawn @ first) * (drawn @ second)).sum(axis=1)
        return corrected(drawn @ total, drawn @ agree, same, replacement=metric != ALPHA)

    return measure
