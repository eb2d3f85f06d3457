"""Compared articles arranged as the page shows them: block by block, gold above predicted."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from dragoman.report.compare import KINDS, VERDICT_WORDS, WRONG, Comparison, Kind, Link, Mark, Side, Verdict
from dragoman.report.layout import Part, blocks, parts, tag_rows
from dragoman.report.words import percent
from dragoman.types import Document

Counts = tuple[tuple[Verdict, str, int], ...]
"""(verdict, its words, number)"""

NOT_COUNTED_TWICE: frozenset[Verdict] = frozenset({"type", "boundary", "both"})


class Half(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a block.

    marks, rows: by number. deep, below: how many boxes nest, and rows of tags. linked: marks
    at an end of an arc. arcs: ``source,target,relation number,verdict`` joined by ``;``.
    """

    parts: tuple[Part, ...]
    marks: dict[int, Mark]
    rows: dict[int, int]
    deep: int
    below: int
    linked: frozenset[int]
    arcs: str


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """A relation as a line of text. words: the verdict. detail: its reason."""

    verdict: Verdict
    words: str
    label: str
    source: str
    target: str
    detail: str


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
    """How one article's entities or relations fared. scored: whether the gold has them."""

    name: str
    gold: int
    predicted: int
    f1: str
    scored: bool
    counts: Counts


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
    about = document.meta.get("kind")
    return Article(
        id=document.id,
        title=document.title or document.id,
        date=document.date or "",
        kind=about if isinstance(about, str) else "",
        has_text=document.text is not None,
        tallies=tuple(_tally(comparison, kind) for kind in KINDS),
        errors=comparison.errors,
        blocks=tuple(_blocks(document.text, comparison, relations)) if document.text else (),
        relations=tuple(_listed(comparison)),
    )


def total(comparisons: Sequence[Comparison]) -> list[tuple[str, Counts]]:
    """How the entities and the relations of many articles fared."""
    return [
        (kind.capitalize(), _worded(sum((one.fared(kind) for one in comparisons), Counter())))
        for kind in KINDS
    ]


def _tally(comparison: Comparison, kind: Kind) -> Tally:
    gold, predicted = (
        len(side.marks if kind == "entities" else side.links)
        for side in (comparison.gold, comparison.predicted)
    )
    return Tally(
        name=kind.capitalize(),
        gold=gold,
        predicted=predicted,
        f1=percent(comparison.f1(kind)),
        scored=kind in comparison.scored,
        counts=_worded(comparison.fared(kind)),
    )


def _worded(counts: Mapping[Verdict, int]) -> Counts:
    return tuple(
        (verdict, words, counts.get(verdict, 0))
        for verdict, words in VERDICT_WORDS.items()
        if counts.get(verdict, 0) or verdict == "right"
    )


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
            found.setdefault(start, []).append(_relation(side, link))
    return found


def _listed(comparison: Comparison) -> list[Relation]:
    homes = [[0] * len(side.marks) for side in (comparison.gold, comparison.predicted)]
    return [_relation(side, link) for side, _, link in _each(comparison, homes)]


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


def _relation(side: Side, link: Link) -> Relation:
    return Relation(
        verdict=link.verdict,
        words=VERDICT_WORDS[link.verdict],
        label=link.label,
        source=side.marks[link.source].surface,
        target=side.marks[link.target].surface,
        detail=link.detail,
    )
