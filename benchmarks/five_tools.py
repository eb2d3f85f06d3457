"""The same input in five tools: what each makes of nesting, duplicates, order and malformed tags.

Writes the Markdown table of F1 (x 100) in docs/scoring.md from real runs; a test compares it.
Needs nervaluate, seqeval, scikit-learn and spaCy (requirements-dev.txt).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import seqeval.metrics
import spacy
from nervaluate import Evaluator
from seqeval.scheme import IOB2
from sklearn.metrics import f1_score
from spacy.scorer import Scorer
from spacy.tokens import Doc, Span
from spacy.training import Example

from dragoman.corpus import fill
from dragoman.formats import files, tags
from dragoman.score import Spans, compute, spans

Found = tuple[tuple[int, int, str], ...]
LENGTH = 8
PAGE = Path(__file__).parents[1] / "docs" / "scoring.md"

# name: gold and predicted spans of eight tokens, half-open, in the order the tool gets them; or tags
CASES: dict[str, tuple[Found | str, Found | str]] = {
    "one right, one with the wrong label": (
        ((0, 2, "PER"), (4, 6, "ORG")),
        ((0, 2, "PER"), (4, 6, "LOC")),
    ),
    "a span inside another, both found": (
        ((0, 4, "ORG"), (1, 2, "LOC")),
        ((0, 4, "ORG"), (1, 2, "LOC")),
    ),
    "the right span predicted after a nested wrong one": (
        ((0, 4, "ORG"),),
        ((1, 2, "LOC"), (0, 4, "ORG")),
    ),
    "the same prediction twice": (((0, 2, "PER"),), ((0, 2, "PER"), (0, 2, "PER"))),
    "one span with two labels, both found, in the other order": (
        ((0, 2, "PER"), (0, 2, "ORG")),
        ((0, 2, "ORG"), (0, 2, "PER")),
    ),
    "a prediction that begins with I-": ("B-PER I-PER O O B-ORG O O O", "I-PER I-PER O O B-ORG O O O"),
}
BLANK = spacy.blank("en")


def table() -> str:
    """The table, a row for each case and a column for each tool."""
    tools: dict[str, Callable[[Found | str, Found | str], float | None]] = {
        "dragoman strict": ours,
        "nervaluate strict": nervaluate,
        "seqeval strict, IOB2": seqeval_strict,
        "seqeval default": seqeval_default,
        "spaCy spans": spacy_spans,
        "scikit-learn tokens": tokens,
    }
    lines = ["| input | " + " | ".join(tools) + " |", "|---" + "|--:" * len(tools) + "|"]
    for name, (gold, predicted) in CASES.items():
        cells = (tool(gold, predicted) for tool in tools.values())
        shown = ("can't hold it" if cell is None else f"{100 * cell:.1f}" for cell in cells)
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def decoded(side: Found | str) -> Found:
    """Spans as they are, tags as strict IOB2."""
    if not isinstance(side, str):
        return side
    return tuple(tags.decode(side.split(), dialect="IOB2", mode="strict").spans)


def encoded(side: Found | str) -> list[str] | None:
    """Tags as they are, spans as IOB2; None if spans overlap."""
    if isinstance(side, str):
        return side.split()
    try:
        return tags.encode(side, LENGTH, dialect="IOB2")
    except ValueError:
        return None


def ours(gold: Found | str, predicted: Found | str) -> float | None:
    """Strict F1 of columns, or of tags with the dialect named."""
    if isinstance(gold, str) and isinstance(predicted, str):
        found = compute(
            predictions=[predicted.split()], references=[gold.split()], dialect="IOB2", mode="strict"
        )
        return float(found["overall_f1"])
    labels = ("PER", "ORG", "LOC")
    sides = [
        Spans.from_rows([(0, start, end, labels.index(label)) for start, end, label in decoded(side)])
        for side in (gold, predicted)
    ]
    return spans(sides[0], sides[1], labels=labels).row("entities.strict").f1


def nervaluate(gold: Found | str, predicted: Found | str) -> float | None:
    """The strict scheme, spans as dictionaries with inclusive ends; tags as lists."""
    if isinstance(gold, str) and isinstance(predicted, str):
        evaluator = Evaluator([gold.split()], [predicted.split()], tags=["PER", "ORG", "LOC"], loader="list")
    else:
        sides = [
            [[{"label": label, "start": start, "end": end - 1} for start, end, label in decoded(side)]]
            for side in (gold, predicted)
        ]
        evaluator = Evaluator(sides[0], sides[1], tags=["PER", "ORG", "LOC"])
    return float(evaluator.evaluate()["overall"]["strict"].f1)


def seqeval_strict(gold: Found | str, predicted: Found | str) -> float | None:
    """With mode and scheme named."""
    return _seqeval(gold, predicted, mode="strict", scheme=IOB2)


def seqeval_default(gold: Found | str, predicted: Found | str) -> float | None:
    """As it is called without options."""
    return _seqeval(gold, predicted)


def _seqeval(gold: Found | str, predicted: Found | str, **options: Any) -> float | None:
    one, two = encoded(gold), encoded(predicted)
    if one is None or two is None:
        return None
    return float(seqeval.metrics.f1_score([one], [two], **options))


def spacy_spans(gold: Found | str, predicted: Found | str) -> float | None:
    """Scorer.score_spans over a span group, overlaps allowed."""
    docs = []
    for side in (gold, predicted):
        doc = Doc(BLANK.vocab, words=[f"w{n}" for n in range(LENGTH)])
        doc.spans["sc"] = [Span(doc, start, end, label=label) for start, end, label in decoded(side)]
        docs.append(doc)
    found = Scorer.score_spans(
        [Example(docs[1], docs[0])],
        "spans_sc",
        getter=lambda doc, _: doc.spans["sc"],
        has_annotation=lambda doc: True,
        allow_overlap=True,
    )
    return None if found["spans_sc_f"] is None else float(found["spans_sc_f"])


def tokens(gold: Found | str, predicted: Found | str) -> float | None:
    """Micro F1 over tokens that are not O, which is no score of entities at all."""
    one, two = encoded(gold), encoded(predicted)
    if one is None or two is None:
        return None
    labels = sorted({*one, *two} - {"O"})
    return float(f1_score(one, two, labels=labels, average="micro", zero_division=0))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    found = table()
    print(found)
    files.write(PAGE, fill(files.decode(files.read_bytes(PAGE), str(PAGE)), "five-tools", found))
