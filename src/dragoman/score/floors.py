"""Holding a score to what it must reach, and a published score to what it says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

import msgspec

from dragoman.errors import ScoreError
from dragoman.formats import files
from dragoman.schema import Schema
from dragoman.score.averages import ALL
from dragoman.score.export import differences
from dragoman.score.scorecard import Scorecard, score
from dragoman.score.slices import Slices
from dragoman.types import GIVEN, Document, Given

Rate = Literal["precision", "recall", "f1", "low"]
RATES: tuple[Rate, ...] = get_args(Rate)
SETTINGS = ("tags", "predicted-tags", "min-score")
"""What a signature may say beside the rest: how tags were read, which predictions were left out."""
EXPECTED = (
    "expected METRIC.RATE=VALUE such as entities.strict.f1=0.85, METRIC:LABEL.RATE=VALUE, "
    "METRIC[SLICE].RATE=VALUE or METRIC[SLICE]:LABEL.RATE=VALUE"
)
WRITTEN = re.compile(
    r"(?P<metric>[^\[:=]+)(\[(?P<part>.+)\])?(:(?P<label>[^\[=]+))?\.(?P<rate>\w+)=(?P<least>[^=]*)",
    re.DOTALL,
)


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """The least value (0 to 1) that a rate of a row must have. low: the interval's lower end.

    part: ``all``, or a slice as ``name=value``.
    """

    metric: str
    part: str = ALL
    label: str
    rate: Rate
    least: float

    @classmethod
    def parse(cls, written: str) -> Floor:
        """Read a floor as EXPECTED says; ScoreError for anything else.

        >>> floor = Floor.parse("entities.strict[meta.kind=summit]:GPE.f1=0.85")
        >>> floor.metric, floor.part, floor.label, floor.rate, floor.least
        ('entities.strict', 'meta.kind=summit', 'GPE', 'f1', 0.85)
        """
        found = WRITTEN.fullmatch(written)
        known = next((known for known in RATES if found and known == found["rate"]), None)
        try:
            least = float(found["least"]) if found else float("nan")
        except ValueError:
            least = float("nan")
        if not (found and known and 0 <= least <= 1):
            raise ScoreError(f"the floor {written!r}: {EXPECTED}; rates are {', '.join(RATES)}, from 0 to 1")
        label = found["label"] or "micro"
        return cls(metric=found["metric"], part=found["part"] or ALL, label=label, rate=known, least=least)

    def missed(self, card: Scorecard) -> str | None:
        """One line if the scorecard does not reach it; an undefined rate reaches nothing.

        Raises ScoreError if the scorecard has no such row.
        """
        self._refuse_unknown(card)
        found = getattr(card.row(self.metric, self.label, self.part), self.rate)
        if found is not None and found >= self.least:
            return None
        shown = "undefined" if found is None else f"{found:.4f}"
        name = self.metric if self.part == ALL else f"{self.metric}[{self.part}]"
        return f"[floor] {name} {self.label} {self.rate} is {shown}, expected {self.least:g} or more"

    def _refuse_unknown(self, card: Scorecard) -> None:
        rows = [row for row in card.rows if row.metric == self.metric]
        of_slice = [row.label for row in rows if row.slice == self.part]
        if rows and not of_slice:
            slices = ", ".join(dict.fromkeys(row.slice for row in rows if row.slice != ALL)) or "none"
            raise ScoreError(
                f"the floor of {self.metric}[{self.part}]: there is no such slice (there are {slices}). Name "
                "it with --slice as well."
            )
        if rows and self.label not in of_slice:
            raise ScoreError(
                f"the floor of {self.metric}:{self.label}: no such label; there are {', '.join(of_slice)}"
            )


def read_result(path: Path) -> Scorecard:
    """Read what ``dragoman score --format json`` wrote; ScoreError if it is something else."""
    try:
        return msgspec.json.decode(files.read_bytes(path), type=Scorecard)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ScoreError(
            f"{path}: not a result of `dragoman score --format json` ({error}). Name such a file."
        ) from error


def verify(
    published: Scorecard,
    gold: Iterable[Document],
    predicted: Iterable[Document],
    schema: Schema,
    *,
    gold_version: str | None = None,
    slices: Slices | None = None,
    settings: Mapping[str, str] = {},
) -> list[str]:
    """Compute a published result anew with its setting and seed; one line for every difference.

    Annotations are compared by their hashes, signatures word for word, and figures exactly.
    slices: those that the result was made with, which it does not hold itself; their rows are left out
    without. settings: as in ``score``; ScoreError if the result was made with others.
    """
    given: Given | None = next((given for given in GIVEN if given == published.given), None)
    if given is None:
        raise ScoreError(f"the result was made with given={published.given!r}, expected {', '.join(GIVEN)}")
    metrics = published.metrics
    _refuse_settings(published, settings)
    again = score(
        gold,
        predicted,
        schema,
        given=given,
        seed=published.seed,
        gold_version=gold_version,
        metrics=metrics,
        slices=slices,
        settings=settings,
    )
    lines = [
        f"the {side} annotations are others: the result was made with {one[:12]}, these are {two[:12]}"
        for side, one, two in (
            ("gold", published.gold_sha256, again.gold_sha256),
            ("predicted", published.predicted_sha256, again.predicted_sha256),
        )
        if one != two
    ]
    for metric in metrics:
        one, two = published.signatures[metric], again.signatures.get(metric, "-")
        if one != two:
            lines.append(f"{metric}: the signature is {one}, now {two}")
    for name in ("documents", "schema", "version", "note", "confusion"):
        if getattr(published, name) != getattr(again, name):
            shown = [getattr(card, name) for card in (published, again)]
            short = f": {shown[0]} and {shown[1]}" if all(isinstance(one, str) for one in shown) else ""
            lines.append(f"{name} differs from what is found now{short}")
    kept = [row for row in published.rows if slices is not None or row.slice == ALL]
    if len({(row.metric, row.slice, row.label) for row in kept}) < len(kept):
        lines.append("a row stands twice")
    return lines + differences(kept, again.rows)


def _refuse_settings(published: Scorecard, settings: Mapping[str, str]) -> None:
    for signature in published.signatures.values():
        named = dict(part.split(":", 1) for part in signature.split("|") if ":" in part)
        for name in SETTINGS:
            if named.get(name) != settings.get(name):
                made, now = (found.get(name) or "none" for found in (named, settings))
                raise ScoreError(f"the result was made with {name}: {made}, not {now}. Say the same options.")
