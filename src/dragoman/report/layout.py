"""Where text is cut so that any spans, nested or crossing, become well-formed boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from dragoman.report.compare import Mark
from dragoman.text import sentences

Extent = tuple[float, float]

# widths in characters of the text, measured at the sizes of page.css
TAG_CHARACTER = 0.86
TAG_ICON = 2.2


class Part(msgspec.Struct, kw_only=True):
    """A piece of a block: text, or the opening or closing of a mark's box.

    mark: which mark a box belongs to. first: whether the box carries the mark's tag.
    joined: whether the mark began before this box. height: how many boxes lie inside.
    """

    kind: Literal["text", "open", "close"]
    text: str = ""
    mark: int = -1
    first: bool = False
    joined: bool = False
    height: int = 0


def blocks(text: str, spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sentences, joined where a span reaches over more than one; no span is ever cut.

    >>> blocks("Freedonia won. Sylvania lost.", [(10, 23)])
    [(0, 29)]
    """
    found: list[tuple[int, int]] = []
    for start, end in sorted([*sentences(text), *spans]):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def parts(text: str, start: int, end: int, marks: Mapping[int, Mark]) -> list[Part]:
    """The block [start, end) as properly nested boxes.

    marks: by number, those inside the block. A mark that crosses another is continued in a
    second box, and one with fragments has a box for each.
    """
    spans = sorted(
        (max(a, start), -min(b, end), number)
        for number, mark in marks.items()
        for a, b in mark.spans
        if max(a, start) < min(b, end)
    )
    starts: dict[int, list[tuple[int, int]]] = {}
    for a, negative, number in spans:
        starts.setdefault(a, []).append((negative, number))
    cuts = sorted({start, end, *starts, *(-negative for _, negative, _ in spans)})
    builder = _Builder()
    for cut, following in zip(cuts, [*cuts[1:], end], strict=True):
        builder.cut(cut, starts.get(cut, []))
        if cut < following:
            builder.out.append(Part(kind="text", text=text[cut:following]))
    return builder.out


class _Builder:
    """Opens and closes boxes so that they nest."""

    def __init__(self) -> None:
        self.out: list[Part] = []
        self._open: list[tuple[int, Part]] = []
        self._tagged: set[int] = set()

    def cut(self, position: int, new: Sequence[tuple[int, int]]) -> None:
        """Close what ends here, and what lies above it; open that again, and what is new."""
        ending = [place for place, (end, _) in enumerate(self._open) if end == position]
        again: list[tuple[int, int]] = []
        while ending and len(self._open) > ending[0]:
            end, part = self._close()
            if end != position:
                again.append((-end, part.mark))
        joined = {number for _, number in again}
        for negative, number in sorted([*again, *new]):
            self._begin(-negative, number, joined=number in joined)

    def _close(self) -> tuple[int, Part]:
        end, part = self._open.pop()
        if self._open:
            parent = self._open[-1][1]
            parent.height = max(parent.height, part.height + 1)
        self.out.append(Part(kind="close", mark=part.mark, first=part.first, height=part.height))
        return end, part

    def _begin(self, end: int, number: int, *, joined: bool) -> None:
        part = Part(
            kind="open",
            mark=number,
            first=number not in self._tagged,
            joined=joined or number in self._tagged,
        )
        self._tagged.add(number)
        self.out.append(part)
        self._open.append((end, part))


def tag_rows(marks: Mapping[int, Mark]) -> dict[int, int]:
    """In which row below the text each mark's tag goes so that no two tags meet."""
    numbers = sorted(marks, key=lambda number: (_length(marks[number]), marks[number].spans, number))
    extents = []
    for number in numbers:
        mark = marks[number]
        icon = 0.0 if mark.verdict in ("right", "unscored") else TAG_ICON
        begin = mark.spans[0][0]
        extents.append((begin, begin + len(mark.label) * TAG_CHARACTER + icon + 0.3))
    return dict(zip(numbers, stack(extents), strict=True))


def stack(extents: Sequence[Extent]) -> list[int]:
    """The lowest free row for each extent, in the order given.

    >>> stack([(0, 2), (3, 5), (1, 4)])
    [0, 0, 1]
    """
    rows: list[list[Extent]] = []
    found = []
    for start, end in extents:
        row = next(
            (n for n, taken in enumerate(rows) if all(end <= a or b <= start for a, b in taken)), len(rows)
        )
        if row == len(rows):
            rows.append([])
        rows[row].append((start, end))
        found.append(row)
    return found


def _length(mark: Mark) -> int:
    return mark.spans[-1][1] - mark.spans[0][0]
