"""One function per task, over documents or plain columns, each with one tidy result."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from dragoman import __version__
from dragoman.corpus import digest
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import averages, resample, tally
from dragoman.score.alignment import SCHEMES, Scheme, align
from dragoman.score.averages import Row
from dragoman.score.columns import Ints, Links, Spans
from dragoman.score.scorecard import Scorecard, score
from dragoman.score.slices import Slices
from dragoman.types import FORMAT, LAYERS, Cluster, Document, Entity, Given, Relation, text_hash


def spans(
    gold: Iterable[Document] | Spans,
    predicted: Iterable[Document] | Spans,
    *,
    schema: Schema | None = None,
    labels: Sequence[str] = (),
    documents: int | None = None,
    schemes: Sequence[Scheme] = SCHEMES,
    least: int = 1,
    seed: int = 0,
    slices: Slices | None = None,
) -> Scorecard:
    """Score spans under the schemes strict, exact, partial and type (``alignment.align``).

    gold, predicted: documents, then ``schema`` names their labels; or columns as
    ``Spans.from_arrays`` makes them, then ``labels`` names the label indices and ``documents`` is
    their number (else the highest index says it), so that documents without a span count too.
    least: how many offsets two spans must share to overlap; of columns alone.

    >>> card = spans(Spans.from_arrays([0, 0], [0, 6], [5, 9], [0, 1]),
    ...              Spans.from_arrays([0, 0], [0, 6], [5, 8], [0, 1]), labels=["GPE", "ORG"])
    >>> [(metric, card.row(metric).correct) for metric in card.metrics]
    [('entities.strict', 1), ('entities.exact', 1), ('entities.partial', 1), ('entities.type', 2)]
    """
    if isinstance(gold, Spans) and isinstance(predicted, Spans):
        return _of_columns(gold, predicted, labels, documents, schemes, least, seed)
    if isinstance(gold, Spans) or isinstance(predicted, Spans):
        raise ScoreError("one side is documents, the other columns: give both in the same form")
    metrics = tuple(f"entities.{scheme}" for scheme in schemes)
    return score(gold, predicted, _known(schema), seed=seed, metrics=metrics, slices=slices)


Columns = tuple[Spans, Links]


def relations(
    gold: Iterable[Document] | Columns,
    predicted: Iterable[Document] | Columns,
    *,
    schema: Schema | None = None,
    labels: Sequence[str] = (),
    relation_labels: Sequence[str] = (),
    symmetric: Sequence[str] = (),
    documents: int | None = None,
    given: Given = "nothing",
    seed: int = 0,
    slices: Slices | None = None,
) -> Scorecard:
    """Score relations strict and by boundaries, and end to end the entities beside them.

    gold, predicted: documents, then ``schema`` names their labels; or (spans, links) as
    ``Spans.from_arrays`` and ``Links.from_rows`` make them, then ``labels`` and ``relation_labels`` name
    the indices, and ``symmetric`` those of the latter without direction. given: what of the gold
    the extractor was shown; ``nothing`` is end to end.

    >>> spans_found = Spans.from_rows([(0, 0, 5, 0), (0, 6, 9, 0)])
    >>> sides = [(spans_found, Links.from_rows(rows, spans_found)) for rows in ([(0, 0, 1)], [(0, 1, 0)])]
    >>> card = relations(*sides, labels=["GPE"], relation_labels=["borders"], symmetric=["borders"])
    >>> card.row("relations.strict").f1
    1.0
    """
    if isinstance(gold, tuple) and isinstance(predicted, tuple) and _are_columns(gold, predicted):
        return _relations_of_columns(
            gold,
            predicted,
            labels,
            relation_labels,
            symmetric,
            documents,
            seed,
        )
    metrics = ("entities.strict", "relations.strict", "relations.boundaries")
    return score(gold, predicted, _known(schema), given=given, seed=seed, metrics=metrics, slices=slices)  # type: ignore[arg-type]


def _are_columns(*sides: tuple[object, ...]) -> bool:
    return all(len(side) == 2 and isinstance(side[0], Spans) and isinstance(side[1], Links) for side in sides)


Clustered = tuple[Spans, Links, Ints]


def facts(
    gold: Iterable[Document] | Clustered,
    predicted: Iterable[Document] | Clustered,
    *,
    schema: Schema | None = None,
    labels: Sequence[str] = (),
    relation_labels: Sequence[str] = (),
    symmetric: Sequence[str] = (),
    documents: int | None = None,
    rules: Sequence[tally.Rule] = tally.RULES,
    given: Given = "nothing",
    seed: int = 0,
    slices: Slices | None = None,
) -> Scorecard:
    """Score facts, relations between clusters, under the named rules for equal clusters.

    gold, predicted: documents, then ``schema`` names their labels; or (spans, links, clusters) with names
    as in ``relations``, and as clusters one whole number per span: equal in a document for spans that name
    the same thing, below 0 for a span of no cluster.

    >>> found = Spans.from_rows([(0, 0, 5, 0), (0, 6, 9, 0), (0, 12, 15, 0)])
    >>> clusters = np.array([1, -1, 1])
    >>> links = [Links.from_rows(rows, found) for rows in ([(0, 0, 1)], [(0, 2, 1)])]
    >>> sides = [(found, side, clusters) for side in links]
    >>> card = facts(*sides, labels=["GPE"], relation_labels=["borders"])
    >>> [card.row(metric).f1 for metric in card.metrics]
    [1.0, 1.0, 1.0]
    """
    if isinstance(gold, tuple) and isinstance(predicted, tuple) and _are_clustered(gold, predicted):
        names = labels, relation_labels, symmetric
        return _facts_of_columns(gold, predicted, names, documents, rules, seed)
    metrics = tuple(f"facts.{rule}" for rule in rules)
    return score(gold, predicted, _known(schema), given=given, seed=seed, metrics=metrics, slices=slices)  # type: ignore[arg-type]


def _are_clustered(*sides: tuple[object, ...]) -> bool:
    return all(len(side) == 3 and _are_columns(side[:2]) for side in sides)


def _facts_of_columns(
    gold: Clustered,
    predicted: Clustered,
    names: tuple[Sequence[str], Sequence[str], Sequence[str]],
    documents: int | None,
    rules: Sequence[tally.Rule],
    seed: int,
) -> Scorecard:
    labels, relation_labels, symmetric = names
    unknown = sorted(set(rules) - set(tally.RULES))
    if unknown:
        raise ScoreError(f"no rule {unknown[0]!r}; there are {', '.join(tally.RULES)}")
    count = _count_documents((gold[0], predicted[0]), labels, documents)
    _check_links((gold[:2], predicted[:2]), relation_labels, symmetric)
    sides = [_documents(side, count, labels, relation_labels) for side in (gold, predicted)]
    pairs = list(zip(*sides, strict=True))
    gold_hash, predicted_hash = map(digest, sides)
    more = (f"relations:{','.join(relation_labels)}", _directions(symmetric))
    rows: list[Row] = []
    signatures = {}
    for rule in rules:
        metric = f"facts.{rule}"
        counted = tally.count_facts(pairs, relation_labels, rule, frozenset(symmetric))
        rows += averages.rows(metric, counted, seed)
        signed = _signed(labels, more, gold_hash, len(pairs), seed)
        signatures[metric] = "|".join(("task:facts", f"match:{rule}", *signed))
    return _card(count, (gold_hash, predicted_hash), rows, signatures, seed)


def _documents(
    side: Clustered, count: int, labels: Sequence[str], relation_labels: Sequence[str]
) -> list[Document]:
    """The same as documents without text, whose ids are their numbers."""
    found, links, clusters = side
    numbers = np.asarray(clusters)
    if numbers.shape != (len(found),) or not np.issubdtype(numbers.dtype, np.integer):
        raise ScoreError(
            f"clusters: {numbers.dtype} of shape {numbers.shape}, expected a whole number per span"
        )
    entities: list[list[Entity]] = [[] for _ in range(count)]
    groups: list[dict[int, list[str]]] = [{} for _ in range(count)]
    for row, (document, label, number) in enumerate(
        zip(found.document.tolist(), found.label.tolist(), numbers.tolist(), strict=True)
    ):
        pieces = found.pieces(row)
        entity = Entity(
            id=f"T{row}",
            start=pieces[0][0],
            end=pieces[-1][1],
            label=labels[label],
            fragments=pieces if len(pieces) > 1 else (),
        )
        entities[document].append(entity)
        if number >= 0:
            groups[document].setdefault(number, []).append(entity.id)
    stated: list[list[Relation]] = [[] for _ in range(count)]
    for row, (document, label, source, target) in enumerate(
        zip(
            *(column.tolist() for column in (links.document, links.label, links.source, links.target)),
            strict=True,
        )
    ):
        relation = Relation(
            id=f"R{row}", label=relation_labels[label], source=f"T{source}", target=f"T{target}"
        )
        stated[document].append(relation)
    return [
        Document(
            format=FORMAT,
            schema="-/1",
            id=str(number),
            text=None,
            sha256=text_hash(""),
            layers=LAYERS,
            entities=tuple(entities[number]),
            relations=tuple(stated[number]),
            clusters=tuple(
                Cluster(id=f"C{place}", members=tuple(members))
                for place, members in groups[number].items()
                if len(members) > 1  # one of its own is what a span without a cluster is
            ),
        )
        for number in range(count)
    ]


def _known(schema: Schema | None) -> Schema:
    if schema is None:
        raise ScoreError("documents are scored by a schema: name it with schema=")
    return schema


def _count_documents(sides: tuple[Spans, Spans], labels: Sequence[str], documents: int | None) -> int:
    """How many documents the columns are of; ScoreError where they or the labels can't be."""
    _refuse_labels(labels)
    count = 1 + max(int(side.document.max(initial=-1)) for side in sides)
    if documents is not None and documents < count:
        raise ScoreError(f"a span stands in document {count - 1}, but there are only {documents} documents")
    if documents is None and count > 1_000_000 + 100 * sum(map(len, sides)):
        raise ScoreError(
            f"the highest document is {count - 1}, far beyond the number of spans: number documents "
            "from 0, or say with documents= how many there are"
        )
    count = count if documents is None else documents
    if not count:
        raise ScoreError("there is no document: give spans, or the number of documents")
    highest = max(int(side.label.max(initial=-1)) for side in sides)
    if highest >= len(labels):
        raise ScoreError(f"a span has the label {highest}, but {len(labels)} labels are named")
    return count


