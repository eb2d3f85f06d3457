"""Compared articles arranged as the page shows them: block by block, gold above predicted."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from dragoman.report.compare import VERDICT_WORDS, WRONG, Comparison, Link, Mark, Side, Verdict
from dragoman.report.layout import Part, blocks, lanes, parts, tag_rows
from dragoman.report.words import percent
from dragoman.types import Document

NOT_COUNTED_TWICE: frozenset[Verdict] = frozenset({"type", "boundary", "both"})


class Half(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a block.

    marks, rows: by number. deep, below, lanes: how many boxes nest, rows of tags and arcs
    that need room. arcs: ``source,target,relation number,verdict`` joined by ``;``.
    """

    parts: tuple[Part, ...]
    marks: dict[int, Mark]
    rows: dict[int, int]
    deep: int
    below: int
    lanes: int
    linked: frozenset[int]
    arcs: str


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A relation as a line of text. block: the number of the block it starts in, or 0."""

    verdict: Verdict
    words: str
    label: str
    source: str
    target: str
    detail: str
    block: int


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Some sentence, mostly one. across: relations from here to other blocks."""

    number: int
    gold: Half
    predicted: Half
    across: tuple[Relation, ...]
    errors: int

    @property
    def plain(self) -> bool:
        """Whether nothing is annotated here on either side."""
        return not self.gold.marks and not self.predicted.marks


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How one article's spans or relations fared. counts: (verdict, its words, number)."""

    name: str
    gold: int
    predicted: int
    f1: str
    counts: tuple[tuple[Verdict, str, int], ...]


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One article as the page shows it. kind: of its meta, or empty."""

    id: str
    title: str
    date: str
    kind: str
    has_text: bool
    tallies: tuple[Tally, ...]
    errors: int
    blocks: tuple[Block, ...]
    relations: tuple[Relation, ...]


def arrange(document: Document, comparison: Comparison, relations: Sequence[str]) -> Article:
    """One article, ready for the template.

    relations: the relation labels in the order of the schema; arcs name them by number.
    """
    kind = document.meta.get("kind")
    return Article(
        id=document.id,
        title=document.title or document.id,
        date=document.date or "",
        kind=kind if isinstance(kind, str) else "",
        has_text=document.text is not None,
        tallies=tuple(_tallies(comparison)),
        errors=comparison.errors,
        blocks=tuple(_blocks(document.text, comparison, relations)) if document.text else (),
        relations=tuple(_listed(comparison)),
    )


def total(comparisons: Sequence[Comparison]) -> list[tuple[Verdict, str, int]]:
    """How all spans of many articles fared."""
    found: Counter[Verdict] = Counter()
    for comparison in comparisons:
        found.update(comparison.spans)
    return _worded(found)


def _tallies(comparison: Comparison) -> list[Tally]:
    gold, predicted = comparison.gold, comparison.predicted
    return [
        Tally(
            name="Entities",
            gold=len(gold.marks),
            predicted=len(predicted.marks),
            f1=percent(comparison.f1("spans")),
            counts=tuple(_worded(comparison.spans)),
        ),
        Tally(
            name="Relations",
            gold=len(gold.links),
            predicted=len(predicted.links),
            f1=percent(comparison.f1("relations")),
            counts=tuple(_worded(comparison.relations)),
        ),
    ]


def _worded(counts: Mapping[Verdict, int]) -> list[tuple[Verdict, str, int]]:
    return [
        (verdict, words, counts.get(verdict, 0))
        for verdict, words in VERDICT_WORDS.items()
        if counts.get(verdict, 0) or verdict == "right"
    ]


def _blocks(text: str, comparison: Comparison, relations: Sequence[str]) -> list[Block]:
    sides = (comparison.gold, comparison.predicted)
    hulls = [(mark.spans[0][0], mark.spans[-1][1]) for side in sides for mark in side.marks]
    cuts = blocks(text, hulls)
    starts = [start for start, _ in cuts]
    homes = [[bisect_right(starts, m.spans[0][0]) - 1 for m in side.marks] for side in sides]
    across = _across(comparison, homes)
    found = []
    for number, (start, end) in enumerate(cuts):
        halves = [
            _half(text, (start, end), number, side, home, relations)
            for side, home in zip(sides, homes, strict=True)
        ]
        outside = across.get(number, [])
        found.append(
            Block(
                number=number + 1,
                gold=halves[0],
                predicted=halves[1],
                across=tuple(outside),
                errors=_errors(sides, homes, number, outside),
            )
        )
    return found


def _errors(
    sides: tuple[Side, Side], homes: Sequence[Sequence[int]], number: int, across: Sequence[Relation]
) -> int:
    """Wrong spans and relations of one block; a pair that only overlaps counts once."""
    found = sum(relation.verdict in WRONG for relation in across)
    for own, (side, home) in enumerate(zip(sides, homes, strict=True)):
        counted = WRONG - NOT_COUNTED_TWICE if own else WRONG
        found += sum(m.verdict in counted for m, h in zip(side.marks, home, strict=True) if h == number)
        inside = [link for link in side.links if home[link.source] == home[link.target] == number]
        found += sum(link.verdict in WRONG for link in inside)
    return found


def _half(
    text: str,
    block: tuple[int, int],
    number: int,
    side: Side,
    home: Sequence[int],
    relations: Sequence[str],
) -> Half:
    marks = {index: mark for index, mark in enumerate(side.marks) if home[index] == number}
    links = [link for link in side.links if link.source in marks and link.target in marks]
    pieces = parts(text, *block, marks)
    rows = tag_rows(marks)
    return Half(
        parts=tuple(pieces),
        marks=marks,
        rows=rows,
        deep=max((part.height for part in pieces), default=0),
        below=max(rows.values(), default=-1) + 1,
        lanes=lanes((marks[link.source], marks[link.target], link.label) for link in links),
        linked=frozenset(end for link in links for end in (link.source, link.target)),
        arcs=";".join(
            f"{link.source},{link.target},{relations.index(link.label)},{link.verdict}" for link in links
        ),
    )


def _across(comparison: Comparison, homes: Sequence[Sequence[int]]) -> dict[int, list[Relation]]:
    """Relations between blocks, by the block in which they start; a right one once."""
    found: dict[int, list[Relation]] = {}
    for side, home, link in _each(comparison, homes):
        start = home[link.source]
        if start != home[link.target]:
            found.setdefault(start, []).append(_relation(side, link, start + 1))
    return found


def _listed(comparison: Comparison) -> list[Relation]:
    homes = [[0] * len(side.marks) for side in (comparison.gold, comparison.predicted)]
    return [_relation(side, link, 0) for side, _, link in _each(comparison, homes)]


def _each(comparison: Comparison, homes: Sequence[Sequence[int]]) -> list[tuple[Side, Sequence[int], Link]]:
    """All relations in the order of the text; of those found on both sides only the gold one."""
    found = [
        (side, home, link)
        for own, (side, home) in enumerate(zip((comparison.gold, comparison.predicted), homes, strict=True))
        for link in side.links
        if not (own and link.verdict == "right")
    ]
    return sorted(
        found, key=lambda item: tuple(item[0].marks[n].spans for n in (item[2].source, item[2].target))
    )


def _relation(side: Side, link: Link, block: int) -> Relation:
    return Relation(
        verdict=link.verdict,
        words=VERDICT_WORDS[link.verdict],
        label=link.label,
        source=side.marks[link.source].surface,
        target=side.marks[link.target].surface,
        detail=link.detail,
        block=block,
    )
