"""How right predictions are: alignment, counts, scorecards, resampling, and what the errors are."""

from dragoman.score.agreement import Agreement, AgreementRow, agreement
from dragoman.score.averages import Row
from dragoman.score.columns import Spans
from dragoman.score.compare import Comparison, compare
from dragoman.score.coreference import Coreference, coreference
from dragoman.score.doors import facts, relations, spans
from dragoman.score.export import records, to_csv, to_json, to_latex, to_pandas
from dragoman.score.floors import Floor, read_result, verify
from dragoman.score.gamma import gamma
from dragoman.score.scorecard import Scorecard, score

__all__ = [
    "Agreement",
    "AgreementRow",
    "Comparison",
    "Coreference",
    "Floor",
    "Row",
    "Scorecard",
    "Spans",
    "agreement",
    "compare",
    "coreference",
    "facts",
    "gamma",
    "read_result",
    "records",
    "relations",
    "score",
    "spans",
    "to_csv",
    "to_json",
    "to_latex",
    "to_pandas",
    "verify",
]
