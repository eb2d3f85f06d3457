"""How long does scoring take, against nervaluate and seqeval on the same spans in the same run?

Every line of output is one measurement as JSON: CPU seconds of ours and of the peer, the ratio
peer / ours, and n documents. Reading, imports and data preparation are not measured. Name the
numbers of documents as arguments, else 1,000 and 10,000; 1,000,000 measures ours alone.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import seqeval.metrics
from nervaluate import Evaluator
from seqeval.scheme import IOB2

from dragoman import schema as schemas
from dragoman.report import table
from dragoman.score import Spans, compare, score, spans
from dragoman.score.alignment import SCHEMES, align
from dragoman.score.tally import Sides, Sorted, count_schemes
from dragoman.types import Document, Entity, text_hash

LABELS = ("PERSON", "GPE", "ORG", "EVENT", "DATE")
TOKENS = 60
SLOTS = 6
LEAST = 0.2
TEXT = "x" * TOKENS
SCHEMA = schemas.read(schemas.find(Path(__file__).parent))
Row = tuple[int, int, int, int]


def generate(
    documents: int, *, nested: bool, seed: int = 13, wrong: float = 0.1
) -> tuple[list[Row], list[Row]]:
    """Gold and predicted rows (document, start, end, label), offsets in tokens, six gold spans each.

    nested: spans may reach into their neighbours on both sides.
    """
    rng = np.random.default_rng(seed)
    count = documents * SLOTS
    document = np.repeat(np.arange(documents), SLOTS)
    slot = np.tile(np.arange(SLOTS) * (TOKENS // SLOTS), documents)
    reach = rng.integers(0, 8, count) if nested else 0
    start = np.maximum(slot + rng.integers(0, 3, count) - reach, 0)
    end = start + rng.integers(1, 5, count) + (rng.integers(0, 8, count) if nested else 0)
    end = np.minimum(end, TOKENS)
    label = rng.integers(0, len(LABELS), count)
    kept = rng.random(count) >= 0.6 * wrong
    moved = rng.random(count) < wrong
    longer = np.minimum(end + moved, TOKENS)
    other = np.where(rng.random(count) < wrong, rng.integers(0, len(LABELS), count), label)
    gold = np.stack([document, start, end, label], axis=1)
    predicted = np.stack([document, start, longer, other], axis=1)[kept]
    return [tuple(row) for row in gold.tolist()], [tuple(row) for row in predicted.tolist()]


def tags(rows: list[Row], documents: int) -> list[list[str]]:
    """The same spans as IOB2 tags."""
    found = [["O"] * TOKENS for _ in range(documents)]
    for document, start, end, label in rows:
        found[document][start:end] = [f"B-{LABELS[label]}"] + [f"I-{LABELS[label]}"] * (end - start - 1)
    return found


def dicts(rows: list[Row], documents: int) -> list[list[dict[str, Any]]]:
    """The same spans as nervaluate reads them: ends inclusive."""
    found: list[list[dict[str, Any]]] = [[] for _ in range(documents)]
    for document, start, end, label in rows:
        found[document].append({"label": LABELS[label], "start": start, "end": end - 1})
    return found


def parsed(rows: list[Row], documents: int) -> list[Document]:
    """The same spans as our documents."""
    entities: list[list[Entity]] = [[] for _ in range(documents)]
    for document, start, end, label in rows:
        own = entities[document]
        own.append(Entity(id=f"T{len(own) + 1}", start=start, end=end, label=LABELS[label]))
    digest = text_hash(TEXT)
    return [
        Document(
            format="dragoman/1",
            schema=SCHEMA.reference,
            id=f"d{number:08}",
            text=None,
            sha256=digest,
            layers=("entities",),
            entities=tuple(own),
        )
        for number, own in enumerate(entities)
    ]


def seconds(work: Callable[[], object], times: int) -> float:
    """The best of some measurements, in CPU seconds a run, without the garbage collector's chance visits.

    As in timeit, a measurement lasts LEAST seconds or more: what is shorter is run several times in a row.
    """
    best = float("inf")
    for _ in range(times):
        gc.collect()
        gc.disable()
        runs, start, spent = 0, time.process_time(), 0.0
        with contextlib.redirect_stdout(io.StringIO()):
            while spent < LEAST:
                work()
                runs += 1
                spent = time.process_time() - start
        best = min(best, spent / runs)
        gc.enable()
    return best


def tell(name: str, ours: float, peer: float | None, n: int, **more: object) -> None:
    """Print one measurement."""
    ratio = None if peer is None else round(peer / ours, 1)
    row = {"name": name, "ours": round(ours, 5), "peer": peer and round(peer, 4), "ratio": ratio}
    print(json.dumps({**row, "unit": "CPU s", "n": n, **more}), flush=True)


def exact(gold: Spans, predicted: Spans, documents: tuple[str, ...], schemes: tuple[Any, ...]) -> None:
    """From columns to the count matrices of some schemes."""
    sides = Sides(documents, gold, predicted, align(gold, predicted, schemes))
    for _ in count_schemes(sides, schemes, Sorted(LABELS, gold.label, predicted.label)):
        pass


def columns_alone(documents: int) -> None:
    """The four schemes with intervals from columns: time and memory on a number no peer is asked for."""
    gold, predicted = (Spans.from_rows(rows) for rows in generate(documents, nested=False))
    tell(
        "four schemes with intervals, from columns",
        seconds(lambda: spans(gold, predicted, labels=LABELS, documents=documents), 1),
        None,
        documents,
    )
    tell_peak(documents)


def tell_peak(documents: int) -> None:
    """Print the largest memory so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"name": "peak memory so far", "ours": round(peak), "unit": "MiB", "n": documents}))


