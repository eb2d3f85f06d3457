"""One-to-one, optimal matching of predicted to gold annotations of one document.

Every function pairs as well as is possible, so the order of either side never matters,
and overlapping, nested, duplicate and discontinuous spans are handled like any other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dragoman.types import Document, Entity

Scheme = Literal["strict", "exact", "partial", "type"]
SCHEMES: tuple[Scheme, ...] = ("strict", "exact", "partial", "type")


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
    """Pair the spans of one document with most COR, then most INC or PAR.

    strict: COR = same span and label. exact, partial: COR = same span.
    type: COR = a shared code point and the same label. Any other overlap of one code point
    is INC (PAR in ``partial``). Spans compare by the code points that their fragments cover.
    Among equally good alignments the one with most equal labels is taken, then the first
    in order of the text, so no input order shows.

    Source: MUC-5 (Chinchor & Sundheim 1993) and SemEval-2013 task 9.1, which leave the
    choice among alignments open; the optimal one is taken.
    """
    correct: list[tuple[int, int]] = []
    other: list[tuple[int, int]] = []
    for golds, preds in _components(gold, predicted):
        weights = _weights([gold[g] for g in golds], [predicted[p] for p in preds], scheme)
        if weights.shape == (1, 1):
            rows, columns = np.zeros(1, dtype=int), np.zeros(1, dtype=int)
        else:
            # one COR outweighs any number of INC or PAR, and these any number of equal labels
            most = 1 + min(weights.shape)
            scaled = np.where(weights == 2, most, weights) * most
            scaled += _equal([gold[g].label for g in golds], [predicted[p].label for p in preds])
            rows, columns = linear_sum_assignment(scaled * (weights > 0), maximize=True)
        for row, column in zip(rows, columns, strict=True):
            if weights[row, column]:
                target = correct if weights[row, column] == 2 else other
                target.append((golds[row], preds[column]))
    taken_gold = {g for g, _ in correct + other}
    taken_pred = {p for _, p in correct + other}
    return Pairing(
        tuple(sorted(correct)),
        tuple(sorted(other)),
        tuple(g for g in range(len(gold)) if g not in taken_gold),
        tuple(p for p in range(len(predicted)) if p not in taken_pred),
    )


def _weights(gold: Sequence[Entity], predicted: Sequence[Entity], scheme: Scheme) -> NDArray[np.int64]:
    """gold x predicted: 2 for COR, 1 for INC or PAR, 0 for no overlap."""
    starts, ends = (
        [np.array([getattr(entity, name) for entity in side]) for side in (gold, predicted)]
        for name in ("start", "end")
    )
    meet = (starts[0][:, None] < ends[1]) & (starts[1] < ends[0][:, None])
    if any(entity.fragments for entity in (*gold, *predicted)):
        for g, p in np.argwhere(meet):
            meet[g, p] = overlap(gold[g], predicted[p])
    same_span = _equal([entity.spans for entity in gold], [entity.spans for entity in predicted])
    same_label = _equal([entity.label for entity in gold], [entity.label for entity in predicted])
    right = {
        "strict": same_span & same_label,
        "exact": same_span,
        "partial": same_span,
        "type": same_label,
    }[scheme]
    return meet * (1 + right)


def _equal(gold: Sequence[Hashable], predicted: Sequence[Hashable]) -> NDArray[np.bool_]:
    """gold x predicted: whether two items are equal."""
    numbers: dict[Hashable, int] = {}
    one, two = (
        np.array([numbers.setdefault(item, len(numbers)) for item in side]) for side in (gold, predicted)
    )
    result: NDArray[np.bool_] = one[:, None] == two
    return result


def overlap(one: Entity, two: Entity) -> bool:
    """Whether two spans share a code point."""
    return any(a < d and c < b for a, b in one.spans for c, d in two.spans)


def _components(gold: Sequence[Entity], predicted: Sequence[Entity]) -> Iterable[tuple[list[int], list[int]]]:
    """Groups of spans connected by overlap; spans that overlap no one are left out."""
    order = sorted(
        (entity.start, entity.end, side, entity.spans, entity.label, index)
        for side, entities in enumerate((gold, predicted))
        for index, entity in enumerate(entities)
    )
    group: tuple[list[int], list[int]] = ([], [])
    reach = -1
    for start, end, side, _, _, index in order:
        if start >= reach:
            if group[0] and group[1]:
                yield group
            group = ([], [])
        group[side].append(index)
        reach = max(reach, end)
    if group[0] and group[1]:
        yield group


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


Argument = frozenset[tuple[object, ...]]
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
    hard: bool,
    symmetric: frozenset[str] = frozenset(),
) -> list[tuple[int, int]]:
    """Pair facts of the same relation one-to-one, as many as possible.

    Any mention: for both arguments the two clusters share a mention with the same span and
    label. hard: both clusters are equal. Returns (gold index, predicted index).
    """
    by_label: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((gold, predicted)):
        for index, fact in enumerate(items):
            by_label[fact[0]][side].append(index)
    pairs: list[tuple[int, int]] = []
    for label, (golds, preds) in by_label.items():
        if not golds or not preds:
            continue

        def fits(one: Fact, two: Fact, either: bool = label in symmetric) -> bool:
            straight = _same(one[1], two[1], hard) and _same(one[2], two[2], hard)
            return straight or (either and _same(one[1], two[2], hard) and _same(one[2], two[1], hard))

        fit = np.array([[fits(gold[g], predicted[p]) for p in preds] for g in golds], dtype=int)
        rows, columns = linear_sum_assignment(fit, maximize=True)
        pairs += [(golds[r], preds[c]) for r, c in zip(rows, columns, strict=True) if fit[r, c]]
    return sorted(pairs)


def _same(one: Argument, two: Argument, hard: bool) -> bool:
    return one == two if hard else not one.isdisjoint(two)
