"""A scorecard as a tidy table, one row per metric, slice and label, for other tools."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from dragoman.score.averages import Row
from dragoman.score.scorecard import Scorecard

COLUMNS: Mapping[str, str] = {
    "metric": "metric",
    "slice": "slice",
    "label": "label",
    "n_gold": "gold",
    "n_pred": "predicted",
    "COR": "correct",
    "INC": "incorrect",
    "PAR": "partial",
    "MIS": "missed",
    "SPU": "spurious",
    "P": "precision",
    "R": "recall",
    "F1": "f1",
    "low": "low",
    "high": "high",
}
LATEX = str.maketrans(
    {**{c: f"\\{c}" for c in "#$%&_{}"}, "~": r"\textasciitilde{}", "\\": r"\textbackslash{}"}
)


def records(card: Scorecard) -> list[dict[str, Any]]:
    """The rows as flat records, each with its signature; rates from 0 to 1, None where undefined."""
    return [
        {**{name: getattr(row, field) for name, field in COLUMNS.items()}, "signature": _signature(card, row)}
        for row in card.rows
    ]


def to_json(card: Scorecard) -> str:
    """The whole scorecard as JSON; ``read_result`` reads it back from a file."""
    return json.dumps(msgspec.to_builtins(card), indent=1, ensure_ascii=False, allow_nan=False)


def to_csv(card: Scorecard) -> str:
    """The records as CSV with a header; an undefined rate is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS, "signature"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records(card))
    return out.getvalue()


def to_latex(card: Scorecard) -> str:
    """A tabular of the micro averages, rates times 100, with the signatures as comments."""
    lines = [r"\begin{tabular}{llrrrrrr}", r"metric & slice & P & R & F1 & low & high & gold \\", r"\hline"]
    for row in card.rows:
        if row.label != "micro":
            continue
        rates = (row.precision, row.recall, row.f1, row.low, row.high)
        cells = [row.metric, row.slice, *("--" if rate is None else f"{100 * rate:.1f}" for rate in rates)]
        lines.append(" & ".join([*(cell.translate(LATEX) for cell in cells), str(row.gold)]) + r" \\")
    lines.append(r"\end{tabular}")
    return "\n".join([*lines, *(f"% {signature}" for signature in card.signatures.values())]) + "\n"


def to_pandas(card: Scorecard) -> Any:
    """The records as a pandas DataFrame; needs pandas, which is no dependency."""
    pandas = importlib.import_module("pandas")
    return pandas.DataFrame.from_records(records(card), columns=[*COLUMNS, "signature"])


def _signature(card: Scorecard, row: Row) -> str:
    return card.signatures[row.metric]


def differences(one: Iterable[Row], two: Iterable[Row], *, tolerance: float = 0.0) -> list[str]:
    """Where two results differ, one line each: a count, or a rate by more than the tolerance."""
    sides = [{(row.metric, row.slice, row.label): row for row in rows} for rows in (one, two)]
    found = []
    for key in dict.fromkeys([*sides[0], *sides[1]]):
        first, second = sides[0].get(key), sides[1].get(key)
        if first is None or second is None:
            found.append(f"{' '.join(key)}: only in {'the second' if first is None else 'the first'} result")
            continue
        for name in list(COLUMNS.values())[3:]:
            a, b = getattr(first, name), getattr(second, name)
            close = isinstance(a, float) and isinstance(b, float) and abs(a - b) <= tolerance
            if a != b and not close:
                found.append(f"{' '.join(key)}: {name} is {a} and {b}")
    return found