def resamples(gold: list[Document], systems: dict[str, list[Document]], documents: int) -> None:
    """Comparing two systems, from documents to p: micro, and macro where rows are nearly all distinct."""
    for macro in (False, True):
        work = partial(compare, gold, systems, SCHEMA, metric="entities.strict", macro=macro)
        if macro and documents > 10_000:
            continue  # the cost grows with the distinct rows, here nearly all
        name = f"10,000 paired resamples, {'macro' if macro else 'micro'}, from documents"
        tell(name, seconds(work, 1), None, documents)


def measure(documents: int) -> None:
    """All measurements on one number of documents."""
    times = 3 if documents <= 10_000 else 1
    ids = tuple(map(str, range(documents)))
    for nested in (False, True):
        kind = "nested and crossing" if nested else "flat"
        gold, predicted = generate(documents, nested=nested)
        columns = Spans.from_rows(gold), Spans.from_rows(predicted)
        own = parsed(gold, documents), parsed(predicted, documents)
        peers = dicts(gold, documents), dicts(predicted, documents)

        def nervaluate(sides: Any = peers) -> None:
            Evaluator(sides[0], sides[1], tags=list(LABELS)).evaluate()

        slow = seconds(nervaluate, times)
        ours = seconds(lambda c=columns: exact(*c, ids, ("strict",)), 3)  # type: ignore[misc]
        tell(f"exact counting, {kind}; peer: nervaluate", ours, slow, documents)
        ours = seconds(lambda c=columns: exact(*c, ids, SCHEMES), 3)  # type: ignore[misc]
        tell(f"four schemes, {kind}; peer: nervaluate", ours, slow, documents)
        ours = seconds(lambda d=own: table(score(*d, SCHEMA)), times)  # type: ignore[misc]
        tell(f"documents to report with intervals, {kind}; peer: nervaluate", ours, slow, documents)
        if not nested:
            tagged = tags(gold, documents), tags(predicted, documents)

            def strict(sides: Any = tagged) -> None:
                seqeval.metrics.f1_score(*sides, mode="strict", scheme=IOB2)

            def report(sides: Any = tagged) -> None:
                seqeval.metrics.classification_report(*sides, mode="strict", scheme=IOB2, zero_division=0)

            tell(
                "exact counting, flat; peer: seqeval",
                seconds(lambda c=columns: exact(*c, ids, ("strict",)), 3),  # type: ignore[misc]
                seconds(strict, times),
                documents,
            )
            tell(
                "documents to report with intervals, flat; peer: seqeval's report",
                ours,
                seconds(report, times),
                documents,
            )
            other = parsed(generate(documents, nested=False, wrong=0.12)[1], documents)
            resamples(own[0], {"a": own[1], "b": other}, documents)
    tell_peak(documents)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    for number in [int(word) for word in sys.argv[1:]] or [1_000, 10_000]:
        (measure if number < 1_000_000 else columns_alone)(number)
