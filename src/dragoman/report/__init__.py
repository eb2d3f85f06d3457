"""Scores as text, and one self-contained HTML page that shows how right an extractor is."""

from dragoman.report.agreement import agreement_markdown, agreement_table
from dragoman.report.page import Page, Run, render
from dragoman.report.tables import (
    calibration_table,
    comparisons,
    coreference_table,
    kinds_table,
    markdown,
    table,
)

__all__ = [
    "Page",
    "Run",
    "agreement_markdown",
    "agreement_table",
    "calibration_table",
    "comparisons",
    "coreference_table",
    "kinds_table",
    "markdown",
    "render",
    "table",
]
