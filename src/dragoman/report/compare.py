"""Gold and predicted annotations of one article side by side, each with its verdict."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import Literal, get_args

import msgspec

from dragoman.schema import Schema
from dragoman.score import matching
from dragoman.score.counts import Counts
from dragoman.types import Document, Entity

Verdict = Literal["right", "type", "boundary", "both", "missed", "spurious", "unscored"]
Kind = Literal["entities", "relations"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WRONG: frozenset[Verdict] = frozenset({"type", "boundary", "both", "missed", "spurious"})

VERDICT_WORDS: Mapping[Verdict, str] = {
    "right": "right",
    "type": "wrong type",
    "boundary": "wrong boundary",
    "both": "wrong type and boundary",
    "missed": "missed",
    "spurious": "spurious",
    "unscored": "not scored",
}


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A span of one side. detail: its verdict in words, with what the other side says."""

    label: str
    spans: tuple[tuple[int, int], ...]
    surface: str
    verdict: Verdict
    detail: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A relation of one side. source, target: places of its arguments among the marks."""

    label: str
    source: int
    target: int
    verdict: Verdict
    detail: str


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was annotated on one side, spans in the order of the text."""

    marks: tuple[Mark, ...]
    links: tuple[Link, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of one article. scored: which kinds of annotation the gold has."""

    gold: Side
    predicted: Side
    scored: frozenset[Kind]

    def fared(self, kind: Kind) -> Counter[Verdict]:
        """How many of each verdict; a gold and a predicted span that only overlap count once."""
        golds, preds = self._verdicts(kind)
        return Counter(golds) + Counter(v for v in preds if v in ("spurious", "unscored"))

    def f1(self, kind: Kind) -> float | None:
        """Strict F1 of this article; None where it is undefined."""
        if kind not in self.scored:
            return None
        golds, preds = self._verdicts(kind)
        right = golds.count("right")
        counts = Counts(gold=len(golds), predicted=len(preds), gold_correct=right, predicted_correct=right)
        return counts.f1

    @property
    def errors(self) -> int:
        """The number of wrong spans and wrong relations."""
        return sum(self.fared(kind)[verdict] for kind in KINDS for verdict in WRONG)

    def _verdicts(self, kind: Kind) -> tuple[list[Verdict], list[Verdict]]:
        golds, preds = (
            [item.verdict for item in (side.marks if kind == "entities" else side.links)]
            for side in (self.gold, self.predicted)
        )
        return golds, preds


def compare(gold: Document, predicted: Document, schema: Schema) -> Comparison:
    """Give every span and relation of one article its verdict.

    A layer that the gold does not list as annotated is not scored. Pairs are those of
    ``matching.pair_spans`` under ``strict``; relations compare as in ``relations.strict``.
    """
    one, two = (msgspec.structs.replace(d.ordered(), text=gold.text) for d in (gold, predicted))
    scored = frozenset(kind for kind in KINDS if kind in gold.layers)
    golds, preds = _marks(one, two, scored="entities" in scored)
    links = _links((one, two), (golds, preds), schema, scored="relations" in scored)
    return Comparison(
        gold=Side(marks=golds, links=links[0]),
        predicted=Side(marks=preds, links=links[1]),
        scored=scored,
    )


def _marks(gold: Document, predicted: Document, *, scored: bool) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    verdicts: tuple[dict[int, tuple[Verdict, str]], ...] = ({}, {})
    texts = [gold.text, predicted.text]
    if scored:
        pairing = matching.pair_spans(gold.entities, predicted.entities, "strict")
        for g, p in pairing.correct:
            verdicts[0][g] = verdicts[1][p] = ("right", "right")
        for g, p in pairing.other:
            one, two = gold.entities[g], predicted.entities[p]
            verdict = _difference(one, two)
            words = VERDICT_WORDS[verdict]
            verdicts[0][g] = (verdict, f"{words}, predicted is {_named(two, texts[1])}")
            verdicts[1][p] = (verdict, f"{words}, gold is {_named(one, texts[0])}")
        verdicts[0].update(dict.fromkeys(pairing.missed, ("missed", "missed")))
        verdicts[1].update(dict.fromkeys(pairing.spurious, ("spurious", "spurious, not in the gold")))
    golds, preds = (
        tuple(
            _mark(entity, text, *found.get(index, ("unscored", "not scored")))
            for index, entity in enumerate(document.entities)
        )
        for document, text, found in zip((gold, predicted), texts, verdicts, strict=True)
    )
    return golds, preds


def _mark(entity: Entity, text: str | None, verdict: Verdict, detail: str) -> Mark:
    return Mark(
        label=entity.label,
        spans=entity.spans,
        surface=_surface(entity, text),
        verdict=verdict,
        detail=detail,
    )


def _surface(entity: Entity, text: str | None) -> str:
    return f"characters {entity.start} to {entity.end}" if text is None else entity.cut(text)


def _named(entity: Entity, text: str | None) -> str:
    return f"{entity.label} “{_surface(entity, text)}”"


def _difference(gold: Entity, predicted: Entity) -> Verdict:
    if gold.spans == predicted.spans:
        return "type"
    return "boundary" if gold.label == predicted.label else "both"


def _links(
    documents: tuple[Document, Document],
    marks: tuple[tuple[Mark, ...], tuple[Mark, ...]],
    schema: Schema,
    *,
    scored: bool,
) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
    keys = [
        [key for _, key in matching.relation_keys(document, types=True, symmetric=schema.symmetric)]
        for document in documents
    ]
    sides: list[tuple[Link, ...]] = []
    for own in (0, 1):
        hits = matching.shared(*([key for key in side if key] for side in keys))
        between = _between(keys[1 - own])
        place = {entity.id: index for index, entity in enumerate(documents[own].entities)}
        found = []
        for relation, key in zip(documents[own].relations, keys[own], strict=True):
            source, target = place[relation.source], place[relation.target]
            verdict: Verdict = "spurious" if own else "missed"
            if key is None:
                continue  # the other direction of a symmetric relation stands already
            if not scored:
                verdict, detail = "unscored", "not scored"
            elif hits[key] > 0:
                hits[key] -= 1
                verdict, detail = "right", "right"
            else:
                ends = (marks[own][source], marks[own][target])
                detail = _reason(key, ends, between, predicted=bool(own))
            found.append(
                Link(label=relation.label, source=source, target=target, verdict=verdict, detail=detail)
            )
        sides.append(tuple(found))
    return sides[0], sides[1]


def _between(keys: Sequence[matching.Key | None]) -> dict[Hashable, list[str]]:
    """The relation labels between two arguments, whatever their direction."""
    found: dict[Hashable, list[str]] = defaultdict(list)
    for label, *ends in filter(None, keys):
        found[frozenset(ends)].append(str(label))
    return found


def _reason(
    key: matching.Key, ends: tuple[Mark, Mark], between: Mapping[Hashable, list[str]], *, predicted: bool
) -> str:
    """Why a relation has no partner, most basic reason first."""
    wrong = [end.surface for end in ends if end.verdict in WRONG]
    if wrong:
        what = "is no exact gold span" if predicted else "was not found exactly"
        return f"“{wrong[0]}” {what}"
    others = list(dict.fromkeys(between.get(frozenset(key[1:]), [])))
    if key[0] in others:
        return "already counted, or in the wrong direction"
    if others:
        return f"{'gold is' if predicted else 'predicted is'} {' and '.join(others)}"
    return "not in the gold" if predicted else "not predicted"
