"""Optimal one-to-one alignment of spans over all documents at once.

Spans that overlap, directly or through others, form a component; components never influence
each other. Most hold one span of each side and are decided by array operations; of the others,
those with the same pattern of overlaps are solved once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from dragoman.errors import ScoreError
from dragoman.score.columns import Ints, Spans

Scheme = Literal["strict", "exact", "partial", "type"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
Codes = NDArray[np.uint8]
MEET, SPAN, LABEL = 1, 2, 4
BLOCK = 8192
DENSE = 2**18
"""The most pairs of rows of a component for which a table of all of them is made."""
CELLS = 2**22
"""The most pairs of rows in such tables at a time."""
MOST_PAIRS = 2**24
"""The most overlapping pairs of a component."""
RIGHT: dict[Scheme, int] = {
    "strict": MEET | SPAN | LABEL,
    "exact": MEET | SPAN,
    "partial": MEET | SPAN,
    "type": MEET | LABEL,
}


class Pairs(msgspec.Struct, frozen=True):
    """Aligned rows: gold[i] with predicted[i]; correct[i] says whether as COR."""

    gold: Ints
    predicted: Ints
    correct: NDArray[np.bool_]


def align(
    gold: Spans, predicted: Spans, schemes: Sequence[Scheme] = SCHEMES, *, least: int = 1
) -> dict[Scheme, Pairs]:
    """Pair the spans of all documents with most COR, then most INC or PAR.

    strict: COR = same span and label. exact, partial: COR = same span.
    type: COR = overlap and the same label. Any other overlap is INC (PAR in ``partial``).
    Spans compare by the stretches that their fragments cover. least: how many offsets two spans
    must share to overlap; the same span always does. Among equally good alignments the one with
    most equal labels is taken, those of COR first, then the first in order of the text, so no
    input order shows.

    Source: MUC-5 (Chinchor and Sundheim 1993) and SemEval-2013 task 9.1, which leave the choice
    among alignments open; the optimal one is taken.
    """
    _refuse_beyond(gold, predicted)
    # exact and partial ask the same of an alignment and differ in what an overlap is worth
    solved = tuple(dict.fromkeys("exact" if scheme == "partial" else scheme for scheme in schemes))
    parts: dict[Scheme, list[Pairs]] = {scheme: [] for scheme in solved}
    for first, second in _blocks(gold, predicted):
        for scheme, pairs in _align(gold.slice(first), predicted.slice(second), solved, least):
            if first.start or second.start:
                pairs = Pairs(pairs.gold + first.start, pairs.predicted + second.start, pairs.correct)
            parts[scheme].append(pairs)
    whole = {scheme: _joined(pieces) for scheme, pieces in parts.items()}
    return {scheme: whole["exact" if scheme == "partial" else scheme] for scheme in schemes}


def _joined(pieces: Sequence[Pairs]) -> Pairs:
    if len(pieces) == 1:
        return pieces[0]
    return Pairs(
        *(np.concatenate([getattr(piece, name) for piece in pieces]) for name in Pairs.__struct_fields__)
    )


def _refuse_beyond(gold: Spans, predicted: Spans) -> None:
    """Raise ScoreError where documents laid end to end would be longer than whole numbers go."""
    longest = max(int(side.end.max(initial=0)) for side in (gold, predicted)) + 1
    documents = max(int(side.document.max(initial=0)) for side in (gold, predicted)) + 1
    if longest * documents >= 2**62:
        raise ScoreError(
            f"{documents} documents with offsets up to {longest - 1} are beyond what can be scored"
        )


def _blocks(gold: Spans, predicted: Spans) -> Iterator[tuple[slice, slice]]:
    """Rows of some thousand documents at a time, small enough for the processor's cache.

    All rows at once where a side is not in order of its documents.
    """
    sides = (gold.document, predicted.document)
    last = max(int(column.max(initial=-1)) for column in sides)
    if last < 2 * BLOCK or any((np.diff(column) < 0).any() for column in sides):
        yield slice(0, len(gold)), slice(0, len(predicted))
        return
    edges = np.append(np.arange(0, last + 1, BLOCK), last + 1)
    ends = [np.searchsorted(column, edges).tolist() for column in sides]
    for index in range(len(edges) - 1):
        yield slice(*ends[0][index : index + 2]), slice(*ends[1][index : index + 2])


def _align(
    gold: Spans, predicted: Spans, schemes: tuple[Scheme, ...], least: int
) -> Iterator[tuple[Scheme, Pairs]]:
    single, groups = _components(gold, predicted)
    codes = _codes(gold, predicted, single[0], single[1], least)
    met = np.flatnonzero(codes & MEET)
    met_codes, met_rows = codes[met], (single[0][met], single[1][met])
    parts: dict[Scheme, list[Pairs]] = {
        scheme: [Pairs(*met_rows, (met_codes & RIGHT[scheme]) == RIGHT[scheme])] for scheme in schemes
    }
    for golds, preds in _portions(groups):
        if golds.shape[1] * preds.shape[1] > DENSE:
            for scheme, pairs in _align_large(gold, predicted, golds[0], preds[0], schemes, least):
                parts[scheme].append(pairs)
            continue
        shape = (len(golds), golds.shape[1], preds.shape[1])
        wide = np.broadcast_to(golds[:, :, None], shape).reshape(-1)
        tall = np.broadcast_to(preds[:, None, :], shape).reshape(-1)
        patterns, which = _patterns(_codes(gold, predicted, wide, tall, least).reshape(shape))
        # patterns x schemes x gold rows: twice the predicted row each is paired with, and 1 if as COR; or -1
        answers = np.array([_answers(pattern.tobytes(), shape[1:], schemes) for pattern in patterns])
        for number, scheme in enumerate(schemes):
            answer = answers[:, number][which]
            paired = np.nonzero(answer >= 0)
            found = answer[paired]
            parts[scheme].append(Pairs(golds[paired], preds[paired[0], found >> 1], (found & 1) == 1))
    for scheme, pieces in parts.items():
        yield scheme, _joined(pieces)


def _portions(groups: Iterator[tuple[Ints, Ints]]) -> Iterator[tuple[Ints, Ints]]:
    """The same components, few enough at a time for a table of all their pairs; large ones alone."""
    for golds, preds in groups:
        step = max(1, CELLS // (golds.shape[1] * preds.shape[1]))
        if golds.shape[1] * preds.shape[1] > DENSE:
            step = 1
        for first in range(0, len(golds), step):
            yield golds[first : first + step], preds[first : first + step]


def _align_large(
    gold: Spans, predicted: Spans, golds: Ints, preds: Ints, schemes: tuple[Scheme, ...], least: int
) -> Iterator[tuple[Scheme, Pairs]]:
    """Pair one large component, by the pairs that overlap instead of a table of all.

    Every gold row has a place of its own to go to instead of a partner. Where the worths of a component
    would pass what floats hold exactly, equal labels decide no ties.
    """
    rows, columns = _meeting(gold, predicted, golds, preds)
    codes = _codes(gold, predicted, golds[rows], preds[columns], least)
    met = np.flatnonzero(codes & MEET)
    rows, columns, codes = rows[met], columns[met], codes[met]
    shape = (len(golds), len(preds))
    own = np.arange(len(golds))
    for scheme in schemes:
        right = (codes & RIGHT[scheme]) == RIGHT[scheme]
        most = 1 + min(shape)
        worth = np.where(right, most, 1)
        if most**3 * len(golds) < 2**53:
            worth = _worth(codes, scheme, most)
        table = csr_array(
            (
                np.concatenate([worth + 1, np.ones(len(golds), worth.dtype)]).astype(np.float64),
                (np.concatenate([rows, own]), np.concatenate([columns, len(preds) + own])),
            ),
            shape=(len(golds), len(preds) + len(golds)),
        )
        found, partner = min_weight_full_bipartite_matching(table, maximize=True)
        kept = partner < len(preds)
        keys = rows * len(preds) + columns
        order = np.argsort(keys)
        place = order[np.searchsorted(keys, found[kept] * len(preds) + partner[kept], sorter=order)]
        yield scheme, Pairs(golds[found[kept]], preds[partner[kept]], right[place])


def _meeting(gold: Spans, predicted: Spans, golds: Ints, preds: Ints) -> tuple[Ints, Ints]:
    """The pairs of rows of one component whose extents overlap, as places among its rows.

    Of two spans that overlap, one begins where the other is under way: what begins there are
    neighbours in the order of the text, in which both sides come.
    """
    starts = gold.start[golds], predicted.start[preds]
    ends = gold.end[golds], predicted.end[preds]
    found = []
    for one, two, side in ((0, 1, "left"), (1, 0, "right")):  # equal starts are met once
        first = np.searchsorted(starts[two], starts[one], side=side)  # type: ignore[call-overload]
        count = np.searchsorted(starts[two], ends[one], side="left") - first
        found.append((first, np.maximum(count, 0)))
    total = sum(int(count.sum()) for _, count in found)
    if total > MOST_PAIRS:
        raise ScoreError(
            f"in document number {int(gold.document[golds[0]])} (from 0), {len(golds)} gold and {len(preds)} "
            f"predicted spans overlap one another in {total} pairs; at most {MOST_PAIRS} can be aligned"
        )
    pairs = []
    for first, count in found:
        whole = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(whole)) - np.repeat(np.cumsum(count) - count, count)
        pairs.append((whole, first[whole] + within))
    return np.concatenate([pairs[0][0], pairs[1][1]]), np.concatenate([pairs[0][1], pairs[1][0]])


def _components(gold: Spans, predicted: Spans) -> tuple[tuple[Ints, Ints], Iterator[tuple[Ints, Ints]]]:
    """Rows of the components of one span of each side; then the larger ones, by their sizes.

    Larger components come as (components x gold rows, components x predicted rows), rows in the
    order of the text.
    """
    first = len(gold)
    ends = np.concatenate([gold.end, predicted.end])
    width = int(ends.max(initial=0)) + 1
    document = np.concatenate([gold.document, predicted.document])
    offset = (document - document.min(initial=0)) * width
    start = np.concatenate([gold.start, predicted.start])
    start += offset
    order = np.argsort(start, kind="stable")
    offset += ends
    reach = np.maximum.accumulate(offset[order])
    begins = np.ones(len(order), bool)
    begins[1:] = start[order][1:] >= reach[:-1]
    place = np.flatnonzero(begins)
    size = np.diff(place, append=len(order))
    two = place[size == 2]
    left, right = order[two], order[two + 1]
    apart = np.flatnonzero((left < first) != (right < first))
    left, right = left[apart], right[apart]
    single = np.minimum(left, right), np.maximum(left, right) - first  # gold rows come first
    return single, _groups(gold, predicted, order, size)


def _groups(gold: Spans, predicted: Spans, order: Ints, size: Ints) -> Iterator[tuple[Ints, Ints]]:
    """The components of more than two rows that have some of both sides.

    order: gold rows, then predicted ones behind them, component by component. size: rows of each.
    """
    more = size > 2
    if not more.any():
        return
    first = len(gold)
    rows = order[np.repeat(more, size)]
    sizes = size[more]
    of_row = np.repeat(np.arange(len(sizes)), sizes)
    golds = np.bincount(of_row[rows < first], minlength=len(sizes))
    preds = sizes - golds
    which = np.flatnonzero((golds > 0) & (preds > 0))
    if not len(which):
        return
    if len(which) < len(sizes):
        kept = ((golds > 0) & (preds > 0))[of_row]
        rows, of_row = rows[kept], of_row[kept]
    in_gold = rows < first
    in_predicted = ~in_gold
    sides = [
        _in_text_order(gold, rows[in_gold], of_row[in_gold]),
        _in_text_order(predicted, rows[in_predicted] - first, of_row[in_predicted]),
    ]
    golds, preds = golds[which], preds[which]
    first_gold, first_pred = np.cumsum(golds) - golds, np.cumsum(preds) - preds
    kinds = golds * (int(preds.max()) + 1) + preds
    for kind in np.unique(kinds):
        same = np.flatnonzero(kinds == kind)
        n, m = int(golds[same[0]]), int(preds[same[0]])
        yield (
            sides[0][first_gold[same][:, None] + np.arange(n)],
            sides[1][first_pred[same][:, None] + np.arange(m)],
        )


def _in_text_order(spans: Spans, rows: Ints, of_row: Ints) -> Ints:
    """Rows in order of their components and starts, with those of equal start put in order as well.

    of_row: the component of each.
    """
    start = spans.start[rows]
    tied = (of_row[1:] == of_row[:-1]) & (start[1:] == start[:-1])
    if not tied.any():
        return rows
    places = np.flatnonzero(np.isin(of_row, of_row[1:][tied]))
    some = rows[places]
    keys = (spans.label[some], spans.shape[some], spans.end[some], spans.start[some], of_row[places])
    rows[places] = some[np.lexsort(keys)]
    return rows


def _codes(gold: Spans, predicted: Spans, rows: Ints, columns: Ints, least: int) -> Codes:
    """For pairs of rows of one document: whether they overlap, and what they share."""
    start, end = gold.start[rows], gold.end[rows]
    other_start, other_end = predicted.start[columns], predicted.end[columns]
    common = np.minimum(end, other_end) - np.maximum(start, other_start)
    same_span = (start == other_start) & (end == other_end)
    if gold.fragments or predicted.fragments:
        shapes, other_shapes = gold.shape[rows], predicted.shape[columns]
        same_span &= shapes == other_shapes
        for index in np.flatnonzero((shapes > 0) | (other_shapes > 0)):
            common[index] = sum(
                max(0, min(b, d) - max(a, c))
                for a, b in gold.pieces(rows[index])
                for c, d in predicted.pieces(columns[index])
            )
    same_label = gold.label[rows] == predicted.label[columns]
    meet = (common >= least) | same_span
    bits = [found.view(np.uint8) for found in (meet, same_span, same_label)]
    codes: Codes = bits[0] * (MEET + bits[1] * SPAN + bits[2] * LABEL)
    return codes


def _patterns(table: Codes) -> tuple[Codes, Ints]:
    """The distinct patterns of components x n x m codes, and which one each component has."""
    flat = np.ascontiguousarray(table.reshape(len(table), -1))
    if flat.shape[1] * 3 < 63:  # a code has three bits
        keys = flat @ (1 << 3 * np.arange(flat.shape[1], dtype=np.int64))
    else:
        keys = flat.view(np.dtype((np.void, flat.shape[1]))).reshape(-1)
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return table[first], which.reshape(-1)


@lru_cache(maxsize=100_000)
def _answers(pattern: bytes, shape: tuple[int, int], schemes: tuple[Scheme, ...]) -> Ints:
    """What ``_solve`` finds under every scheme: schemes x rows."""
    return np.stack([_solve(pattern, shape, scheme) for scheme in schemes])


def _solve(pattern: bytes, shape: tuple[int, int], scheme: Scheme) -> Ints:
    """The best assignment of one component: twice the column of every row, one more if COR; or -1."""
    codes = np.frombuffer(pattern, dtype=np.uint8).reshape(shape)
    right = (codes & RIGHT[scheme]) == RIGHT[scheme]
    meet = (codes & MEET) > 0
    rows, columns = linear_sum_assignment(_worth(codes, scheme, 1 + min(shape)), maximize=True)
    found = np.full(shape[0], -1)
    kept = meet[rows, columns]
    found[rows[kept]] = 2 * columns[kept] + right[rows[kept], columns[kept]]
    return found


def _worth(codes: Codes, scheme: Scheme, most: int) -> Ints:
    """What pairs are worth: one COR outweighs any number of INC or PAR, these any number of equal labels
    of COR, these of others. most: more than there can be pairs.
    """
    right = (codes & RIGHT[scheme]) == RIGHT[scheme]
    meet = (codes & MEET) > 0
    same = (codes & LABEL) > 0
    found: Ints = ((np.where(right, most, meet) * most + (right & same)) * most + same) * meet
    return found
