"""Coreference: MUC, B3, CEAFe, LEA and the CoNLL average, by exact fractions over documents.

Definitions: MUC (Vilain et al. 1995), B3 (Bagga and Baldwin 1998), CEAFe with phi4 (Luo 2005),
LEA (Moosavi and Strube 2016), the average of MUC, B3 and CEAFe (CoNLL-2012). Numerators and
denominators are added over documents before any rate is taken, as the CoNLL scorer does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from fractions import Fraction

import msgspec
import numpy as np
from scipy.optimize import linear_sum_assignment

from dragoman import __version__
from dragoman.corpus import digest
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score.counts import harmonic
from dragoman.score.matching import cluster_spans
from dragoman.score.scorecard import pair_documents
from dragoman.types import Document

Group = frozenset[Hashable]


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Precision, recall and F1 of one metric, 0 to 1; None where undefined (0/0)."""

    precision: float | None
    recall: float | None

    @property
    def f1(self) -> float | None:
        """Harmonic mean; None if neither side is defined, an undefined side else counts as 0."""
        if self.precision is None and self.recall is None:
            return None
        return harmonic(self.precision or 0.0, self.recall or 0.0)


class Coreference(msgspec.Struct, frozen=True, kw_only=True):
    """The four metrics; ``conll`` is the mean F1 of MUC, B3 and CEAFe, None if one is undefined.

    signature: what reproduces the numbers, in one line.
    """

    muc: Rates
    b3: Rates
    ceafe: Rates
    lea: Rates
    signature: str = ""

    @property
    def conll(self) -> float | None:
        """The CoNLL-2012 average."""
        found = [rates.f1 for rates in (self.muc, self.b3, self.ceafe)]
        defined = [value for value in found if value is not None]
        return sum(defined) / 3 if len(defined) == 3 else None


Plain = Sequence[Iterable[Iterable[Hashable]]]


def coreference(
    gold: Iterable[Document] | Plain,
    predicted: Iterable[Document] | Plain,
    schema: Schema | None = None,
    *,
    singletons: bool = True,
) -> Coreference:
    """Score predicted clusters against gold ones.

    gold, predicted: documents, paired by id, whose mentions are equal where span and label are, then with
    their ``schema``; or plain clusters: per document, in the same order on both sides, its clusters, each
    a collection of mentions that can be hashed. singletons: whether a cluster of one counts, and a mention
    without a cluster as one (CoNLL-2012 has none; leave them out to compare with it).

    Gold documents that do not list clusters as annotated are left out. Raises ScoreError if the articles
    differ, or one mention stands in two clusters.

    >>> round(coreference([[["a", "b", "c"], ["d", "e"]]], [[["a", "b"], ["c", "d", "e"]]]).conll, 4)
    0.7333
    """
    sides = list(gold), list(predicted)
    if not any(isinstance(one, Document) for side in sides for one in side):
        pairs = _plain(sides[0], sides[1], singletons)  # type: ignore[arg-type]
        named = hashlib.sha256(repr([sorted(map(_mentions, one)) for one, _ in pairs]).encode()).hexdigest()
        name = "clusters"
    else:
        if schema is None:
            raise ScoreError("documents are scored by a schema: name it with schema=")
        kept = [
            (one, two)
            for one, two in pair_documents(sides[0], sides[1], schema, "nothing")  # type: ignore[arg-type]
            if "clusters" in one.layers
        ]
        pairs = [(clusters_of(one, singletons), clusters_of(two, singletons)) for one, two in kept]
        named, name = digest([one for one, _ in kept]), schema.reference
    found = score_groups(pairs)
    signature = (
        f"task:coreference|singletons:{'yes' if singletons else 'no'}|schema:{name}|gold:{named[:12]}"
        f"|documents:{len(pairs)}|dragoman:{__version__}"
    )
    return msgspec.structs.replace(found, signature=signature)


def _mentions(group: Group) -> list[str]:
    return sorted(map(repr, group))


def _plain(
    gold: Plain, predicted: Plain, singletons: bool
) -> list[tuple[tuple[Group, ...], tuple[Group, ...]]]:
    if len(gold) != len(predicted):
        raise ScoreError(f"clusters of {len(gold)} gold and {len(predicted)} predicted documents")
    sides = []
    for name, side in (("gold", gold), ("predicted", predicted)):
        found = []
        for number, clusters in enumerate(side):
            groups = [frozenset(cluster) for cluster in clusters]
            if sum(map(len, groups)) > len(frozenset().union(*groups)) or not all(groups):
                raise ScoreError(
                    f"{name} document {number}: a mention stands in two clusters, or one is empty"
                )
            found.append(tuple(group for group in groups if singletons or len(group) > 1))
        sides.append(found)
    return list(zip(*sides, strict=True))


