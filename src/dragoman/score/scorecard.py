"""From gold and predicted documents to a scorecard that says how to reproduce it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from dragoman import __version__
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import averages, matching, resample, tally
from dragoman.score.averages import ALL, Row
from dragoman.score.slices import Slices
from dragoman.types import GIVEN, Document, Given, text_hash

GIVEN_MEANING: Mapping[Given, str] = {
    "nothing": "end to end",
    "mentions": "gold mentions given",
    "clusters": "gold mentions and clusters given",
}


class Scorecard(msgspec.Struct, frozen=True, kw_only=True):
    """All scores of one set of predictions, with what reproduces them.

    given: what of the gold the extractor was shown (see GIVEN_MEANING).
    gold_sha256, predicted_sha256: of the annotations (``columns.digest``).
    signatures: one per metric. note: why there are no intervals, or None.
    confusion: predicted label by gold label over spans that coincide; ``-`` stands for
    missed or spurious. conversion: how many things of each kind a reader of a foreign format had
    to skip or change; empty where none was needed.
    """

    given: str
    documents: tuple[str, ...]
    schema: str
    gold_sha256: str
    predicted_sha256: str
    version: str
    seed: int
    note: str | None
    signatures: dict[str, str]
    rows: tuple[Row, ...]
    confusion: dict[str, dict[str, int]]
    conversion: dict[str, int] = {}

    def row(self, metric: str, label: str = "micro", part: str = ALL) -> Row:
        """One line; ScoreError if there is none. part: ``all``, or a slice as ``name=value``."""
        for row in self.rows:
            if (row.metric, row.label, row.slice) == (metric, label, part):
                return row
        known = ", ".join(dict.fromkeys(row.metric for row in self.rows))
        raise ScoreError(f"no row {label} of {metric} in slice {part}; the metrics are {known}")

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics in order."""
        return tuple(self.signatures)


def score(
    gold: Iterable[Document],
    predicted: Iterable[Document],
    schema: Schema,
    *,
    given: Given = "nothing",
    seed: int = 0,
    gold_version: str | None = None,
    metrics: Sequence[str] = tally.METRICS,
    slices: Slices | None = None,
    settings: Mapping[str, str] = {},
) -> Scorecard:
    """Score predicted documents against gold ones.

    gold, predicted: the same articles, paired by id; order never matters.
    given: what of the gold the extractor was shown; ``mentions`` and ``clusters`` demand
    predictions with the gold entities, and then entities are not scored.
    seed: of the bootstrap over documents. gold_version: of the corpus, for the signature.
    metrics: which of ``tally.METRICS``. slices: parts of the data to score apart as well.
    settings: what else decides the figures, such as how tags were read; for the signatures.

    Layers that a gold document does not list as annotated are left out, not counted wrong.
    Raises ScoreError if the articles differ, a text differs, or an annotation can't be scored.
    """
    pairs = pair_documents(gold, predicted, schema, given)
    _refuse_unknown(metrics)
    material = tally.Material(pairs, schema)
    gold_hash, predicted_hash = material.digests()
    gold_name = f"{gold_version or '-'}@{gold_hash[:12]}"
    rows: list[Row] = []
    signatures: dict[str, str] = {}
    without: list[str] = []
    for metric, counted in tally.count_documents(material, given, metrics):
        rows += averages.rows(metric, counted, seed)
        if len(counted.documents) < resample.LEAST_DOCUMENTS:
            without.append(metric)
        signatures[metric] = _signature(metric, counted, schema, given, gold_name, seed, settings)
    if slices is not None:
        rows += slices.rows(material, given, tuple(signatures), seed)
    if not signatures:
        raise ScoreError("no gold document lists a layer that can be scored; see its key `layers`")
    return Scorecard(
        given=given,
        documents=tuple([document.id for document, _ in pairs]),
        schema=schema.reference,
        gold_sha256=gold_hash,
        predicted_sha256=predicted_hash,
        version=__version__,
        seed=seed,
        note=_note(without, signatures),
        signatures=signatures,
        rows=tuple(rows),
        confusion=tally.confusion(material) if "entities.exact" in signatures else {},
    )