def _of_columns(
    gold: Spans,
    predicted: Spans,
    labels: Sequence[str],
    documents: int | None,
    schemes: Sequence[Scheme],
    least: int,
    seed: int,
) -> Scorecard:
    count = _count_documents((gold, predicted), labels, documents)
    unknown = [scheme for scheme in schemes if scheme not in SCHEMES]
    if unknown or least < 1:
        raise ScoreError(
            f"schemes {', '.join(schemes)} with least {least}: expected some of "
            f"{', '.join(SCHEMES)}, and 1 or more shared offsets"
        )
    names = tuple(map(str, range(count)))
    groups = tally.Sorted(tuple(labels), gold.label, predicted.label)
    ranked = [msgspec.structs.replace(side, label=_ranks(labels)[side.label]) for side in (gold, predicted)]
    found = tally.Sides(names, gold, predicted, align(ranked[0], ranked[1], schemes, least=least))
    rows: list[Row] = []
    hashes = [_digest(side, labels) for side in (gold, predicted)]
    signatures = {}
    for scheme, counted in tally.count_schemes(found, schemes, groups):
        metric = f"entities.{scheme}"
        rows += averages.rows(metric, counted, seed)
        signatures[metric] = "|".join(
            (
                "task:entities",
                f"match:{scheme}",
                f"overlap:{least} or more",
                *_signed(labels, (), hashes[0], count, seed),
            )
        )
    return _card(count, (hashes[0], hashes[1]), rows, signatures, seed)


