"""Results as tidy tables, such as one row per metric, slice and label, for other tools."""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from dragoman.score.agreement import Agreement
from dragoman.score.averages import ALL, Row
from dragoman.score.compare import Comparison
from dragoman.score.coreference import Coreference, Rates
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
    {
        **{c: f"\\{c}" for c in "#$%&_{}"},
        **dict.fromkeys(map(chr, (*range(32), *range(127, 160), 0x2028, 0x2029)), " "),
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "\\": r"\textbackslash{}",
    }
)
"""What can't stand in a cell of a table as it is; line ends and other control characters become spaces."""


Result = Scorecard | Coreference | Agreement | Sequence[Comparison]


def records(result: Result) -> list[dict[str, Any]]:
    """The rows of a result as flat records, each with its signature; rates 0 to 1, None where undefined.

    Those of a scorecard and of coreference have the keys of COLUMNS; those of agreement and of comparisons
    the names of ``AgreementRow`` and ``Comparison``.
    """
    if isinstance(result, Scorecard):
        return [
            {
                **{name: getattr(row, at) for name, at in COLUMNS.items()},
                "signature": "|".join([_signature(result, row), *changes(result)]),
            }
            for row in result.rows
        ]
    if isinstance(result, Coreference):
        return list(_of_coreference(result))
    if isinstance(result, Agreement):
        return [
            {**msgspec.structs.asdict(row), "annotators": ", ".join(row.annotators)}
            | {"signature": result.signature}
            for row in result.rows
        ]
    return [msgspec.structs.asdict(comparison) for comparison in result]


def _of_coreference(result: Coreference) -> Iterator[dict[str, Any]]:
    empty = dict.fromkeys(COLUMNS) | {"slice": ALL, "label": "micro"}
    for name in ("muc", "b3", "ceafe", "lea"):
        rates: Rates = getattr(result, name)
        found = {"metric": f"coreference.{name}", "P": rates.precision, "R": rates.recall, "F1": rates.f1}
        yield {**empty, **found, "signature": result.signature}
    yield {**empty, "metric": "coreference.conll", "F1": result.conll, "signature": result.signature}


def changes(card: Scorecard) -> list[str]:
    """One line of what a reader or a threshold skipped or changed; none where nothing was."""
    found = [f"{count} {kind}" for kind, count in card.conversion.items() if count]
    return [f"read with changes: {', '.join(found)}"] if found else []


def to_json(result: Result) -> str:
    """The whole result as JSON; ``read_result`` reads a scorecard back from a file."""
    return json.dumps(msgspec.to_builtins(result), indent=1, ensure_ascii=False, allow_nan=False)


def to_csv(result: Result) -> str:
    """The records as CSV with a header; an undefined rate is empty."""
    found = records(result)
    out = io.StringIO()
    writer = csv.DictWriter(out, _names(found), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def _names(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(found[0]) if found else [*COLUMNS, "signature"]


def to_latex(card: Scorecard, *, labels: Sequence[str] | None = ("micro",)) -> str:
    """A tabular of rates times 100, with the signatures as comments.

    labels: which rows, such as ``micro``, ``macro`` or a label; all if None.
    """
    lines = [
        r"\begin{tabular}{lllrrrrrr}",
        r"metric & label & slice & P & R & F1 & low & high & gold \\",
        r"\hline",
    ]
    for row in card.rows:
        if labels is not None and row.label not in labels:
            continue
        rates = (row.precision, row.recall, row.f1, row.low, row.high)
        cells = [
            row.metric,
            row.label,
            row.slice,
            *("--" if rate is None else f"{100 * rate:.1f}" for rate in rates),
        ]
        lines.append(" & ".join([*(cell.translate(LATEX) for cell in cells), str(row.gold)]) + r" \\")
    lines.append(r"\end{tabular}")
    return (
        "\n".join(
            [*lines, *(f"% {' '.join(told.split())}" for told in (*changes(card), *card.signatures.values()))]
        )
        + "\n"
    )


def to_pandas(result: Result) -> Any:
    """The records as a pandas DataFrame; needs pandas, which is no dependency."""
    pandas = importlib.import_module("pandas")
    found = records(result)
    return pandas.DataFrame.from_records(found, columns=_names(found))


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