def clusters_of(document: Document, singletons: bool) -> tuple[Group, ...]:
    """The document's clusters as sets of mentions (span and label); those of one only if wanted."""
    groups = sorted(cluster_spans(document), key=repr)
    if sum(map(len, groups)) > len(set().union(*groups)):
        raise ScoreError(f"{document.id}: one span with one label stands in two clusters, which has no score")
    return tuple(group for group in groups if singletons or len(group) > 1)


def score_groups(pairs: Iterable[tuple[Sequence[Group], Sequence[Group]]]) -> Coreference:
    """Score (gold, predicted) clusters of documents, given as sets of mentions.

    >>> def groups(*texts): return [frozenset(text) for text in texts]
    >>> found = score_groups([(groups("abc", "de"), groups("ab", "cde"))])
    >>> [round(rates.f1, 4) for rates in (found.muc, found.b3, found.ceafe, found.lea)]
    [0.6667, 0.7333, 0.8, 0.6]
    """
    kept = [(tuple(gold), tuple(predicted)) for gold, predicted in pairs]
    return Coreference(
        muc=_both_ways(kept, _muc), b3=_both_ways(kept, _b3), ceafe=_ceafe(kept), lea=_both_ways(kept, _lea)
    )


Part = tuple[Fraction, int]
Pairs = Sequence[tuple[tuple[Group, ...], tuple[Group, ...]]]


def _both_ways(pairs: Pairs, part: Callable[[tuple[Group, ...], tuple[Group, ...]], Part]) -> Rates:
    return Rates(
        precision=_rate(part(predicted, gold) for gold, predicted in pairs),
        recall=_rate(part(gold, predicted) for gold, predicted in pairs),
    )


def _rate(parts: Iterable[Part]) -> float | None:
    above, below = Fraction(0), 0
    for numerator, denominator in parts:
        above, below = above + numerator, below + denominator
    return float(above / below) if below else None


def _owner(groups: Iterable[Group]) -> dict[Hashable, Group]:
    return {mention: group for group in groups for mention in group}


def _muc(keys: tuple[Group, ...], answers: tuple[Group, ...]) -> Part:
    """Links of the keys that the answers keep, and all their links."""
    owner = _owner(answers)
    kept = total = 0
    for key in keys:
        pieces = {owner.get(mention, frozenset([mention, "alone"])) for mention in key}
        kept += len(key) - len(pieces)
        total += len(key) - 1
    return Fraction(kept), total


def _b3(keys: tuple[Group, ...], answers: tuple[Group, ...]) -> Part:
    """For every mention the share of its key that its answer holds, and the number of mentions."""
    owner = _owner(answers)
    total = Fraction(0)
    for key in keys:
        for mention in key:
            total += Fraction(len(key & owner.get(mention, frozenset())), len(key))
    return total, sum(map(len, keys))


def _lea(keys: tuple[Group, ...], answers: tuple[Group, ...]) -> Part:
    """For every key its size times the share of its links that the answers keep, and the sizes."""
    owner = _owner(answers)
    total = Fraction(0)
    for key in keys:
        if len(key) == 1:
            total += int(owner.get(next(iter(key))) == key)
            continue
        kept = sum(_links(len(key & answer)) for answer in answers)
        total += Fraction(len(key) * kept, _links(len(key)))
    return total, sum(map(len, keys))


def _links(size: int) -> int:
    return size * (size - 1) // 2


def _ceafe(pairs: Pairs) -> Rates:
    """Similarity phi4 of the best one-to-one alignment of clusters, over the clusters of a side."""
    similar: list[Fraction] = []
    for gold, predicted in pairs:
        if gold and predicted:
            phi4 = np.array([[2 * len(g & p) / (len(g) + len(p)) for p in predicted] for g in gold])
            rows, columns = linear_sum_assignment(phi4, maximize=True)
            similar += [
                Fraction(2 * len(gold[r] & predicted[c]), len(gold[r]) + len(predicted[c]))
                for r, c in zip(rows, columns, strict=True)
            ]
    total = sum(similar, Fraction(0))
    return Rates(
        precision=_rate([(total, sum(len(predicted) for _, predicted in pairs))]),
        recall=_rate([(total, sum(len(gold) for gold, _ in pairs))]),
    )
