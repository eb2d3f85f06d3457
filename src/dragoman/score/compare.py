"""Is one system better than another? Paired bootstrap and approximate randomisation over documents.

Both draw documents. Documents with equal count rows are exchangeable, so weights are drawn over
the distinct rows alone, multinomial for the bootstrap and binomial for the swaps: the cost grows
with the number of distinct rows, and the result is exact.

Sources: Efron and Tibshirani 1993 (bootstrap), Noreen 1989 (approximate randomisation),
Holm 1979 (several comparisons), Koehn 2004 (paired bootstrap for language systems).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

import msgspec
import numpy as np
from numpy.typing import NDArray

from dragoman import __version__
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import resample
from dragoman.score.scorecard import pair_documents
from dragoman.score.tally import (
    GOLD,
    GOLD_COR,
    GOLD_PAR,
    PREDICTED,
    PREDICTED_COR,
    PREDICTED_PAR,
    Counted,
    Material,
    count_documents,
)
from dragoman.types import Document, Given

RESAMPLES = 10_000
CHUNK = 2_000_000
Ints = NDArray[np.int64]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two systems on the same documents.

    first_f1, second_f1: 0 to 1, None where undefined. difference: first minus second.
    low, high: percentile interval of the difference (paired bootstrap).
    p: of approximate randomisation, two-sided, never below 1 / (resamples + 1); adjusted_p
    is Holm's over all pairs of the call. effect: the difference in units of its bootstrap
    standard deviation. distinct: number of distinct count rows.
    """

    metric: str
    first: str
    second: str
    first_f1: float | None
    second_f1: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    adjusted_p: float | None
    effect: float | None
    documents: int
    distinct: int
    resamples: int
    seed: int
    note: str | None
    signature: str


def compare(
    gold: Iterable[Document],
    systems: Mapping[str, Iterable[Document]],
    schema: Schema,
    *,
    metric: str = "facts.any-mention",
    macro: bool = False,
    given: Given = "nothing",
    seed: int = 0,
    resamples: int = RESAMPLES,
    settings: Mapping[str, str] = {},
) -> tuple[Comparison, ...]:
    """Compare every pair of systems by one metric's F1.

    systems: predicted documents by name, two or more, each of all gold articles.
    macro: average F1 over the labels with gold; else micro. settings: as in ``score``.
    Below 10 documents no test is made; ``note`` says so.
    Raises ScoreError for fewer than two systems, an unknown metric, or what ``score`` refuses.
    """
    resample.refuse_odd(seed, resamples)
    if len(systems) < 2:
        raise ScoreError("a comparison needs two systems or more")
    kept = tuple(gold)
    counted: dict[str, Counted] = {}
    for name, predicted in systems.items():
        material = Material(pair_documents(kept, predicted, schema, given), schema)
        found = dict(count_documents(material, given, [metric]))
        if metric not in found:
            known = ", ".join(name for name, _ in count_documents(material, given))
            raise ScoreError(f"no metric {metric!r} here; there are {known}")
        counted[name] = found[metric]
    gold_hash = material.gold_digest()
    results = [
        _pair(metric, one, two, counted[one], counted[two], macro, seed, resamples)
        for one, two in combinations(counted, 2)
    ]
    signature = "|".join(
        (
            f"metric:{metric}",
            f"average:{'macro over labels with gold' if macro else 'micro'}",
            f"given:{given}",
            f"schema:{schema.reference}",
            f"gold:{gold_hash[:12]}",
            f"documents:{results[0].documents}",
            f"test:paired bootstrap, approximate randomisation, {resamples} resamples, seed {seed}",
            f"correction:Holm over {len(results)}",
            *(f"{name}:{value}" for name, value in settings.items()),
            f"dragoman:{__version__}",
        )
    )
    results = [msgspec.structs.replace(result, signature=signature) for result in results]
    return tuple(_holm(results))


