"""How right predictions are: matching, counts, scorecards, agreement, resampling."""

from dragoman.score.agreement import Agreement, AgreementRow, agreement
from dragoman.score.compare import Comparison, compare
from dragoman.score.coreference import Coreference, coreference
from dragoman.score.gamma import gamma
from dragoman.score.scorecard import Row, Scorecard, score

__all__ = [
    "Agreement",
    "AgreementRow",
    "Comparison",
    "Coreference",
    "Row",
    "Scorecard",
    "agreement",
    "compare",
    "coreference",
    "gamma",
    "score",
]
