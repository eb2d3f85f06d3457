"""From mentions and clusters to facts: what an article states, each once, in names and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from dragoman.types import Document, Entity


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a fact.

    name: a surface of its cluster's mentions: the commonest where the cluster carries a value
    of its own, else the longest, and the first of equal ones.
    value: the cluster's or the mention's normalised value (a country code, a date), or None.
    """

    name: str
    label: str
    value: str | None


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A relation between two entities of one article.

    score: the highest of the relations that state it; None in gold. stated: for each of them
    where its two ends stand, from the start of the first to the end of the second.
    """

    article: str
    date: str | None
    relation: str
    source: Argument
    target: Argument
    score: float | None
    stated: tuple[tuple[int, int], ...]


def facts(document: Document) -> tuple[Fact, ...]:
    """The document's facts in order of the text; a fact stated several times stands once.

    Arguments are clusters; a mention without one stands for itself. Raises KeyError for a
    relation or cluster that names no entity (``validate`` finds those).
    """
    entities = document.by_id()
    clusters = document.cluster_of()
    values = {member: cluster.value for cluster in document.clusters for member in cluster.members}
    found: dict[tuple[str, frozenset[str], frozenset[str]], Fact] = {}
    for relation in document.ordered().relations:
        source, target = entities[relation.source], entities[relation.target]
        key = (relation.label, clusters[relation.source], clusters[relation.target])
        place = (min(source.start, target.start), max(source.end, target.end))
        known = found.get(key)
        if known is not None:
            scores = [score for score in (known.score, relation.score) if score is not None]
            found[key] = msgspec.structs.replace(
                known, score=max(scores, default=None), stated=(*known.stated, place)
            )
            continue
        ends = [
            _argument([entities[member] for member in members], values.get(end.id), end.value)
            for members, end in ((key[1], source), (key[2], target))
        ]
        found[key] = Fact(
            article=document.id,
            date=document.date,
            relation=relation.label,
            source=ends[0],
            target=ends[1],
            score=relation.score,
            stated=(place,),
        )
    return tuple(found.values())


def _argument(mentions: Sequence[Entity], of_cluster: str | None, of_mention: str | None) -> Argument:
    counts = Counter(mention.surface for mention in mentions)

    def order(mention: Entity) -> tuple[int, int, int]:
        rank = counts[mention.surface] if of_cluster else len(mention.surface or "")
        return -rank, mention.start, mention.end

    best = min(mentions, key=order)
    name = best.surface or f"[{best.start}, {best.end})"
    return Argument(name=name, label=best.label, value=of_cluster or of_mention)


def sentence(fact: Fact) -> str:
    """A fact as one readable line.

    >>> end = Argument(name="Freedonia", label="GPE", value="XF")
    >>> pact = Argument(name="Lakeside Accord", label="AGREEMENT", value=None)
    >>> sentence(Fact(article="a", date=None, relation="party_to", source=end, target=pact,
    ...     score=0.5, stated=((0, 40),)))
    'Freedonia (XF)  party_to  Lakeside Accord  0.50'
    """
    ends = [f"{end.name} ({end.value})" if end.value else end.name for end in (fact.source, fact.target)]
    score = "" if fact.score is None else f"  {fact.score:.2f}"
    return f"{ends[0]}  {fact.relation}  {ends[1]}{score}"
