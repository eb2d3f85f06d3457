"""How right predictions are: matching, counts, scorecards, resampling."""

from dragoman.score.scorecard import Row, Scorecard, score, to_json

__all__ = ["Row", "Scorecard", "score", "to_json"]
