"""Uncertainty: percentile bootstrap intervals over documents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_DOCUMENTS = 10
RESAMPLES = 2000
LEVEL = 0.95
TOO_FEW = f"no interval: fewer than {LEAST_DOCUMENTS} documents"

Array = NDArray[np.float64]


def weights(documents: int, *, seed: int, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """How often each document is drawn in each resample: resamples x documents."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(documents, np.full(documents, 1 / documents), size=resamples)


def f1(gold: Array, predicted: Array, gold_hits: Array, predicted_hits: Array) -> Array:
    """F1 from counts of any shape; NaN where there is neither gold nor a prediction."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(predicted > 0, predicted_hits / predicted, 0.0)
        recall = np.where(gold > 0, gold_hits / gold, 0.0)
        both = precision + recall
        value = np.where(both > 0, 2 * precision * recall / both, 0.0)
    return np.where(gold + predicted > 0, value, np.nan)


def interval(samples: Array) -> tuple[float, float] | None:
    """The percentile interval at LEVEL; None if a resample had no defined value at all."""
    defined = samples[~np.isnan(samples)]
    if not len(defined):
        return None
    low, high = np.percentile(defined, [(1 - LEVEL) / 2 * 100, (1 + LEVEL) / 2 * 100])
    return float(low), float(high)
