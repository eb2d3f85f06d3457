"""Why predictions are wrong: an exclusive and exhaustive sorting of every gold and predicted item.

Spans are sorted by the alignment of the scheme ``partial`` (same spans first, then overlaps), so the
kinds add up to the numbers of gold and predicted spans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from scipy.optimize import linear_sum_assignment

from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import matching
from dragoman.score.counts import Counts
from dragoman.score.scorecard import pair_documents
from dragoman.types import Document, Entity

CORRECT = "correct"
PAIRED = {
    "entities": ("type", "left", "right", "too-long", "too-short", "shifted", "type-and-boundary"),
    "relations": ("label", "direction", "argument-type", "argument-boundary"),
}
GOLD_ONLY = {"entities": ("merge", "missed"), "relations": ("argument-missed", "missed")}
PREDICTED_ONLY = {"entities": ("split", "duplicate", "spurious"), "relations": ("duplicate", "spurious")}
MEANING: Mapping[str, str] = {
    "type": "same span, other label",
    "left": "only the left edge is wrong",
    "right": "only the right edge is wrong",
    "too-long": "reaches beyond the gold on both sides",
    "too-short": "falls short of the gold on both sides",
    "shifted": "both edges are moved in one direction, or the pieces differ",
    "type-and-boundary": "other label and other span, overlapping",
    "merge": "a gold span that a prediction covers which was paired with another",
    "split": "a further prediction on a gold span that was paired with another",
    "duplicate": "the same prediction once more",
    "missed": "nothing was predicted there",
    "spurious": "nothing in the gold is there",
    "label": "both arguments and the direction are right, the label is not",
    "direction": "turned round",
    "argument-type": "an argument has the right span and another label",
    "argument-boundary": "an argument overlaps that of the gold",
    "argument-missed": "an argument of the gold relation was not found at all",
}
Task = Literal["entities", "relations"]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of error. count: of items; by_label: by gold label, or predicted label where there
    is no gold item. repaired_f1: what strict F1 would be if this kind alone were put right.
    """

    task: Task
    kind: str
    count: int
    by_label: dict[str, int]
    repaired_f1: float | None


class Kinds(msgspec.Struct, frozen=True, kw_only=True):
    """All kinds of a task. ``f1`` is the strict one, from 0 to 1."""

    task: Task
    gold: int
    predicted: int
    correct: int
    f1: float | None
    kinds: tuple[Kind, ...]

    def count(self, kind: str) -> int:
        """How many items are of a kind."""
        return sum(found.count for found in self.kinds if found.kind == kind)


Found = Iterator[tuple[str, str]]


def kinds(gold: Iterable[Document], predicted: Iterable[Document], schema: Schema) -> tuple[Kinds, ...]:
    """Sort every entity, and every relation where the gold lists them, into one kind.

    A prediction that overlaps its gold partner has the kind of what differs; an item without a
    partner is sorted by what stands in its place. Raises ScoreError for what ``score`` refuses.
    """
    pairs = pair_documents(gold, predicted, schema, "nothing")
    found = []
    sorters: tuple[tuple[Task, Callable[[Document, Document], Found]], ...] = (
        ("entities", lambda one, two: _of_spans(one.entities, two.entities)),
        ("relations", lambda one, two: _of_relations(one, two, schema)),
    )
    for task, sort in sorters:
        kept = [pair for pair in pairs if task in pair[0].layers]
        counts: dict[str, Counter[str]] = {}
        for one, two in kept:
            for kind, label in sort(one, two):
                counts.setdefault(kind, Counter())[label] += 1
        if kept:
            sizes = [sum(_size(pair[side], task, schema) for pair in kept) for side in (0, 1)]
            found.append(_result(task, sizes[0], sizes[1], counts))
    if not found:
        raise ScoreError("no gold document lists entities or relations; see its key `layers`")
    return tuple(found)


def _size(document: Document, task: Task, schema: Schema) -> int:
    if task == "entities":
        return len(document.entities)
    keys = matching.relation_keys(document, types=True, symmetric=schema.symmetric)
    return sum(key is not None for _, key in keys)


def _of_spans(gold: tuple[Entity, ...], predicted: tuple[Entity, ...]) -> Found:
    paired = matching.pair_spans(gold, predicted, "partial")
    seen: Counter[tuple[object, str]] = Counter()
    for g, p in paired.correct + paired.other:
        seen[predicted[p].spans, predicted[p].label] += 1
        yield _between(gold[g], predicted[p]), gold[g].label
    covered = _touched([gold[g] for g in paired.missed], predicted)
    for g, touches in zip(paired.missed, covered, strict=True):
        yield ("merge" if touches else "missed"), gold[g].label
    split = _touched([predicted[p] for p in paired.spurious], gold)
    for p, touches in zip(paired.spurious, split, strict=True):
        one = predicted[p]
        again = seen[one.spans, one.label] > 0
        seen[one.spans, one.label] += 1
        yield ("duplicate" if again else "split" if touches else "spurious"), one.label


def _touched(spans: Sequence[Entity], others: Sequence[Entity]) -> list[bool]:
    """Of each span whether any of the others overlaps it."""
    starts, ends = (np.array([getattr(other, name) for other in others]) for name in ("start", "end"))
    found = []
    for span in spans:
        near = np.flatnonzero((starts < span.end) & (ends > span.start)).tolist()
        found.append(any(matching.overlap(span, others[index]) for index in near))
    return found


