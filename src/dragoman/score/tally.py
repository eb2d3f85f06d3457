"""Counts of every metric as a matrix of documents x groups x columns.

Totals, intervals, tests and slices are sums over such a matrix. A group is a label, or
whatever else annotations are sorted by (see ``slices``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from dragoman.schema import Schema
from dragoman.score import matching
from dragoman.score.alignment import SCHEMES, Pairs, Scheme, align
from dragoman.score.columns import Ints, Links, Spans, digest, heads, spans_of
from dragoman.types import Document, Given

GOLD, PREDICTED, GOLD_COR, PREDICTED_COR, GOLD_INC, PREDICTED_INC, GOLD_PAR, PREDICTED_PAR = range(8)
COLUMNS = 8
Matrix = NDArray[np.int32]
Mention = tuple[tuple[tuple[int, int], ...], str]

Rule = Literal["any-mention", "first-mention", "hard"]
RULES: tuple[Rule, ...] = get_args(Rule)
LAYERS_OF: Mapping[str, frozenset[str]] = {
    "entities": frozenset({"entities"}),
    "relations": frozenset({"relations"}),
    "facts": frozenset({"relations", "clusters"}),
    "values": frozenset({"entities", "clusters", "values"}),
}
METRICS = (
    *(f"entities.{scheme}" for scheme in SCHEMES),
    "relations.strict",
    "relations.boundaries",
    *(f"facts.{rule}" for rule in RULES),
    "values.strict",
)


class Counted(msgspec.Struct, frozen=True):
    """The counts of one metric: cells are documents x groups x COLUMNS.

    occurring: the indices of the groups that cells hold, all others having no count; None if all.
    """

    documents: tuple[str, ...]
    groups: tuple[str, ...]
    cells: Matrix
    occurring: Ints | None = None


class Sorted(msgspec.Struct, frozen=True):
    """The group of every gold and predicted row: an index into ``names``, or -1 for none."""

    names: tuple[str, ...]
    gold: Ints
    predicted: Ints


class Sides:
    """Gold and predicted spans of the same documents, aligned when first asked for."""

    def __init__(
        self,
        documents: Sequence[str],
        gold: Spans,
        predicted: Spans,
        aligned: Mapping[Scheme, Pairs] | None = None,
    ) -> None:
        """documents: ids by the index that the spans name them with. aligned: alignments made before."""
        self.documents = tuple(documents)
        self.gold = gold
        self.predicted = predicted
        self._aligned = dict(aligned or {})

    def aligned(self, scheme: Scheme, *others: Scheme) -> Pairs:
        """The alignment under a scheme; those under others are made in the same go."""
        missing = [name for name in dict.fromkeys((scheme, *others)) if name not in self._aligned]
        if scheme in missing:
            self._aligned |= align(self.gold, self.predicted, missing)
        return self._aligned[scheme]


class Material:
    """Paired documents and a schema, with the columns that several metrics share made once."""

    def __init__(self, pairs: Sequence[tuple[Document, Document]], schema: Schema) -> None:
        """pairs: gold and predicted documents, as ``scorecard.pair_documents`` gives them."""
        self.pairs = tuple(pairs)
        self.schema = schema
        self.labels = tuple(schema.entities)
        self.ranked = tuple(sorted(self.labels))  # spans are ranked by label, whatever the schema's order
        self.place = np.array([self.labels.index(label) for label in self.ranked], dtype=np.int64)
        self.relations = tuple(schema.relations)
        self._layers = {gold.layers for gold, _ in self.pairs}
        self._whole: Sides | None = None

    def kept(self, task: str) -> tuple[tuple[Document, Document], ...]:
        """The pairs whose gold lists the layers of a task."""
        needed = LAYERS_OF[task]
        known = {layers: needed <= set(layers) for layers in self._layers}
        if all(known.values()):
            return self.pairs
        if not any(known.values()):
            return ()
        return tuple(pair for pair in self.pairs if known[pair[0].layers])

    def sides(self, pairs: Sequence[tuple[Document, Document]]) -> Sides:
        """The spans of all the pairs or of some; labels are indices into ``ranked``."""
        whole = len(pairs) == len(self.pairs)
        if whole and self._whole is not None:
            return self._whole
        places = {label: index for index, label in enumerate(self.ranked)}
        both = tuple(zip(*pairs, strict=True)) or ((), ())
        gold, predicted = spans_of(both, places)
        found = Sides([one.id for one in both[0]], gold, predicted)
        if whole:
            self._whole = found
        return found

    def links(self, pairs: Sequence[tuple[Document, Document]]) -> tuple[Links, Links]:
        """The relations of both sides, whose ends are rows of ``sides`` of the same pairs."""
        places = {label: index for index, label in enumerate(self.relations)}
        return Links.of([one for one, _ in pairs], places), Links.of([two for _, two in pairs], places)

    def gold_digest(self) -> str:
        """What names this gold in a signature: see ``columns.digest``."""
        return digest([gold for gold, _ in self.pairs], self.sides(self.pairs).gold, self.ranked)

    def digests(self) -> tuple[str, str]:
        """What names the gold, as ``gold_digest``, and the predictions likewise."""
        sides, named = self.sides(self.pairs), heads([gold for gold, _ in self.pairs])
        predicted = [predicted for _, predicted in self.pairs]
        same = len(self._layers) == 1 and {document.layers for document in predicted} == self._layers
        return (
            digest([gold for gold, _ in self.pairs], sides.gold, self.ranked, named),
            digest(predicted, sides.predicted, self.ranked, named if same else None),
        )

    def by_label(self, sides: Sides) -> Sorted:
        """Every span under its label, in the schema's order."""
        return Sorted(self.labels, self.place[sides.gold.label], self.place[sides.predicted.label])

    @property
    def symmetric(self) -> frozenset[int]:
        """The indices of the relations without direction."""
        return frozenset(
            index for index, label in enumerate(self.relations) if label in self.schema.symmetric
        )


