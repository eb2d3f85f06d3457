"""One-to-one, optimal matching of predicted to gold annotations of one document.

Every function pairs as well as is possible, so the order of either side never matters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

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
Mention = tuple[tuple[tuple[int, int], ...], str]
Argument = frozenset[Mention]
Fact = tuple[str, Argument, Argument]


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


def cluster_spans(document: Document) -> set[Argument]:
    """The document's clusters as sets of their mentions' spans and labels."""
    return set(_arguments(document).values())


def _arguments(document: Document) -> dict[str, Argument]:
    """The cluster of every mention, as the set of its mentions' spans and labels, made once for each."""
    entities = document.by_id()
    of_cluster: dict[frozenset[str], Argument] = {}
    found: dict[str, Argument] = {}
    for identifier, members in document.cluster_of().items():
        if members not in of_cluster:
            of_cluster[members] = frozenset((entities[m].spans, entities[m].label) for m in members)
        found[identifier] = of_cluster[members]
    return found


def facts(document: Document, *, symmetric: frozenset[str] = frozenset()) -> list[Fact]:
    """The document's facts: relations between clusters, each once.

    An argument is its cluster, as the set of its mentions' spans and labels; a mention
    without a cluster is one of its own.
    """
    keys = _arguments(document)
    found: dict[Fact, None] = {}
    written: dict[Argument, str] = {}
    for relation in document.relations:
        source, target = keys[relation.source], keys[relation.target]
        if relation.label in symmetric and _written(target, written) < _written(source, written):
            source, target = target, source
        found[(relation.label, source, target)] = None
    return list(found)


def _written(argument: Argument, known: dict[Argument, str]) -> str:
    """An argument as text, by which two are put in order; known: what was written before."""
    if argument not in known:
        known[argument] = repr(sorted(argument, key=repr))
    return known[argument]


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
    by_label: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, items in enumerate((gold, predicted)):
        for index, fact in enumerate(items):
            by_label[fact[0]][side].append(index)
    pairs: list[tuple[int, int]] = []
    for label, (golds, preds) in by_label.items():
        if not golds or not preds:
            continue
        either = label in symmetric
        sides = [gold[g] for g in golds], [predicted[p] for p in preds]
        found = _by_mention(*sides, either) if rule == "any-mention" else _by_key(*sides, KEYS[rule], either)
        pairs += [(golds[row], preds[column]) for row, column in found]
    return sorted(pairs)


def _by_key(
    gold: Sequence[Fact], predicted: Sequence[Fact], key: Callable[[Argument], Hashable], either: bool
) -> Iterator[tuple[int, int]]:
    """Pairs of facts of equal keys, in order; either: the arguments of a fact may be exchanged."""
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for column in range(len(predicted) - 1, -1, -1):
        waiting[_key(predicted[column], key, either)].append(column)
    for row, fact in enumerate(gold):
        if found := waiting.get(_key(fact, key, either)):
            yield row, found.pop()


def _key(fact: Fact, key: Callable[[Argument], Hashable], either: bool) -> Hashable:
    ends = key(fact[1]), key(fact[2])
    return frozenset(ends) if either else ends


def _by_mention(gold: Sequence[Fact], predicted: Sequence[Fact], either: bool) -> Iterator[tuple[int, int]]:
    """A largest one-to-one pairing of facts whose arguments share mentions (Hopcroft and Karp 1973)."""
    holding: tuple[dict[Mention, list[int]], ...] = defaultdict(list), defaultdict(list)
    ends = [(fact[1], fact[2]) for fact in predicted]
    for column, pair in enumerate(ends):
        for end, argument in enumerate(pair):
            for mention in argument:
                holding[end][mention].append(column)
    rows: list[int] = []
    columns: list[int] = []
    for row, (_, source, target) in enumerate(gold):
        found: set[int] = set()
        for pair in ((source, target), (target, source)) if either else ((source, target),):
            near = [[holding[end].get(m, []) for m in argument] for end, argument in enumerate(pair)]
            rarer = 0 if sum(map(len, near[0])) <= sum(map(len, near[1])) else 1
            candidates = {column for listed in near[rarer] for column in listed}
            found |= {
                column for column in candidates if not pair[1 - rarer].isdisjoint(ends[column][1 - rarer])
            }
        rows += [row] * len(found)
        columns += sorted(found)
    table = csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(len(gold), len(predicted)))
    partner = maximum_bipartite_matching(table, perm_type="column")
    return ((row, int(column)) for row, column in enumerate(partner) if column >= 0)


KEYS: Mapping[str, Callable[[Argument], Hashable]] = {"first-mention": min, "hard": lambda argument: argument}
"""What is equal in arguments that are the same under a rule."""
