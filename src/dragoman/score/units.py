"""What annotators agree or differ on: tokens, spans, and pairs of spans of one article.

Each function takes one article as every annotator left it, None for one who did not annotate
it, and returns how often each combination of answers occurs. An answer is a set of labels,
empty for "O" or "none"; a combination has one answer per annotator, None for a missing one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.score.rounds import Versions
from dragoman.text import align, tokenize
from dragoman.types import Document, Entity

Answer = frozenset[str]
Answers = tuple[Answer | None, ...]
Span = tuple[tuple[int, int], ...]

NONE: Answer = frozenset()


def tokens(versions: Versions) -> Counter[Answers]:
    """Every token of the text: the label of the mention that it belongs to, or none.

    A token belongs to a mention if they share a code point. Of several mentions the outermost
    (widest) counts, of equally wide ones the first, of one span with two labels the first label.
    The text must be attached.
    """
    text = next((version.text for version in versions if version is not None and version.text), "")
    cut = tokenize(text)
    rows: list[Sequence[Answer | None]] = []
    for version in versions:
        if version is None:
            rows.append([None] * len(cut))
            continue
        row = [NONE] * len(cut)
        for entity in sorted(version.entities, key=_outermost_first, reverse=True):
            for start, end in entity.spans:
                if touched := align(cut, start, end):
                    row[touched.first : touched.last] = [frozenset([entity.label])] * (
                        touched.last - touched.first
                    )
        rows.append(row)
    return Counter(zip(*rows, strict=True))


def spans(versions: Versions) -> Counter[Answers]:
    """Every span that anyone marked: the labels given to exactly these code points, or none."""
    return _combined([None if version is None else _labels(version) for version in versions])


def shared_spans(versions: Versions) -> Counter[Answers]:
    """The spans that every annotator of the article marked: the labels given."""
    found = spans(versions)
    return Counter({answers: number for answers, number in found.items() if NONE not in answers})


def pairs(versions: Versions, symmetric: frozenset[str] = frozenset()) -> Counter[Answers]:
    """Every ordered pair of two shared spans: the labels of the relations between them, or none.

    A relation in ``symmetric`` has no direction: it counts for the pair in order of the text.
    Relations of a span with itself and with a span that someone did not mark lie outside;
    ``outside`` counts them.
    """
    shared = _shared(versions)
    found = _combined(
        [None if version is None else _links(version, shared, symmetric) for version in versions]
    )
    unmarked = tuple(None if version is None else NONE for version in versions)
    rest = len(shared) * (len(shared) - 1) - found.total()
    return found + Counter({unmarked: rest})


def outside(versions: Versions) -> int:
    """How many relations, of all annotators together, do not lie between two shared spans."""
    shared = _shared(versions)
    number = 0
    for version in filter(None, versions):
        entities = version.by_id()
        for relation in version.relations:
            ends = entities[relation.source].spans, entities[relation.target].spans
            number += ends[0] == ends[1] or not shared.issuperset(ends)
    return number


def _outermost_first(entity: Entity) -> tuple[int, int, str]:
    return entity.start - entity.end, entity.start, entity.label


def _labels(document: Document) -> dict[Span, Answer]:
    found: defaultdict[Span, set[str]] = defaultdict(set)
    for entity in document.entities:
        found[entity.spans].add(entity.label)
    return {span: frozenset(labels) for span, labels in found.items()}


def _shared(versions: Versions) -> frozenset[Span]:
    marked = [{entity.spans for entity in version.entities} for version in versions if version is not None]
    return frozenset(set.intersection(*marked))


def _links(
    document: Document, shared: frozenset[Span], symmetric: frozenset[str]
) -> dict[tuple[Span, Span], Answer]:
    entities = document.by_id()
    found: defaultdict[tuple[Span, Span], set[str]] = defaultdict(set)
    for relation in document.relations:
        source, target = entities[relation.source].spans, entities[relation.target].spans
        if source != target and source in shared and target in shared:
            if relation.label in symmetric and target < source:
                source, target = target, source
            found[source, target].add(relation.label)
    return {pair: frozenset(labels) for pair, labels in found.items()}


def _combined(answered: Sequence[Mapping[Any, Answer] | None]) -> Counter[Answers]:
    """Over every unit that anyone answered, the combination of answers."""
    every = dict.fromkeys(unit for one in answered if one is not None for unit in one)
    return Counter(tuple(None if one is None else one.get(unit, NONE) for one in answered) for unit in every)