def empty(shape: tuple[int, int]) -> Matrix:
    """documents x groups x COLUMNS of zeros; the documents of a group and column lie together."""
    return np.zeros((COLUMNS, shape[1], shape[0]), dtype=np.int32).transpose(2, 1, 0)


def count_spans(sides: Sides, scheme: Scheme, groups: Sorted) -> Counted:
    """Count one scheme: a pair is COR, else PAR in ``partial`` and INC in the others."""
    return dict(count_schemes(sides, (scheme,), groups))[scheme]


def count_schemes(
    sides: Sides, schemes: Sequence[Scheme], groups: Sorted
) -> Iterator[tuple[Scheme, Counted]]:
    """Count several schemes; see ``count_spans``."""
    used, gold, predicted = _occurring(groups)
    shape = (len(sides.documents), len(used))
    places = [
        _places(sides.gold.document, gold, shape),
        _places(sides.predicted.document, predicted, shape),
    ]
    totals = [_count(place, shape)[0] for place in places]
    made: tuple[Pairs, list[Ints]] | None = None
    for scheme in schemes:
        pairs = sides.aligned(scheme, *schemes)
        if made is None or made[0] is not pairs:
            paired = places[0][pairs.gold], places[1][pairs.predicted]
            made = pairs, [_count(place, shape, pairs.correct) for place in paired]
        cells = empty(shape)
        wrong = (GOLD_PAR, PREDICTED_PAR) if scheme == "partial" else (GOLD_INC, PREDICTED_INC)
        columns = (GOLD, wrong[0], GOLD_COR, PREDICTED, wrong[1], PREDICTED_COR)
        for column, counted in zip(columns, (totals[0], *made[1][0], totals[1], *made[1][1]), strict=True):
            cells[..., column] = counted
        yield scheme, Counted(sides.documents, groups.names, cells, used)


