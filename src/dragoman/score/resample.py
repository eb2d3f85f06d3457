"""Uncertainty: percentile bootstrap intervals over documents (Efron and Tibshirani 1993)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from dragoman.errors import ScoreError

LEAST_DOCUMENTS = 10
RESAMPLES = 2000
LEVEL = 0.95
TOO_FEW = f"no interval: fewer than {LEAST_DOCUMENTS} documents"
MANY_DOCUMENTS = 1000
"""From so many documents on, totals are drawn from their normal limit instead of document by document."""
BLOCK = 4096
RARE = 200
"""A label with fewer items is drawn exactly all the same."""

Array = NDArray[np.float64]


def refuse_odd(seed: object, resamples: object = RESAMPLES) -> None:
    """Raise ScoreError unless the seed is a whole number from 0 and the resamples one from 1."""
    for name, value, least in (("seed", seed, 0), ("resamples", resamples, 1)):
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if not whole or value < least:  # type: ignore[operator]
            raise ScoreError(f"{name}: found {value!r}, expected a whole number, {least} or more")


def described(documents: int, seed: int) -> str:
    """How intervals over so many documents are made, for a signature."""
    refuse_odd(seed)
    if documents < LEAST_DOCUMENTS:
        return "none"
    limit = ", normal limit" if documents >= MANY_DOCUMENTS else ""
    return f"{RESAMPLES} resamples, seed {seed}{limit}"


def weights(documents: int, *, seed: int, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """How often each document is drawn in each resample: resamples x documents."""
    refuse_odd(seed, resamples)
    generator = np.random.default_rng(seed)
    return generator.multinomial(documents, np.full(documents, 1 / documents), size=resamples)


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


@lru_cache(maxsize=8)
def _noise(seed: int, resamples: int, size: int) -> Array:
    """Standard normal numbers, resamples x size: the same for all that is drawn with a seed."""
    drawn = np.random.default_rng([seed, 2]).standard_normal((resamples, size))
    drawn.flags.writeable = False
    return drawn


def totals(rows: NDArray[np.integer] | Array, *, seed: int, resamples: int = RESAMPLES) -> Array:
    """What the sums over documents become when the documents are drawn again.

    rows: documents x groups x columns. Returns resamples x groups x columns.

    Below MANY_DOCUMENTS documents the documents are drawn (multinomial weights). From there on
    the sums, of thousands of independent draws, are drawn from the normal distribution with
    their mean and covariance, save for groups whose sums are below RARE: documents of equal
    rows are exchangeable, so weights are drawn for the few distinct rows, which is exact.
    """
    refuse_odd(seed, resamples)
    documents, groups, columns = rows.shape
    if documents < MANY_DOCUMENTS:
        drawn = weights(documents, seed=seed, resamples=resamples)
        return (drawn @ rows.reshape(documents, -1)).reshape(resamples, groups, columns).astype(np.float64)
    sums = rows.sum(axis=0, dtype=np.float64)
    used = sums.any(axis=1)
    often = np.where(sums > 0, sums, np.inf).min(axis=1) >= RARE
    frequent = np.flatnonzero(used & often)
    drawn_columns = np.zeros((columns, groups, resamples))  # what one rate is taken from lies together
    found = drawn_columns.transpose(2, 1, 0)
    if len(frequent):
        mean = sums[frequent].reshape(-1)
        with _threads().limit(limits=1):  # one order of sums on any machine, and no threads that wait busily
            covariance = _products(rows, frequent) - np.outer(mean, mean) / documents
            values, vectors = np.linalg.eigh(covariance)
            spread = vectors * np.sqrt(np.maximum(values, 0.0))
            noise = spread @ _noise(seed, resamples, len(mean)).T
        noise += mean[:, None]
        drawn_columns[:, frequent] = noise.reshape(len(frequent), columns, resamples).transpose(1, 0, 2)
    generator = np.random.default_rng([seed, 3])
    for group in np.flatnonzero(used & ~often):
        distinct, counts = distinct_rows(rows[:, group])
        drawn = generator.multinomial(documents, counts / documents, size=resamples)
        found[:, group] = drawn @ distinct
    return found


def _products(rows: NDArray[np.integer] | Array, groups: NDArray[np.integer]) -> Array:
    """The sums over documents of the products of every two columns of some groups."""
    shape = (rows.shape[2], len(groups))
    size = shape[0] * shape[1]
    found = np.zeros((size, size))
    small = np.issubdtype(rows.dtype, np.integer) and rows.max(initial=0) < 64
    turned = rows.transpose(2, 1, 0)  # counts lie like that: the documents of a column are neighbours
    for start in range(0, len(rows), BLOCK):
        block = turned[:, groups, start : start + BLOCK].reshape(size, -1)
        if small:  # sums stay below 2 ** 24, where float32 holds whole numbers exactly
            short = block.astype(np.float32)
            found += short @ short.T
        else:
            long = block.astype(np.float64)
            found += long @ long.T
    return found.reshape(shape * 2).transpose(1, 0, 3, 2).reshape(size, size)


def distinct_rows(rows: NDArray[np.integer] | Array) -> tuple[NDArray[np.integer] | Array, NDArray[np.int64]]:
    """The different rows of documents x anything, flattened, and how many documents have each."""
    flat = np.ascontiguousarray(rows.reshape(len(rows), -1))
    whole = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).reshape(-1)
    _, first, counts = np.unique(whole, return_index=True, return_counts=True)
    return flat[first], counts


def f1(gold: Array, predicted: Array, gold_hits: Array, predicted_hits: Array) -> Array:
    """F1 from counts of any shape; NaN where it is undefined, as ``Counts.f1`` says."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(predicted > 0, predicted_hits / predicted, 0.0)
        recall = np.where(gold > 0, gold_hits / gold, 0.0)
        both = precision + recall
        value = np.where(both > 0, 2 * precision * recall / both, 0.0)
    outside = ((gold == 0) & (predicted_hits > 0)) | ((predicted == 0) & (gold_hits > 0))
    return np.where((gold + predicted > 0) & ~outside, value, np.nan)


def interval(samples: Array) -> tuple[float, float] | None:
    """The percentile interval at LEVEL; None if a resample had no defined value at all."""
    return intervals(samples.reshape(-1, 1))[0]


def intervals(samples: Array) -> list[tuple[float, float] | None]:
    """The interval of every column of resamples x columns, undefined values left out."""
    ordered = np.sort(samples, axis=0)  # NaN comes last
    defined = (~np.isnan(ordered)).sum(axis=0)
    ends = []
    for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        place = np.maximum(defined - 1, 0) * share
        low = np.floor(place).astype(np.intp)
        high = np.minimum(low + 1, np.maximum(defined - 1, 0))
        columns = np.arange(ordered.shape[1])
        below, above = ordered[low, columns], ordered[high, columns]
        ends.append(below + (above - below) * (place - low))
    return [
        (float(low), float(high)) if number else None
        for low, high, number in zip(ends[0], ends[1], defined, strict=True)
    ]