def _card(
    documents: int, hashes: tuple[str, str], rows: Sequence[Row], signatures: dict[str, str], seed: int
) -> Scorecard:
    """A scorecard of columns. hashes: of the gold and of the predictions."""
    return Scorecard(
        given="nothing",
        documents=tuple(map(str, range(documents))),
        schema="-",
        gold_sha256=hashes[0],
        predicted_sha256=hashes[1],
        version=__version__,
        seed=seed,
        note=resample.TOO_FEW if documents < resample.LEAST_DOCUMENTS else None,
        signatures=signatures,
        rows=tuple(rows),
        confusion={},
    )


def _signed(
    labels: Sequence[str], more: Sequence[str], gold: str, documents: int, seed: int
) -> Iterator[str]:
    """What the signature of columns says of every task; more: what it says of one, behind the labels."""
    yield f"average:{', '.join(averages.AVERAGES)} over labels with gold"
    yield f"labels:{','.join(labels)}"
    yield from more
    yield f"gold:columns@{gold[:12]}"
    yield f"documents:{documents}"
    yield f"bootstrap:{resample.described(documents, seed)}"
    yield f"dragoman:{__version__}"


def _refuse_labels(labels: Sequence[str]) -> None:
    """Raise ScoreError for names that are none, stand twice, or name an average."""
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        raise ScoreError(f"labels: found {labels!r}, expected a list of names")
    if len(set(labels)) < len(labels):
        raise ScoreError("labels: a name stands twice")
    taken = sorted(set(labels) & set(averages.AVERAGES))
    if taken:
        raise ScoreError(f"labels: {taken[0]!r} is the name of an average; rename the label")