def _occurring(groups: Sorted) -> tuple[Ints, Ints, Ints]:
    """The indices of the groups that have rows, and the groups of both sides as places among these."""
    found = np.zeros(len(groups.names) + 1, bool)  # the last for rows without a group
    found[groups.gold] = found[groups.predicted] = True
    used = np.flatnonzero(found[:-1])
    if len(used) == len(groups.names):
        return used, groups.gold, groups.predicted
    place = np.full(len(found), -1)
    place[used] = np.arange(len(used))
    return used, place[groups.gold], place[groups.predicted]


def _places(document: Ints, group: Ints, shape: tuple[int, int]) -> Ints:
    """Where each row counts in groups x documents, flattened; beyond them for rows without a group."""
    place = group * shape[0] + document
    if len(group) and group.min() < 0:
        place[group < 0] = shape[0] * shape[1]
    return place


def _count(place: Ints, shape: tuple[int, int], split: NDArray[np.bool_] | None = None) -> Ints:
    """How many of the places each of documents x groups holds, those with ``split`` False first."""
    size = shape[0] * shape[1] + 1
    parts = 1 if split is None else 2
    counted = np.bincount(place if split is None else place + split * size, minlength=parts * size)
    found: Ints = counted.reshape(parts, size)[:, :-1].reshape(parts, shape[1], shape[0])
    return found.transpose(0, 2, 1)


def keyed(
    gold: tuple[Spans, Links], predicted: tuple[Spans, Links], symmetric: frozenset[int], *, types: bool
) -> tuple[Ints, Ints, NDArray[np.bool_], NDArray[np.bool_]]:
    """A number for every gold and predicted relation, equal where they say the same; and which count.

    The same is: document, label, and the argument spans, with their labels if ``types``. A
    symmetric relation (by its label's index) has no direction, and one that is stated both ways
    counts once: its later statement does not count.
    """
    links = [gold[1], predicted[1]]
    argument = span_numbers([gold[0], predicted[0]], types=types)
    ends = [
        np.concatenate([argument[side][link.source] for side, link in enumerate(links)]),
        np.concatenate([argument[side][link.target] for side, link in enumerate(links)]),
    ]
    label = np.concatenate([link.label for link in links])
    document = np.concatenate([link.document for link in links])
    side = np.repeat([0, 1], [len(link.label) for link in links])
    free: NDArray[np.bool_] = np.isin(label, list(symmetric))
    turned = free & (ends[0] > ends[1])
    low: Ints = np.where(turned, ends[1], ends[0])
    high = np.where(turned, ends[0], ends[1])
    key = _numbers(document, label, low, high)
    counts: NDArray[np.bool_] = np.ones(len(key), bool)
    if free.any():
        counts = _stated_once(key * 2 + side, turned, free & (low != high))
    first = len(links[0].label)
    return key[:first], key[first:], counts[:first], counts[first:]


