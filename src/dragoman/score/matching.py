"""One-to-one, optimal matching of predicted to gold annotations of one document.

Every function pairs as well as is possible, so the order of either side never matters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

import msgspec
import numpy as np
from scipy.optimize import linear_sum_assignment

from dragoman.score.alignment import Scheme, align
from dragoman.score.columns import entity_spans
from dragoman.types import Document, Entity


class Pairing(msgspec.Struct, frozen=True):
    """How one document's spans were paired under one scheme.

    correct, other: pairs (gold index, predicted index); ``other`` counts as partial in the
    scheme ``partial`` and as incorrect in the others.
    missed, spurious: indices of gold and predicted spans without a partner.
    """

    correct: tuple[tuple[int, int], ...]
    other: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    spurious: tuple[int, ...]


def pair_spans(gold: Sequence[Entity], predicted: Sequence[Entity], scheme: Scheme) -> Pairing:
    """Pair the spans of one document; see ``alignment.align``."""
    places = {label: n for n, label in enumerate(sorted({entity.label for entity in (*gold, *predicted)}))}
    sides = entity_spans((gold, predicted), places)
    found = align(sides[0], sides[1], (scheme,))[scheme]
    pairs = sorted(zip(found.gold.tolist(), found.predicted.tolist(), found.correct.tolist(), strict=True))
    taken_gold, taken_pred = {g for g, _, _ in pairs}, {p for _, p, _ in pairs}
    return Pairing(
        tuple((g, p) for g, p, correct in pairs if correct),
        tuple((g, p) for g, p, correct in pairs if not correct),
        tuple(g for g in range(len(gold)) if g not in taken_gold),
        tuple(p for p in range(len(predicted)) if p not in taken_pred),
    )


def overlap(one: Entity, two: Entity) -> bool:
    """Whether two spans share a code point."""
    return any(a < d and c < b for a, b in one.spans for c, d in two.spans)


def shared(gold: Iterable[Hashable], predicted: Iterable[Hashable]) -> Counter[Hashable]:
    """The multiset intersection: a prediction made twice is right once."""
    return Counter(gold) & Counter(predicted)


Key = tuple[object, ...]


def relation_keys(
    document: Document, *, types: bool, symmetric: frozenset[str] = frozenset()
) -> list[tuple[str, Key | None]]:
    """Each relation, in the document's order, as (label, key).

    A key is the label and the argument spans, with their labels if ``types``.

    A symmetric relation has no direction: its arguments are put in order. One that is stated
    both ways counts once, so its second statement has None for a key.
    """
    entities = document.by_id()
    keys: list[tuple[str, Key | None]] = []
    waiting: Counter[tuple[Key, bool]] = Counter()
    for relation in document.relations:
        ends = [entities[relation.source], entities[relation.target]]
        arguments: list[Key] = [(end.spans, end.label if types else "") for end in ends]
        if relation.label not in symmetric:
            keys.append((relation.label, (relation.label, *arguments)))
            continue
        turned = repr(arguments[0]) > repr(arguments[1])
        key: Key = (relation.label, *sorted(arguments, key=repr))
        if arguments[0] != arguments[1] and waiting[key, not turned]:
            waiting[key, not turned] -= 1
            keys.append((relation.label, None))
        else:
            waiting[key, turned] += 1
            keys.append((relation.label, key))
    return keys


def cluster_spans(document: Document) -> set[frozenset[tuple[object, ...]]]:
    """The document's clusters as sets of their mentions' spans and labels."""
    entities = document.by_id()
    return {
        frozenset((entities[member].spans, entities[member].label) for member in members)
        for members in document.cluster_of().values()
    }


Argument = frozenset[tuple[tuple[tuple[int, int], ...], str]]
Fact = tuple[str, Argument, Argument]


def facts(document: Document, *, symmetric: frozenset[str] = frozenset()) -> list[Fact]:
    """The document's facts: relations between clusters, each once.

    An argument is its cluster, as the set of its mentions' spans and labels; a mention
    without a cluster is one of its own.
    """
    clusters = document.cluster_of()
    entities = document.by_id()
    keys: Mapping[str, Argument] = {
        identifier: frozenset((entities[m].spans, entities[m].label) for m in members)
        for identifier, members in clusters.items()
    }
    found: dict[Fact, None] = {}
    for relation in document.relations:
        source, target = keys[relation.source], keys[relation.target]
        if relation.label in symmetric and repr(sorted(target, key=repr)) < repr(sorted(source, key=repr)):
            source, target = target, source
        found[(relation.label, source, target)] = None
    return list(found)


def pair_facts(
    gold: Sequence[Fact],
    predicted: Sequence[Fact],
    *,
    rule: str = "any-mention",
    symmetric: frozenset[str] = frozenset(),
) -> list[tuple[int, int]]:
    """Pair facts of the same relation one-to-one, as many as possible.

    rule: ``any-mention``: for both arguments the two clusters share a mention with the same span
    and label; ``first-mention``: the first mentions of both are such; ``hard``: the clusters are
    equal. Returns (gold index, predicted index).
    """
    same = {"any-mention": _share, "first-mention": _begin_alike, "hard": _equal}[rule]
    by_label: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((gold, predicted)):
        for index, fact in enumerate(items):
            by_label[fact[0]][side].append(index)
    pairs: list[tuple[int, int]] = []
    for label, (golds, preds) in by_label.items():
        if not golds or not preds:
            continue

        def fits(one: Fact, two: Fact, either: bool = label in symmetric) -> bool:
            straight = same(one[1], two[1]) and same(one[2], two[2])
            return straight or (either and same(one[1], two[2]) and same(one[2], two[1]))

        fit = np.array([[fits(gold[g], predicted[p]) for p in preds] for g in golds], dtype=int)
        rows, columns = linear_sum_assignment(fit, maximize=True)
        pairs += [(golds[r], preds[c]) for r, c in zip(rows, columns, strict=True) if fit[r, c]]
    return sorted(pairs)


def _share(one: Argument, two: Argument) -> bool:
    return not one.isdisjoint(two)


def _begin_alike(one: Argument, two: Argument) -> bool:
    return min(one) == min(two)


def _equal(one: Argument, two: Argument) -> bool:
    return one == two