def same_entities(gold: Iterable[Document], predicted: Iterable[Document]) -> bool:
    """Whether the predicted entities are just the gold ones while some relation is another."""
    sides = [{document.id: document for document in side} for side in (gold, predicted)]
    if sides[0].keys() != sides[1].keys() or not any(document.entities for document in sides[0].values()):
        return False
    others = False
    for name, one in sides[0].items():
        two = sides[1][name]
        if Counter((e.spans, e.label) for e in one.entities) != Counter(
            (e.spans, e.label) for e in two.entities
        ):
            return False
        others = others or _stated(one) != _stated(two)
    return others


def _stated(document: Document) -> Counter[object]:
    spans = {entity.id: (entity.spans, entity.label) for entity in document.entities}
    return Counter((r.label, spans.get(r.source), spans.get(r.target)) for r in document.relations)


def as_if_given(card: Scorecard) -> bool:
    """Whether the predicted entities are the gold ones without one mistake while relations have some."""
    rows = {row.metric: row for row in card.rows if row.label == "micro" and row.slice == ALL}
    entities, relations = rows.get("entities.strict"), rows.get("relations.strict")
    if entities is None or relations is None or not entities.gold:
        return False
    return entities.correct == entities.gold == entities.predicted and relations.f1 not in (None, 1.0)


def _note(without: Sequence[str], metrics: Iterable[str]) -> str | None:
    if not without:
        return None
    everywhere = set(without) == set(metrics)
    return resample.TOO_FEW if everywhere else f"{', '.join(without)}: {resample.TOO_FEW}"


def _signature(
    metric: str,
    counted: tally.Counted,
    schema: Schema,
    given: Given,
    gold_name: str,
    seed: int,
    settings: Mapping[str, str],
) -> str:
    task, _, match = metric.partition(".")
    return "|".join(
        (
            f"task:{task}",
            f"match:{match}",
            f"average:{', '.join(averages.AVERAGES)} over labels with gold",
            f"given:{given}",
            f"schema:{schema.reference}",
            f"gold:{gold_name}",
            f"documents:{len(counted.documents)}",
            f"bootstrap:{resample.described(len(counted.documents), seed)}",
            *(f"{name}:{value}" for name, value in settings.items()),
            f"dragoman:{__version__}",
        )
    )


def pair_documents(
    gold: Iterable[Document], predicted: Iterable[Document], schema: Schema, given: Given
) -> list[tuple[Document, Document]]:
    """Pair documents by id, in order of it, and refuse what cannot be compared (ScoreError)."""
    sides = list(gold), list(predicted)
    ids = [[document.id for document in side] for side in sides]
    for name, own in zip(("gold", "predicted"), ids, strict=True):
        if len(set(own)) < len(own):
            twice = Counter(own).most_common(1)[0][0]
            raise ScoreError(f"the {name} side has two documents with the id {twice}")
    if given not in GIVEN:
        raise ScoreError(f"given is {given!r}, expected one of {', '.join(GIVEN)}")
    if not any(ids):
        raise ScoreError("neither side has a document")
    order = sorted(ids[0])
    if not order == ids[0] == ids[1]:
        _refuse_others(set(ids[0]), set(ids[1]))
        by_id = [{document.id: document for document in side} for side in sides]
        sides = [by_id[0][name] for name in order], [by_id[1][name] for name in order]
    pairs = list(zip(*sides, strict=True))
    reference = schema.reference
    hashes = [[document.sha256 for document in side] for side in sides]
    if hashes[0] != hashes[1] or {d.schema for side in sides for d in side} != {reference}:
        raise _incomparable(*pairs, reference=reference)
    if given != "nothing":
        for one, two in pairs:
            _check_given(one, two, given)
    for side in sides:
        for document in [d for d in side if d.text is not None or d.relations or d.clusters]:
            if document.text is not None:
                _check_text(document, document.text)
            _check_links(document, schema)  # other labels are checked as spans become columns
    return pairs


