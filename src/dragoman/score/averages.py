"""From counts to rows of a scorecard: each group, and the averages over groups and documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from dragoman.score import resample
from dragoman.score.columns import Ints
from dragoman.score.counts import Counts
from dragoman.score.tally import (
    GOLD,
    GOLD_COR,
    GOLD_INC,
    GOLD_PAR,
    PREDICTED,
    PREDICTED_COR,
    PREDICTED_INC,
    PREDICTED_PAR,
    Counted,
    Matrix,
)

AVERAGES = ("micro", "macro", "weighted", "per-document")
ALL = "all"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a result: a metric for one label, or an average.

    metric: such as ``entities.strict``. slice: ``all``, or ``name=value`` of a slice.
    label: a label, or one of AVERAGES: ``micro`` adds all labels up, ``macro`` is the mean over
    the labels with gold, ``weighted`` that mean weighted by their gold, ``per-document`` the mean
    over documents of their micro rates. Means leave out what is undefined.
    precision, recall, f1: 0 to 1, None where undefined. low, high: the interval of f1.
    """

    metric: str
    slice: str = ALL
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


def rows(metric: str, counted: Counted, seed: int, *, part: str = ALL, intervals: bool = True) -> list[Row]:
    """A row for every group and every average of a metric's counts.

    part: the rows' slice. intervals: whether to give those that the number of documents allows.
    """
    cells = counted.cells
    held = cells.transpose(2, 1, 0).sum(axis=2, dtype=np.int64).T
    occurring = np.arange(len(counted.groups)) if counted.occurring is None else counted.occurring
    kept = np.flatnonzero(held[:, GOLD] + held[:, PREDICTED])
    used = occurring[kept]
    sums = np.zeros((len(counted.groups), held.shape[1]), np.int64)  # the others' rates are undefined
    sums[used] = held[kept]
    four = _four(cells, kept)
    drawn = sampled = None
    spreads: list[tuple[float, float] | None] = [None] * len(counted.groups)
    if intervals and len(cells) >= resample.LEAST_DOCUMENTS:
        drawn = resample.totals(four, seed=seed)
        sampled = _f1(drawn)
        for index, spread in zip(used, resample.intervals(sampled), strict=True):
            spreads[index] = spread
    found = []
    for index, group in enumerate(counted.groups):
        found.append(_row(metric, part, group, sums[index], spreads[index]))
    micro = None if drawn is None else resample.interval(_f1(drawn.sum(axis=1)))
    averages = [_row(metric, part, "micro", sums.sum(axis=0), micro)]
    supported = np.flatnonzero(sums[:, GOLD] > 0)
    drawn_supported = np.flatnonzero(sums[used, GOLD] > 0)
    with_gold = [found[index] for index in supported]
    for name, shares in (("macro", np.ones(len(supported))), ("weighted", sums[supported, GOLD])):
        spread = None
        if sampled is not None and len(supported):
            spread = resample.interval(_mean(sampled[:, drawn_supported], shares))
        averages.append(_averaged(averages[0], name, with_gold, shares, spread))
    averages.append(_per_document(averages[0], four, seed, intervals=drawn is not None))
    return found + averages


def _four(cells: Matrix, groups: Ints) -> Matrix:
    """The four columns that F1 needs, hits in halves: gold, predicted, gold and predicted hits."""
    found = np.empty((4, len(groups), len(cells)), dtype=cells.dtype).transpose(0, 2, 1)
    found[0], found[1] = cells[:, groups, GOLD], cells[:, groups, PREDICTED]
    found[2] = 2 * cells[:, groups, GOLD_COR] + cells[:, groups, GOLD_PAR]
    found[3] = 2 * cells[:, groups, PREDICTED_COR] + cells[:, groups, PREDICTED_PAR]
    return np.moveaxis(found, 0, -1)


def _f1(four: resample.Array) -> resample.Array:
    return resample.f1(four[..., 0], four[..., 1], four[..., 2] / 2, four[..., 3] / 2)


def _mean(values: resample.Array, shares: resample.Array) -> resample.Array:
    """The weighted mean along the last axis of what is defined; NaN where nothing is."""
    defined = ~np.isnan(values)
    whole = (defined * shares).sum(axis=-1)
    sums = (np.where(defined, values, 0.0) * shares).sum(axis=-1)
    return np.where(whole > 0, sums / np.where(whole > 0, whole, 1.0), np.nan)


def _row(metric: str, part: str, label: str, cells: Matrix, spread: tuple[float, float] | None) -> Row:
    numbers = cells.tolist()
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
        slice=part,
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


def _averaged(
    micro: Row, name: str, found: Sequence[Row], shares: resample.Array, spread: tuple[float, float] | None
) -> Row:
    def mean(values: Iterable[float | None]) -> float | None:
        defined = [(v, s) for v, s in zip(values, shares.tolist(), strict=True) if v is not None]
        whole = sum(share for _, share in defined)
        return sum(value * share for value, share in defined) / whole if whole else None

    return msgspec.structs.replace(
        micro,
        label=name,
        precision=mean(row.precision for row in found),
        recall=mean(row.recall for row in found),
        f1=mean(row.f1 for row in found),
        low=spread[0] if spread else None,
        high=spread[1] if spread else None,
    )


def _per_document(micro: Row, by_label: Matrix, seed: int, *, intervals: bool) -> Row:
    four = np.moveaxis(by_label.transpose(2, 1, 0).sum(axis=1), 0, -1).astype(np.float64, order="K")
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = (four[:, 3] / 2 / four[:, 1], four[:, 2] / 2 / four[:, 0], _f1(four))
    means = [_mean(column, np.ones(len(column))).item() for column in columns]
    spread = None
    if intervals:
        defined = ~np.isnan(columns[2])
        both = np.stack([np.where(defined, columns[2], 0.0), defined], axis=1)[:, None]
        drawn = resample.totals(both, seed=seed)[:, 0]
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = resample.interval(np.where(drawn[:, 1] > 0, drawn[:, 0] / drawn[:, 1], np.nan))
    precision, recall, f1 = (None if np.isnan(mean) else mean for mean in means)
    return msgspec.structs.replace(
        micro,
        label="per-document",
        precision=precision,
        recall=recall,
        f1=f1,
        low=spread[0] if spread else None,
        high=spread[1] if spread else None,
    )
