"""How right predictions are: alignment, counts, scorecards, resampling, and what the errors are."""

from dragoman.score.agreement import Agreement, AgreementRow, agreement
from dragoman.score.averages import Row
from dragoman.score.calibration import Calibration, above, calibration
from dragoman.score.columns import Links, Spans
from dragoman.score.compare import Comparison, compare
from dragoman.score.compute import compute
from dragoman.score.coreference import Coreference, coreference
from dragoman.score.crossre import CrossRE, crossre
from dragoman.score.doors import facts, relations, spans
from dragoman.score.export import records, to_csv, to_json, to_latex, to_pandas
from dragoman.score.floors import Floor, read_result, verify
from dragoman.score.gamma import gamma
from dragoman.score.kinds import Kinds, kinds
from dragoman.score.scorecard import Scorecard, as_if_given, same_entities, score
from dragoman.score.seeds import OverSeeds, over_seeds

__all__ = [
    "Agreement",
    "AgreementRow",
    "Calibration",
    "Comparison",
    "Coreference",
    "CrossRE",
    "Floor",
    "Kinds",
    "Links",
    "OverSeeds",
    "Row",
    "Scorecard",
    "Spans",
    "above",
    "agreement",
    "as_if_given",
    "calibration",
    "compare",
    "compute",
    "coreference",
    "crossre",
    "facts",
    "gamma",
    "kinds",
    "over_seeds",
    "read_result",
    "records",
    "relations",
    "same_entities",
    "score",
    "spans",
    "to_csv",
    "to_json",
    "to_latex",
    "to_pandas",
    "verify",
]
