"""How much a score moves with the training seed: kept apart from how much it moves with the articles."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

from dragoman.errors import ScoreError
from dragoman.score.scorecard import Scorecard


class OverSeeds(msgspec.Struct, frozen=True, kw_only=True):
    """F1 of one row over several trainings, from 0 to 1.

    runs: how many had it defined. deviation: the sample standard deviation, None below two.
    """

    metric: str
    slice: str
    label: str
    runs: int
    mean: float | None
    deviation: float | None
    least: float | None
    most: float | None


def over_seeds(cards: Sequence[Scorecard]) -> tuple[OverSeeds, ...]:
    """The spread of F1 over scorecards of one recipe trained with different seeds.

    It says nothing of other articles: for that each card has its intervals. Raises ScoreError for fewer
    than two cards, or cards of different gold or settings.
    """
    cards = tuple(cards)
    if len(cards) < 2:
        raise ScoreError(f"{len(cards)} scorecards: a spread over seeds needs two or more")
    kinds = {(card.gold_sha256, card.given, card.schema, card.metrics) for card in cards}
    if len(kinds) > 1:
        raise ScoreError("the scorecards are of different gold, settings or metrics; score them alike")
    found: dict[tuple[str, str, str], list[float]] = {}
    for card in cards:
        for row in card.rows:
            values = found.setdefault((row.metric, row.slice, row.label), [])
            if row.f1 is not None:
                values.append(row.f1)
    return tuple(
        OverSeeds(
            metric=metric,
            slice=part,
            label=label,
            runs=len(values),
            mean=statistics.fmean(values) if values else None,
            deviation=statistics.stdev(values) if len(values) > 1 else None,
            least=min(values, default=None),
            most=max(values, default=None),
        )
        for (metric, part, label), values in found.items()
    )