def _stated_once(key: Ints, turned: NDArray[np.bool_], free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of statements both ways of one key, as many count as the more frequent way has."""
    counts = np.ones(len(key), bool)
    number = int(key.max(initial=0)) + 1
    ways = [np.bincount(key[free & (turned == way)], minlength=number) for way in (False, True)]
    rarer = np.where(ways[0] < ways[1], 0, 1)
    both = (ways[0] > 0) & (ways[1] > 0)
    counts[free & both[key] & (turned == (rarer[key] == 1))] = False
    return counts


def span_numbers(sides: Sequence[Spans], *, types: bool) -> list[Ints]:
    """A number for every span of some sides, equal for equal spans (and labels, if ``types``)."""
    columns = [
        np.concatenate([getattr(side, name) for side in sides])
        for name in ("document", "start", "end", "shape", *(["label"] if types else []))
    ]
    ends = np.cumsum([len(side) for side in sides])[:-1]
    return list(np.split(_numbers(*columns), ends))


def _numbers(*columns: Ints) -> Ints:
    """One number per row, equal for equal rows."""
    number = _dense(columns[0])
    for column in map(_dense, columns[1:]):
        joint = number * (int(column.max(initial=0)) + 1) + column
        number = np.unique(joint, return_inverse=True)[1].reshape(-1)
    return number


def _dense(column: Ints) -> Ints:
    """The same order in small numbers, so that no product of two columns overflows."""
    return column if column.max(initial=0) < 2**31 else np.unique(column, return_inverse=True)[1].reshape(-1)


def count_links(
    sides: Sides,
    links: tuple[Links, Links],
    groups: Sorted,
    symmetric: frozenset[int],
    *,
    types: bool,
) -> Counted:
    """Count relations: a prediction is right once for each gold relation that says the same."""
    gold_key, pred_key, gold_kept, pred_kept = keyed(
        (sides.gold, links[0]), (sides.predicted, links[1]), symmetric, types=types
    )
    shape = (len(sides.documents), len(groups.names))
    cells = empty(shape)
    rows = np.flatnonzero(gold_kept), np.flatnonzero(pred_kept)
    hits = shared_rows(gold_key[rows[0]], pred_key[rows[1]])
    for link, group, kept, hit, total, right in (
        (links[0], groups.gold, rows[0], hits[0], GOLD, GOLD_COR),
        (links[1], groups.predicted, rows[1], hits[1], PREDICTED, PREDICTED_COR),
    ):
        place = _places(link.document, group, shape)[kept]
        cells[..., total] = _count(place, shape)[0]
        cells[..., right] = _count(place[hit], shape)[0]
    return Counted(sides.documents, groups.names, cells)


def shared_rows(gold: Ints, predicted: Ints) -> tuple[Ints, Ints]:
    """Rows of either side that find a partner of equal number: one for one, first come first served."""
    number = int(max(gold.max(initial=-1), predicted.max(initial=-1))) + 1
    both = np.minimum(np.bincount(gold, minlength=number), np.bincount(predicted, minlength=number))
    found = []
    for keys in (gold, predicted):
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        begins = np.ones(len(keys), bool)
        begins[1:] = ordered[1:] != ordered[:-1]
        start = np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))
        rank = np.arange(len(keys)) - start
        found.append(np.sort(order[rank < both[ordered]]))
    return found[0], found[1]


def count_facts(
    pairs: Sequence[tuple[Document, Document]], labels: Sequence[str], rule: Rule, symmetric: frozenset[str]
) -> Counted:
    """Count facts, relations between clusters, under one rule for when two clusters are the same."""
    place = {label: index for index, label in enumerate(labels)}
    cells = empty((len(pairs), len(labels)))
    for cell, (gold, predicted) in zip(cells, pairs, strict=True):
        if not (gold.relations or predicted.relations):
            continue
        golds = matching.facts(gold, symmetric=symmetric)
        preds = matching.facts(predicted, symmetric=symmetric)
        for column, side in ((GOLD, golds), (PREDICTED, preds)):
            for label, _, _ in side:
                cell[place[label], column] += 1
        for g, _ in matching.pair_facts(golds, preds, rule=rule, symmetric=symmetric):
            cell[place[golds[g][0]], [GOLD_COR, PREDICTED_COR]] += 1
    return Counted(tuple(gold.id for gold, _ in pairs), tuple(labels), cells)


def count_values(pairs: Sequence[tuple[Document, Document]], labels: Sequence[str]) -> Counted:
    """Count normalised values: of a mention its own, else that of its cluster.

    COR: a mention of the same span and label has the same value. INC: it has another, or none
    where the gold has one, or one where the gold has none. So COR / (COR + INC) is the accuracy
    of values over the mentions that were found.
    """
    place = {label: index for index, label in enumerate(labels)}
    cells = empty((len(pairs), len(labels)))
    for cell, (gold, predicted) in zip(cells, pairs, strict=True):
        golds, preds = _values(gold), _values(predicted)
        if not (golds or preds):
            continue
        mentions = [Counter((e.spans, e.label) for e in side.entities) for side in (gold, predicted)]
        for side, total in ((golds, GOLD), (preds, PREDICTED)):
            for (_, label), values in side.items():
                cell[place[label], total] += values.total()
        for key in golds.keys() | preds.keys():
            one, two = golds.get(key, Counter()), preds.get(key, Counter())
            right = (one & two).total()
            found = min(mentions[0][key], mentions[1][key])
            index = place[key[1]]
            cell[index, [GOLD_COR, PREDICTED_COR]] += right
            cell[index, GOLD_INC] += min(one.total(), found) - right
            cell[index, PREDICTED_INC] += min(two.total(), found) - right
    return Counted(tuple(gold.id for gold, _ in pairs), tuple(labels), cells)


def _values(document: Document) -> dict[Mention, Counter[str]]:
    """The values of mentions by their spans and labels."""
    of_cluster = {
        member: cluster.value
        for cluster in document.clusters
        if cluster.value is not None
        for member in cluster.members
    }
    found: dict[Mention, Counter[str]] = {}
    for entity in document.entities:
        value = entity.value if entity.value is not None else of_cluster.get(entity.id)
        if value is not None:
            found.setdefault((entity.spans, entity.label), Counter())[value] += 1
    return found


def count_documents(
    material: Material, given: Given, metrics: Sequence[str] = METRICS
) -> Iterator[tuple[str, Counted]]:
    """Count metrics, in the order of METRICS, over the pairs whose gold lists their layers.

    Entities are counted end to end alone, since they are given in the other settings.
    """
    for task in LAYERS_OF:
        matches = [m.partition(".")[2] for m in METRICS if m in metrics and m.startswith(f"{task}.")]
        kept = material.kept(task)
        if not matches or not kept or (task == "entities" and given != "nothing"):
            continue
        yield from _count_task(task, matches, kept, material)


def _count_task(
    task: str, matches: Sequence[str], pairs: Sequence[tuple[Document, Document]], material: Material
) -> Iterator[tuple[str, Counted]]:
    if task == "facts":
        for rule in RULES:
            if rule in matches:
                symmetric = material.schema.symmetric
                yield f"facts.{rule}", count_facts(pairs, material.relations, rule, symmetric)
        return
    if task == "values":
        yield "values.strict", count_values(pairs, material.labels)
        return
    sides = material.sides(pairs)
    if task == "entities":
        schemes = [scheme for scheme in SCHEMES if scheme in matches]
        groups = material.by_label(sides)
        for scheme, counted in count_schemes(sides, schemes, groups):
            yield f"entities.{scheme}", counted
    else:
        links = material.links(pairs)
        groups = Sorted(material.relations, links[0].label, links[1].label)
        for match in matches:
            types = match == "strict"
            yield (
                f"relations.{match}",
                count_links(sides, links, groups, material.symmetric, types=types),
            )


def confusion(material: Material) -> dict[str, dict[str, int]]:
    """Predicted labels by gold label over spans that coincide; ``-`` for missed or spurious."""
    names = (*material.labels, "-")
    sides = material.sides(material.kept("entities"))
    found = sides.aligned("exact")
    gold, predicted = found.gold[found.correct], found.predicted[found.correct]
    groups = material.by_label(sides)
    size = len(material.labels)
    table = np.zeros((size + 1, size + 1), np.int64)
    both = groups.gold[gold] * size + groups.predicted[predicted]
    table[:size, :size] = np.bincount(both, minlength=size**2).reshape(size, size)
    table[:size, size] = np.bincount(groups.gold, minlength=size) - table.sum(axis=1)[:size]
    table[size, :size] = np.bincount(groups.predicted, minlength=size) - table.sum(axis=0)[:size]
    return {one: {two: int(table[i, j]) for j, two in enumerate(names)} for i, one in enumerate(names)}