def _ranks(labels: Sequence[str]) -> Ints:
    """The place of each label among the sorted names: what breaks ties, whatever the labels' order."""
    ranks = np.empty(len(labels), np.int64)
    ranks[np.argsort(np.array(labels, dtype=object))] = np.arange(len(labels))
    return ranks


def _check_links(
    sides: tuple[Columns, Columns], relation_labels: Sequence[str], symmetric: Sequence[str]
) -> None:
    """Raise ScoreError for relations beyond the spans, or labels that are not named."""
    _refuse_labels(relation_labels)
    for spans_side, links_side in sides:
        if max(int(links_side.source.max(initial=-1)), int(links_side.target.max(initial=-1))) >= len(
            spans_side
        ):
            raise ScoreError("a relation points beyond the spans: make Links from the same Spans")
    highest = max(int(side[1].label.max(initial=-1)) for side in sides)
    if highest >= len(relation_labels):
        raise ScoreError(f"a relation has the label {highest}, but {len(relation_labels)} labels are named")
    unknown = sorted(set(symmetric) - set(relation_labels))
    if unknown:
        raise ScoreError(f"symmetric names {unknown[0]!r}, which is none of {', '.join(relation_labels)}")


def _directions(symmetric: Sequence[str]) -> str:
    """What a signature says of relations without direction."""
    return f"symmetric:{','.join(sorted(symmetric)) or 'none'}"


def _relations_of_columns(
    gold: Columns,
    predicted: Columns,
    labels: Sequence[str],
    relation_labels: Sequence[str],
    symmetric: Sequence[str],
    documents: int | None,
    seed: int,
) -> Scorecard:
    card = _of_columns(gold[0], predicted[0], labels, documents, ("strict",), 1, seed)
    _check_links((gold, predicted), relation_labels, symmetric)
    sides = tally.Sides(card.documents, gold[0], predicted[0])
    groups = tally.Sorted(tuple(relation_labels), gold[1].label, predicted[1].label)
    free = frozenset(relation_labels.index(name) for name in symmetric)
    rows, signatures = list(card.rows), dict(card.signatures)
    hashed = hashlib.sha256(card.gold_sha256.encode())
    for column in (gold[1].label, gold[1].source, gold[1].target):
        hashed.update(column.astype("<i8").tobytes())
    for match in ("strict", "boundaries"):
        metric = f"relations.{match}"
        counted = tally.count_links(sides, (gold[1], predicted[1]), groups, free, types=match == "strict")
        rows += averages.rows(metric, counted, seed)
        signatures[metric] = "|".join(
            (
                "task:relations",
                f"match:{match}",
                *_signed(
                    relation_labels, (_directions(symmetric),), hashed.hexdigest(), len(card.documents), seed
                ),
            )
        )
    return msgspec.structs.replace(card, rows=tuple(rows), signatures=signatures)


def _digest(side: Spans, labels: Sequence[str]) -> str:
    columns = (side.document, side.start, side.end, side.label)
    order = np.lexsort(tuple(reversed(columns)))
    hashed = hashlib.sha256("\n".join(labels).encode())
    for column in columns:
        hashed.update(column[order].astype("<i8").tobytes())
    return hashed.hexdigest()
