"""Counts and the rates that follow from them; an undefined rate is None, never 0 or 1."""

from __future__ import annotations

import msgspec


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many gold and predicted items there were, and how they fared.

    Gold items are COR, INC, PAR or MIS by their own label, predicted items COR, INC, PAR or
    SPU by theirs; over all labels the two sides have the same COR, INC and PAR.

    gold, predicted: numbers of items. gold_correct, predicted_correct: COR on either side.
    gold_incorrect, predicted_incorrect, gold_partial, predicted_partial: INC and PAR likewise.
    """

    gold: int = 0
    predicted: int = 0
    gold_correct: int = 0
    predicted_correct: int = 0
    gold_incorrect: int = 0
    predicted_incorrect: int = 0
    gold_partial: int = 0
    predicted_partial: int = 0

    @property
    def precision(self) -> float | None:
        """(COR + PAR/2) / predicted; None if nothing was predicted."""
        return ratio(self.predicted_correct + self.predicted_partial / 2, self.predicted)

    @property
    def recall(self) -> float | None:
        """(COR + PAR/2) / gold; None if there is no gold."""
        return ratio(self.gold_correct + self.gold_partial / 2, self.gold)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall.

        None if neither gold nor predictions exist, or if one of the two is undefined and the other not 0:
        in a part of the data an item can be paired with one that lies outside.

        >>> Counts(gold=4, predicted=2, gold_correct=2, predicted_correct=2).f1
        0.6666666666666666
        >>> Counts(gold=3).f1
        0.0
        >>> Counts().f1 is None, Counts(gold=1, gold_correct=1).f1 is None
        (True, True)
        """
        precision, recall = self.precision, self.recall
        if (precision is None and recall != 0) or (recall is None and precision != 0):
            return None
        return harmonic(precision or 0.0, recall or 0.0)

    @property
    def missed(self) -> int:
        """Gold items that no prediction was paired with."""
        return self.gold - self.gold_correct - self.gold_partial - self.gold_incorrect

    @property
    def spurious(self) -> int:
        """Predicted items that no gold item was paired with."""
        return self.predicted - self.predicted_correct - self.predicted_partial - self.predicted_incorrect


def ratio(part: float, whole: int) -> float | None:
    """part / whole; None where the whole is 0."""
    return part / whole if whole else None


def harmonic(precision: float, recall: float) -> float:
    """2PR / (P + R), and 0 where both are 0."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