def _pair(
    metric: str, first: str, second: str, one: Counted, two: Counted, macro: bool, seed: int, resamples: int
) -> Comparison:
    rows = np.stack([_columns(one, macro), _columns(two, macro)], axis=1)  # documents x 2 x labels x 4
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    values = _f1(rows.sum(axis=0, keepdims=True))[0]
    defined = not np.isnan(values).any()
    difference = float(values[0] - values[1]) if defined else None
    result = Comparison(
        metric=metric,
        first=first,
        second=second,
        first_f1=None if np.isnan(values[0]) else float(values[0]),
        second_f1=None if np.isnan(values[1]) else float(values[1]),
        difference=difference,
        low=None,
        high=None,
        p=None,
        adjusted_p=None,
        effect=None,
        documents=len(rows),
        distinct=len(distinct),
        resamples=resamples,
        seed=seed,
        note=None,
        signature="",
    )
    if difference is None:
        return msgspec.structs.replace(result, note="no test: a system's F1 is undefined")
    if len(rows) < resample.LEAST_DOCUMENTS:
        return msgspec.structs.replace(result, note=resample.TOO_FEW.replace("no interval", "no test"))
    drawn = np.concatenate(list(_bootstrap(distinct, counts, seed, resamples)))
    drawn = drawn[~np.isnan(drawn)]
    swapped = np.concatenate(list(_swaps(distinct, counts, seed, resamples)))
    as_far = int((np.abs(swapped) >= abs(difference) - 1e-12).sum())
    spread = resample.interval(drawn)
    deviation = float(drawn.std()) if len(drawn) else 0.0
    return msgspec.structs.replace(
        result,
        low=spread[0] if spread else None,
        high=spread[1] if spread else None,
        p=(as_far + 1) / (resamples + 1),
        effect=difference / deviation if deviation else None,
    )


def _columns(counted: Counted, macro: bool) -> Ints:
    """documents x labels x (gold, predicted, twice the hits of either side), as whole numbers."""
    cells = counted.cells
    if macro:
        cells = cells[:, cells[:, :, GOLD].sum(axis=0) > 0]
    found = np.stack(
        [
            cells[:, :, GOLD],
            cells[:, :, PREDICTED],
            2 * cells[:, :, GOLD_COR] + cells[:, :, GOLD_PAR],
            2 * cells[:, :, PREDICTED_COR] + cells[:, :, PREDICTED_PAR],
        ],
        axis=2,
    )
    return found if macro else found.sum(axis=1, keepdims=True)


def _f1(totals: NDArray[np.int64]) -> resample.Array:
    """F1 from totals, ... x labels x 4: the mean over the labels where it is defined."""
    values = resample.f1(totals[..., 0] / 1, totals[..., 1] / 1, totals[..., 2] / 2, totals[..., 3] / 2)
    defined = ~np.isnan(values)
    sums = np.where(defined, values, 0.0).sum(axis=-1)
    numbers = defined.sum(axis=-1)
    return np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan)


def _sizes(distinct: int, resamples: int) -> Iterator[int]:
    """Resamples in chunks that keep memory bounded."""
    size = max(1, min(resamples, CHUNK // max(1, distinct)))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _bootstrap(distinct: Ints, counts: Ints, seed: int, resamples: int) -> Iterator[resample.Array]:
    generator = np.random.default_rng([seed, 0])
    documents = int(counts.sum())
    flat = distinct.reshape(len(distinct), -1)
    for size in _sizes(len(distinct), resamples):
        drawn = generator.multinomial(documents, counts / documents, size=size)
        values = _f1((drawn @ flat).reshape(size, *distinct.shape[1:]))
        yield values[:, 0] - values[:, 1]


def _swaps(distinct: Ints, counts: Ints, seed: int, resamples: int) -> Iterator[resample.Array]:
    generator = np.random.default_rng([seed, 1])
    first, second = distinct[:, 0].reshape(len(distinct), -1), distinct[:, 1].reshape(len(distinct), -1)
    shape = distinct.shape[2:]
    for size in _sizes(len(distinct), resamples):
        swapped = generator.binomial(counts, 0.5, size=(size, len(counts)))
        moved = swapped @ (second - first)
        one = _f1((counts @ first + moved).reshape(size, *shape))
        two = _f1((counts @ second - moved).reshape(size, *shape))
        yield one - two


def _holm(results: list[Comparison]) -> list[Comparison]:
    """Holm's step-down adjustment over the comparisons that have a p."""
    tested = sorted((r.p, index) for index, r in enumerate(results) if r.p is not None)
    adjusted = list(results)
    highest = 0.0
    for rank, (p, index) in enumerate(tested):
        highest = max(highest, min(1.0, p * (len(tested) - rank)))
        adjusted[index] = msgspec.structs.replace(results[index], adjusted_p=highest)
    return adjusted
