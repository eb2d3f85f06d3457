"""How right predictions are: matching, counts, scorecards, resampling."""

from dragoman.score.averages import Row
from dragoman.score.compare import Comparison, compare
from dragoman.score.coreference import Coreference, coreference
from dragoman.score.scorecard import Scorecard, score

__all__ = ["Comparison", "Coreference", "Row", "Scorecard", "compare", "coreference", "score"]