def _between(gold: Entity, predicted: Entity) -> str:
    """The kind of a gold and a predicted span that overlap."""
    same_label = gold.label == predicted.label
    if gold.spans == predicted.spans:
        return CORRECT if same_label else "type"
    if not same_label:
        return "type-and-boundary"
    if gold.fragments or predicted.fragments:
        return "shifted"
    left, right = predicted.start - gold.start, predicted.end - gold.end
    if not left or not right:
        return "left" if left else "right"
    if left < 0 < right:
        return "too-long"
    return "too-short" if right < 0 < left else "shifted"


def _of_relations(gold: Document, predicted: Document, schema: Schema) -> Found:
    strict = [
        matching.relation_keys(side, types=True, symmetric=schema.symmetric) for side in (gold, predicted)
    ]
    hits = matching.shared(*([key for _, key in side if key is not None] for side in strict))
    left: list[list[int]] = []
    for number, side in enumerate(strict):
        open_hits = hits.copy()
        rest = []
        for index, (label, key) in enumerate(side):
            if key is None:
                continue  # a symmetric relation stated both ways is one
            if open_hits[key] > 0:
                open_hits[key] -= 1
                if number == 0:
                    yield CORRECT, label
            else:
                rest.append(index)
        left.append(rest)
    golds, preds = left
    partner = _partners(gold, predicted)
    worth = np.array(
        [[_worth(gold, predicted, g, p, partner, schema) for p in preds] for g in golds], dtype=np.int64
    ).reshape(len(golds), len(preds))
    rows, columns = linear_sum_assignment(worth, maximize=True)
    taken: tuple[set[int], set[int]] = (set(), set())
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        if worth[row, column]:
            taken[0].add(row)
            taken[1].add(column)
            kind = PAIRED["relations"][worth[row, column] % MOST - 1]
            yield kind, gold.relations[golds[row]].label
    for row, index in enumerate(golds):
        if row not in taken[0]:
            relation = gold.relations[index]
            found = relation.source in partner and relation.target in partner
            yield ("missed" if found else "argument-missed"), relation.label
    right = {key for _, key in strict[0] if key is not None}
    for column, index in enumerate(preds):
        if column not in taken[1]:
            label, key = strict[1][index]
            yield ("duplicate" if key in right else "spurious"), label


MOST = 10


def _partners(gold: Document, predicted: Document) -> dict[str, Entity]:
    """For gold entity ids the predicted entities that they are aligned with."""
    paired = matching.pair_spans(gold.entities, predicted.entities, "partial")
    return {gold.entities[g].id: predicted.entities[p] for g, p in paired.correct + paired.other}


def _worth(
    gold: Document, predicted: Document, g: int, p: int, partner: Mapping[str, Entity], schema: Schema
) -> int:
    """How much is gained by pairing two wrong relations: any pair first, then the nearest kind.

    Modulo MOST it is 1 plus the index of the kind among those of pairs; 0 if they have nothing
    in common.
    """
    one, two = gold.relations[g], predicted.relations[p]
    entities = gold.by_id(), predicted.by_id()
    ends = [(entities[0][a], entities[1][b]) for a, b in zip(*_ends(one, two), strict=True)]
    turned = [(entities[0][a], entities[1][b]) for a, b in zip(*_ends(one, two, turn=True), strict=True)]

    def same(pairs: list[tuple[Entity, Entity]], *, types: bool) -> bool:
        return all(a.spans == b.spans and (not types or a.label == b.label) for a, b in pairs)

    either = one.label in schema.symmetric
    if one.label != two.label:
        fits = same(ends, types=True)
        return MOST + 1 if fits else 0
    if same(turned, types=True) and not either:
        return MOST + 2
    ways = [ends, turned] if either else [ends]
    if any(same(way, types=False) for way in ways):
        return MOST * MOST + 3

    def aligned(a: Entity, b: Entity) -> bool:
        other = partner.get(a.id)
        return other is not None and (other.spans, other.label) == (b.spans, b.label)

    if any(all(aligned(a, b) for a, b in way) for way in ways):
        return MOST * MOST + 4
    return 0


def _ends(one: object, two: object, *, turn: bool = False) -> tuple[tuple[str, str], tuple[str, str]]:
    first, second = ((r.source, r.target) for r in (one, two))  # type: ignore[attr-defined]
    return first, (second[1], second[0]) if turn else second


def _result(task: Task, gold: int, predicted: int, counts: Mapping[str, Counter[str]]) -> Kinds:
    numbers = {kind: found.total() for kind, found in counts.items()}
    correct = numbers.get(CORRECT, 0)
    paired = correct + sum(numbers.get(kind, 0) for kind in PAIRED[task])
    alone = [sum(numbers.get(kind, 0) for kind in names[task]) for names in (GOLD_ONLY, PREDICTED_ONLY)]
    if task == "entities" and (paired + alone[0], paired + alone[1]) != (gold, predicted):
        raise AssertionError("the kinds of error do not add up to the numbers of spans")

    def f1(hits: int, golds: int, preds: int) -> float | None:
        return Counts(gold=golds, predicted=preds, gold_correct=hits, predicted_correct=hits).f1

    found = []
    for kind in (*PAIRED[task], *GOLD_ONLY[task], *PREDICTED_ONLY[task]):
        number = numbers.get(kind, 0)
        if kind in PREDICTED_ONLY[task]:
            repaired = f1(correct, gold, predicted - number)
        else:
            repaired = f1(correct + number, gold, predicted + (number if kind in GOLD_ONLY[task] else 0))
        by_label = dict(sorted(counts.get(kind, Counter()).items()))
        found.append(Kind(task=task, kind=kind, count=number, by_label=by_label, repaired_f1=repaired))
    return Kinds(
        task=task,
        gold=gold,
        predicted=predicted,
        correct=correct,
        f1=f1(correct, gold, predicted),
        kinds=tuple(found),
    )
