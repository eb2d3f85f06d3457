"""The protocol of CrossRE (Bassignana and Plank 2022): labels of gold entity pairs, one sentence each.

Instances are the ordered pairs of entities that have a gold relation in this direction; there is
no class for "none", so finding the related pairs is not measured. Figures under this protocol are
comparable with that benchmark's alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations

import msgspec

from dragoman.errors import ScoreError
from dragoman.score.counts import ratio

Span = tuple[int, int]


class CrossRE(msgspec.Struct, frozen=True, kw_only=True):
    """Rates from 0 to 1. macro: over labels with gold; macro_all: over all, absent ones as 0.

    per_label: tp, fp and fn of labels that occur on either side. subset_accuracy: the share of
    instances whose label sets are equal. Unlike elsewhere, F1 of a label without gold is 0 here,
    as in the released script.
    """

    instances: int
    micro_precision: float | None
    micro_recall: float | None
    micro_f1: float
    macro_f1: float
    macro_f1_all: float
    weighted_f1: float
    subset_accuracy: float | None
    per_label: dict[str, tuple[int, int, int]]


def instances(
    entities: Sequence[Span], relations: Iterable[tuple[Span, Span, str]]
) -> list[tuple[Span, Span, frozenset[str]]]:
    """The instances of one sentence in the protocol's order: pairs of different places in the list
    of entities, first by the first, that have a relation, with the set of its labels.

    >>> instances([(0, 1), (3, 4)], [((3, 4), (0, 1), "role")])
    [((3, 4), (0, 1), frozenset({'role'}))]
    """
    labels: dict[tuple[Span, Span], set[str]] = {}
    for source, target, label in relations:
        labels.setdefault((source, target), set()).add(label)
    return [
        (entities[i], entities[j], frozenset(labels[entities[i], entities[j]]))
        for i, j in permutations(range(len(entities)), 2)
        if (entities[i], entities[j]) in labels
    ]


def crossre(
    gold: Sequence[Iterable[str]], predicted: Sequence[Iterable[str]], labels: Sequence[str]
) -> CrossRE:
    """Score the label sets of instances, gold[k] against predicted[k].

    labels: all that exist, for ``macro_f1_all``. Raises ScoreError for sides of different lengths
    or an unknown label.
    """
    if len(gold) != len(predicted):
        raise ScoreError(f"{len(gold)} gold instances and {len(predicted)} predicted ones: expected as many")
    counts: dict[str, Counter[str]] = {label: Counter() for label in labels}
    equal = 0
    for number, sides in enumerate(zip(gold, predicted, strict=True)):
        one, two = (frozenset(side) for side in sides)
        unknown = sorted((one | two) - counts.keys())
        if unknown:
            raise ScoreError(f"instance {number}: {unknown[0]!r} is none of {', '.join(labels)}")
        equal += one == two
        for label in one | two:
            counts[label]["tp" if label in one & two else "fn" if label in one else "fp"] += 1
    supported = [label for label in labels if counts[label]["tp"] + counts[label]["fn"]]
    total = sum(counts.values(), Counter[str]())
    gold_total = total["tp"] + total["fn"]
    weighted = sum(_f1(counts[label]) * (counts[label]["tp"] + counts[label]["fn"]) for label in supported)
    return CrossRE(
        instances=len(gold),
        micro_precision=ratio(total["tp"], total["tp"] + total["fp"]),
        micro_recall=ratio(total["tp"], gold_total),
        micro_f1=_f1(total),
        macro_f1=sum(_f1(counts[label]) for label in supported) / max(1, len(supported)),
        macro_f1_all=sum(_f1(counts[label]) for label in labels) / max(1, len(labels)),
        weighted_f1=weighted / max(1, gold_total),
        subset_accuracy=ratio(equal, len(gold)),
        per_label={
            label: (found["tp"], found["fp"], found["fn"]) for label, found in counts.items() if found.total()
        },
    )


def _f1(counts: Mapping[str, int]) -> float:
    whole = 2 * counts["tp"] + counts["fp"] + counts["fn"]
    return 2 * counts["tp"] / whole if whole else 0.0
