"""Coefficients of agreement on plain arrays: how far answers agree beyond chance.

All have one form, 1 - Do / De: Do is the disagreement observed, De the one that chance would
give. They differ in De, and in how many annotators they take:

- Cohen's kappa, two annotators, each with its own distribution of categories.
  Cohen 1960, A coefficient of agreement for nominal scales.
- Scott's pi, two annotators, one pooled distribution. Scott 1955, Reliability of content
  analysis: the case of nominal scale coding.
- Fleiss's kappa, any fixed number of answers per unit, one pooled distribution.
  Fleiss 1971, Measuring nominal scale agreement among many raters.
- Krippendorff's alpha, nominal: any number of annotators, answers may be missing, one pooled
  distribution drawn from without replacement. Krippendorff 2011, Computing Krippendorff's
  alpha-reliability.

Where only one category was used, both disagreements are 0: the coefficient is 0/0, and None.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragoman.errors import ScoreError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Answers = ArrayLike | Sequence[Hashable]

NO_UNIT = "undefined: no unit has two answers"
ONE_CATEGORY = "undefined: every answer is the same, so chance alone would agree as much (0/0)"
MISSING = -1


class Coefficient(msgspec.Struct, frozen=True, kw_only=True):
    """A coefficient with what it is made of.

    value: at most 1; None where it is undefined, and then ``reason`` says why.
    observed, expected: the shares of agreement, 0 to 1, None without any unit.
    units: how many have two answers or more.
    """

    value: float | None
    observed: float | None
    expected: float | None
    units: int
    reason: str | None = None


def cohen_kappa(first: Answers, second: Sequence[Hashable] | None = None) -> float | None:
    """Cohen's kappa of two annotators; None where it is 0/0, and ``cohen`` says why.

    first, second: their answers to the same units, any hashable values; or ``first`` alone, the
    square table of counts, the first annotator's categories down, the second's across.
    Raises ScoreError for unequal lengths, a missing answer, or what is no table of counts.

    Source: Cohen 1960.

    >>> round(cohen_kappa([[20, 5], [10, 15]]), 6)
    0.4
    >>> cohen_kappa("xxx", "xxx") is None
    True
    """
    return cohen(first, second).value


def scott_pi(first: Answers, second: Sequence[Hashable] | None = None) -> float | None:
    """Scott's pi of two annotators; None where it is 0/0. Arguments as for ``cohen_kappa``.

    Source: Scott 1955.

    >>> round(scott_pi([[20, 5], [10, 15]]), 6)
    0.393939
    """
    return scott(first, second).value


def fleiss_kappa(counts: ArrayLike) -> float | None:
    """Fleiss's kappa; None where it is 0/0, and ``fleiss`` says why.

    counts: units x categories, how many annotators put the unit into the category; every unit
    has the same number of answers, two or more, and ScoreError is raised otherwise.

    Source: Fleiss 1971.

    >>> round(fleiss_kappa([[3, 0], [0, 3], [2, 1]]), 6)
    0.55
    """
    return fleiss(counts).value


def krippendorff_alpha(values: Iterable[Iterable[Hashable]]) -> float | None:
    """Krippendorff's alpha for nominal answers; None where it is 0/0.

    values: annotators x units, any hashable values; None or NaN where an annotator gave no
    answer. Units with fewer than two answers say nothing and are left out; ``krippendorff``
    tells how many remain. Raises ScoreError for rows of unequal length.

    Source: Krippendorff 2011.

    >>> round(krippendorff_alpha(["aabb", ["a", "a", "b", None], "aaba"]), 6)
    0.642857
    """
    return krippendorff(values).value


def cohen(first: Answers, second: Sequence[Hashable] | None = None) -> Coefficient:
    """Cohen's kappa with its parts; see ``cohen_kappa``."""
    table = _table(first, second)
    same = float(table.sum(axis=1) @ table.sum(axis=0))
    return _coefficient(table.sum(), np.trace(table), same, units=table.sum())


def scott(first: Answers, second: Sequence[Hashable] | None = None) -> Coefficient:
    """Scott's pi with its parts; see ``scott_pi``."""
    table = _table(first, second)
    pooled = table.sum(axis=1) + table.sum(axis=0)
    return _coefficient(2 * table.sum(), 2 * np.trace(table), float(pooled @ pooled), units=table.sum())


def fleiss(counts: ArrayLike) -> Coefficient:
    """Fleiss's kappa with its parts; see ``fleiss_kappa``."""
    table = _counts(counts, "Fleiss's kappa")
    answers = table.sum(axis=1)
    if len(answers) and (answers.min() != answers.max() or answers.min() < 2):
        raise ScoreError(
            f"Fleiss's kappa needs the same number of answers to every unit, two or more; here they range "
            f"from {answers.min():g} to {answers.max():g}. Krippendorff's alpha takes any number."
        )
    pooled = table.sum(axis=0)
    return _coefficient(table.sum(), agreeing(table).sum(), float(pooled @ pooled), units=len(table))


