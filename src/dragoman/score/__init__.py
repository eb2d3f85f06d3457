"""How right predictions are: matching, counts, scorecards, resampling."""

from dragoman.score.scorecard import GIVEN, Scorecard, score

__all__ = ["GIVEN", "Scorecard", "score"]