def _refuse_others(golds: set[str], preds: set[str]) -> None:
    """Raise ScoreError unless both sides hold the same articles."""
    if golds == preds:
        return
    raise ScoreError(
        "the two sides hold different articles: "
        + "; ".join(
            f"{len(ids)} only in {name} ({', '.join(ids[:3])}{', ...' if len(ids) > 3 else ''})"
            for name, ids in (("gold", sorted(golds - preds)), ("predicted", sorted(preds - golds)))
            if ids
        )
        + ". Extract exactly the gold articles."
    )


def _incomparable(*pairs: tuple[Document, Document], reference: str) -> ScoreError:
    """What is wrong with the first pair that is of two texts or of another schema."""
    one, two = next(
        pair
        for pair in pairs
        if pair[0].sha256 != pair[1].sha256 or {pair[0].schema, pair[1].schema} != {reference}
    )
    if one.sha256 != two.sha256:
        return ScoreError(f"{one.id}: gold and prediction are of different texts{_apart(one, two)}.")
    if one.schema == two.schema:
        return ScoreError(f"{one.id}: annotated by {one.schema}, the schema here is {reference}.")
    return ScoreError(f"{one.id}: gold is annotated by {one.schema}, the prediction by {two.schema}.")


def _apart(one: Document, two: Document) -> str:
    """Where two texts begin to differ, as far as both are there; else what to do."""
    if one.text is None or two.text is None:
        return " (their SHA-256 differ). Extract the gold's text"
    same = next(
        (place for place, (a, b) in enumerate(zip(one.text, two.text, strict=False)) if a != b),
        min(len(one.text), len(two.text)),
    )
    shown = [repr(side.text[same : same + 20]) for side in (one, two) if side.text is not None]
    return (
        f": from character {same} on one has {shown[0]} and the other {shown[1]}. Predict on the gold's text"
    )


def _check_given(one: Document, two: Document, given: Given) -> None:
    shown = [sorted((e.spans, e.label) for e in document.entities) for document in (one, two)]
    if shown[0] != shown[1]:
        raise ScoreError(
            f"{one.id}: {GIVEN_MEANING[given]}, but the predicted entities are not the gold ones."
        )
    if given == "clusters" and matching.cluster_spans(one) != matching.cluster_spans(two):
        raise ScoreError(
            f"{one.id}: {GIVEN_MEANING[given]}, but the predicted clusters are not the gold ones."
        )


def _refuse_unknown(metrics: Sequence[str]) -> None:
    for metric in metrics:
        if metric not in tally.METRICS:
            raise ScoreError(f"no metric {metric!r}; there are {', '.join(tally.METRICS)}")


def _check_text(document: Document, text: str) -> None:
    if text_hash(text) != document.sha256:
        raise ScoreError(f"{document.id}: the text is not the annotated one (its SHA-256 differs)")
    beyond = [entity.id for entity in document.entities if entity.end > len(text)]
    if beyond:
        raise ScoreError(f"{document.id}: entity {beyond[0]} reaches beyond the text")
    for entity in document.entities:
        if entity.surface is not None and entity.surface != entity.cut(text):
            raise ScoreError(
                f"{document.id}: entity {entity.id} states the surface {entity.surface!r}, but the text has "
                f"{entity.cut(text)!r} at [{entity.start}, {entity.end}). Correct the offsets or the surface."
            )


def _check_links(document: Document, schema: Schema) -> None:
    entities = document.by_id()
    if len(entities) < len(document.entities):
        raise ScoreError(f"{document.id}: two entities share an id, so its relations can't be scored")
    for relation in document.relations:
        if relation.label not in schema.relations:
            raise ScoreError(
                f"{document.id}: relation {relation.id} has the unknown label {relation.label!r}"
            )
        for end in (relation.source, relation.target):
            if end not in entities:
                raise ScoreError(
                    f"{document.id}: relation {relation.id} points at {end}, which does not exist"
                )
    grouped = [member for cluster in document.clusters for member in cluster.members]
    if len(set(grouped)) < len(grouped):
        raise ScoreError(f"{document.id}: an entity stands in two clusters, so its facts can't be scored")
    for cluster in document.clusters:
        for member in cluster.members:
            if member not in entities:
                raise ScoreError(f"{document.id}: cluster {cluster.id} names {member}, which does not exist")