def krippendorff(values: Iterable[Iterable[Hashable]]) -> Coefficient:
    """Krippendorff's alpha with its parts; see ``krippendorff_alpha``."""
    codes, categories = _coded(values)
    table = counted(codes, categories)
    table = table[table.sum(axis=1) >= 2]
    pooled = table.sum(axis=0)
    same = float(pooled @ pooled)
    return _coefficient(table.sum(), agreeing(table).sum(), same, units=len(table), replacement=False)


def corrected(total: Floats, agree: Floats, same: Floats, *, replacement: bool = True) -> Floats:
    """1 - Do / De from sums over units, of any shape; NaN where it is 0/0.

    total: answers that can be compared (units, for Cohen). agree: of these, how many agree with
    another one. same: the sum over categories of the product of the two counts of a category
    (of the two annotators for Cohen, else the pooled count squared).
    replacement: whether chance draws two answers with replacement; alpha draws without.
    """
    pairs = total * total if replacement else total * (total - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = 1 - (total - agree) / total * pairs / (total * total - same)
    return np.where(total * total > same, value, np.nan)


def agreeing(table: Floats) -> Floats:
    """For every row of counts, the sum over its answers of the share of the others that agree."""
    answers = table.sum(axis=1)
    pairs: Floats = (table * (table - 1)).sum(axis=1) / np.maximum(answers - 1, 1)
    return pairs


def counted(codes: Ints, categories: int) -> Floats:
    """annotators x units of category numbers (MISSING allowed) to units x categories of counts."""
    table = np.zeros((codes.shape[1], categories))
    for row in codes:
        given = np.flatnonzero(row != MISSING)
        table[given, row[given]] += 1
    return table


def _coefficient(
    total: float, agree: float, same: float, *, units: float, replacement: bool = True
) -> Coefficient:
    if not total:
        return Coefficient(value=None, observed=None, expected=None, units=0, reason=NO_UNIT)
    value = float(corrected(np.float64(total), np.float64(agree), np.float64(same), replacement=replacement))  # type: ignore[arg-type]
    pairs = total * total if replacement else total * (total - 1)
    undefined = bool(np.isnan(value))
    return Coefficient(
        value=None if undefined else value,
        observed=float(agree / total),
        expected=float(1 - (total * total - same) / pairs),
        units=int(units),
        reason=ONE_CATEGORY if undefined else None,
    )


def _table(first: Answers, second: Sequence[Hashable] | None) -> Floats:
    """The confusion table of two annotators, checked."""
    if second is None:
        table = _counts(first, "a table of two annotators")
        if table.shape[0] != table.shape[1]:
            raise ScoreError(
                f"a table of two annotators has the same categories down and across; found {table.shape}"
            )
        return table
    codes, categories = _coded([first, second])  # type: ignore[list-item]
    if (codes == MISSING).any():
        raise ScoreError("an answer is missing; leave the unit out, or take krippendorff_alpha")
    places = codes[0] * categories + codes[1]
    return np.bincount(places, minlength=categories**2).reshape(categories, categories).astype(np.float64)


def _counts(given: Any, name: str) -> Floats:
    try:
        table = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ScoreError(f"{name}: expected a table of counts ({error})") from error
    if table.ndim != 2 and table.size:
        raise ScoreError(f"{name}: expected rows and columns of counts, found {table.ndim} dimension(s)")
    if not np.isfinite(table).all() or (table < 0).any():
        raise ScoreError(f"{name}: every count must be a number, 0 or more")
    return table if table.ndim == 2 else np.zeros((0, 0))


def _coded(values: Iterable[Iterable[Hashable]]) -> tuple[Ints, int]:
    """Answers as numbers in order of first use, MISSING for None and NaN; and how many there are."""
    numbers: dict[Hashable, int] = {}
    rows: list[list[int]] = []
    try:
        for answers in values:
            given = answers.tolist() if isinstance(answers, np.ndarray) else answers
            rows.append(
                [MISSING if a is None or a != a else numbers.setdefault(a, len(numbers)) for a in given]
            )
    except TypeError as error:
        raise ScoreError(
            f"the answers of each annotator must be a row of hashable values ({error})"
        ) from error
    if len({len(row) for row in rows}) > 1:
        raise ScoreError(
            f"the annotators answered different numbers of units ({', '.join(str(len(row)) for row in rows)})"
            "; give None where an answer is missing"
        )
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(rows[0]) if rows else 0), len(numbers)
