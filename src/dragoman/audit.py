"""How right is the gold? Where models contradict it, uniform samples to judge, and error rates.

What is picked by suspicion finds errors and says nothing of their rate; a rate comes from a uniform
sample alone, judged by somebody who saw no earlier decision.
"""

from __future__ import annotations

import csv
import io
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from scipy.stats import binomtest

from dragoman import train
from dragoman.errors import DragomanError
from dragoman.formats import files
from dragoman.schema import Schema
from dragoman.types import Document, Entity, Relation

AROUND = 60
"""Characters of context on either side."""
USUAL = 3
"""How often a surface must occur before its labels are compared."""
VERDICTS = ("right", "wrong", "missing", "not-missing")

KINDS: Mapping[str, str] = {
    "entity-unmarked": "a model finds a mention where the gold has none",
    "entity-label": "a model gives the same span another label",
    "entity-span": "a model finds an overlapping span instead",
    "relation-unmarked": "a model finds a relation between two gold mentions that have none",
    "relation-label": "a model gives the same pair another relation",
    "relation-direction": "a model turns the relation round",
    "surface-label": "the same surface mostly has another label",
    "surface-unmarked": "the same surface is marked elsewhere in this article, and here it isn't",
    "pair-label": "the same pair of entities is mostly linked by another relation",
}

Task = Literal["entities", "relations"]
TASKS: tuple[Task, ...] = get_args(Task)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a document to look at: one line of a table to fill in.

    score: how surely the gold is contradicted, 0 to 1; 1 in a sample. where: ``start-end`` of an entity,
    ``start-end>start-end`` of a relation's source and target. gold, other: the label in the gold and the
    one that contradicts it, empty for none. verdict: one of VERDICTS, empty until somebody has judged.
    """

    kind: str
    document: str
    where: str
    gold: str
    other: str = ""
    score: float = 1.0
    surface: str = ""
    context: str = ""
    verdict: str = ""
    note: str = ""


COLUMNS = Item.__struct_fields__


def contradictions(
    recipe: Path, documents: Sequence[Document], schema: Schema, *, folds: int, seed: int
) -> list[Item]:
    """Where the gold is contradicted, most surely contradicted first.

    By models that never saw the article (cross-validation in ``folds``; end to end for entities, with gold
    mentions for relations), and by what the gold itself says elsewhere. A model's score is its own
    probability; that of a check of consistency is the share of the majority, with one doubt added.
    """
    gold = {document.id: document for document in documents}
    found: list[Item] = []
    predictions = train.out_of_fold(
        recipe, documents, schema, folds=folds, seed=seed, settings=("nothing", "mentions")
    )
    for given, predicted in predictions:
        compared = _entities if given == "nothing" else _relations
        found += compared(gold[predicted.id], predicted)
    found += inconsistencies(documents)
    return sorted(found, key=lambda item: (-item.score, item.document, item.where, item.kind))


def inconsistencies(documents: Sequence[Document]) -> list[Item]:
    """What the gold says in one place and not in another: see KINDS, ``surface-`` and ``pair-``."""
    return [*_surface_labels(documents), *_unmarked(documents), *_pair_labels(documents)]


def _entities(gold: Document, predicted: Document) -> Iterator[Item]:
    for entity in predicted.entities:
        met = [one for one in gold.entities if one.start < entity.end and entity.start < one.end]
        same = [one for one in met if one.spans == entity.spans]
        if any(one.label == entity.label for one in same):
            continue
        kind = "entity-label" if same else "entity-span" if met else "entity-unmarked"
        marked = " + ".join(f"{one.label} {_cut(gold, one)}" for one in same or met)
        yield about(gold, kind, (entity,), marked, entity.label, entity.score or 0.0)


def _relations(gold: Document, predicted: Document) -> Iterator[Item]:
    entities = gold.by_id()
    known: dict[tuple[str, str], list[str]] = defaultdict(list)
    for relation in gold.relations:
        known[relation.source, relation.target].append(relation.label)
    for relation in predicted.relations:
        ends = relation.source, relation.target
        if relation.label in known[ends]:
            continue
        turned = relation.label in known[ends[1], ends[0]]
        kind = "relation-direction" if turned else "relation-label" if known[ends] else "relation-unmarked"
        marked = " + ".join(known[ends[1], ends[0]] if turned else known[ends])
        yield about(
            gold, kind, (entities[ends[0]], entities[ends[1]]), marked, relation.label, relation.score or 0.0
        )


def _surface_labels(documents: Sequence[Document]) -> Iterator[Item]:
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        for entity in document.entities:
            labels[_cut(document, entity).casefold()][entity.label] += 1
    for document in documents:
        for entity in document.entities:
            counted = labels[_cut(document, entity).casefold()]
            usual, times = counted.most_common(1)[0]
            if usual != entity.label and times >= USUAL and times > counted[entity.label]:
                share = times / (counted.total() + 1)
                yield about(document, "surface-label", (entity,), entity.label, usual, share)


def _unmarked(documents: Sequence[Document]) -> Iterator[Item]:
    """Capitalised surfaces that an article marks in one place and not in another."""
    for document in documents:
        text = document.text or ""
        covered = [False] * (len(text) + 1)
        for entity in document.entities:
            for start, end in entity.spans:
                covered[start:end] = [True] * (end - start)
        labels: dict[str, Counter[str]] = defaultdict(Counter)
        for entity in document.entities:
            surface = _cut(document, entity)
            if surface[:1].isupper():
                labels[surface][entity.label] += 1
        for surface, counted in labels.items():
            for start in _occurrences(text, surface):
                end = start + len(surface)
                if any(covered[start:end]):
                    continue
                found = Entity(id="T0", start=start, end=end, label=counted.most_common(1)[0][0])
                share = counted.total() / (counted.total() + 1)
                yield about(document, "surface-unmarked", (found,), "", found.label, share)


def _occurrences(text: str, surface: str) -> Iterator[int]:
    """Where a surface stands as whole words."""
    start = text.find(surface)
    while start >= 0:
        end = start + len(surface)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            yield start
        start = text.find(surface, end)


def _pair_labels(documents: Sequence[Document]) -> Iterator[Item]:
    for document in documents:
        entities, clusters = document.by_id(), document.cluster_of()
        of_pair: dict[Hashable, list[Relation]] = defaultdict(list)
        for relation in document.relations:
            pair = (clusters.get(end, frozenset({end})) for end in (relation.source, relation.target))
            of_pair[tuple(pair)].append(relation)
        for relations in of_pair.values():
            counted = Counter(relation.label for relation in relations)
            usual, times = counted.most_common(1)[0]
            for relation in relations:
                if relation.label == usual or times <= counted[relation.label]:
                    continue
                ends = entities[relation.source], entities[relation.target]
                share = times / (counted.total() + 1)
                yield about(document, "pair-label", ends, relation.label, usual, share)


def sample(documents: Sequence[Document], task: Task, size: int, *, seed: int) -> list[Item]:
    """A uniform sample of entities or relations to judge, in order of documents and offsets.

    size: how many; all of them if there are fewer. The same documents and seed give the same sample,
    whatever the order of the documents and of their annotations.
    """
    pool: list[Item] = []
    for document in sorted(documents, key=lambda document: document.id):
        pool += sorted(marked(document, task), key=place)
    chosen = random.Random(seed).sample(range(len(pool)), min(size, len(pool)))  # noqa: S311
    return [pool[index] for index in sorted(chosen)]


def missing(gold: Sequence[Document], anew: Sequence[Document]) -> list[Item]:
    """What an annotation made anew marks and the gold doesn't, to be judged: is it missing?

    Relations are compared by the spans of their ends. Raises DragomanError for a document that the gold
    does not have, or of another text.
    """
    known = {document.id: document for document in gold}
    found: list[Item] = []
    for document in sorted(anew, key=lambda document: document.id):
        own = known.get(document.id)
        if own is None or own.sha256 != document.sha256:
            raise DragomanError(f"{document.id}: the gold has no such document, or another text of it")
        of_document: list[Item] = []
        for task in TASKS:
            present = {(item.where, item.gold) for item in marked(own, task)}
            proposed = {(item.where, item.gold): item for item in marked(document, task)}
            of_document += [
                msgspec.structs.replace(item, gold="", other=item.gold)
                for key, item in proposed.items()
                if key not in present
            ]
        found += sorted(of_document, key=place)
    return found


def marked(document: Document, task: Task) -> Iterator[Item]:
    """Each entity or each relation of a document, with its label as that of the gold."""
    if task == "entities":
        for entity in document.entities:
            yield about(document, "entity", (entity,), entity.label)
        return
    entities = document.by_id()
    for relation in document.relations:
        ends = entities[relation.source], entities[relation.target]
        yield about(document, "relation", ends, relation.label)


def place(item: Item) -> tuple[str, list[int], str]:
    """What items are put in order by: document, offsets, label."""
    numbers = [int(number) for number in item.where.replace(">", "-").replace("+", "-").split("-")]
    return item.document, numbers, item.gold or item.other


def about(
    document: Document,
    kind: str,
    ends: Sequence[Entity],
    gold: str,
    other: str = "",
    score: float = 1.0,
) -> Item:
    """The item of a mention, or of a relation between two."""
    text = document.text or ""
    start, end = min(entity.start for entity in ends), max(entity.end for entity in ends)
    context = text[max(0, start - AROUND) : start] + ">" + text[start:end] + "<" + text[end : end + AROUND]
    return Item(
        kind=kind,
        document=document.id,
        where=">".join("+".join(f"{a}-{b}" for a, b in entity.spans) for entity in ends),
        gold=gold,
        other=other,
        score=round(score, 4),
        surface=" > ".join(_cut(document, entity) for entity in ends),
        context=context,
    )


def _cut(document: Document, entity: Entity) -> str:
    return entity.cut(document.text) if document.text is not None else entity.surface or ""


def write(path: Path, items: Iterable[Item]) -> None:
    """Write items as tab-separated values with a header; breaks and tabs become spaces."""
    content = io.StringIO()
    writer = csv.writer(content, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    writer.writerow(COLUMNS)
    for item in items:
        writer.writerow(" ".join(str(getattr(item, name)).split()) for name in COLUMNS)
    files.write(path, content.getvalue())


def read(path: Path) -> list[Item]:
    """Read what ``write`` wrote and somebody has judged.

    Raises DragomanError, naming the line, for other columns, an unknown verdict or a score that is none.
    """
    content = files.decode(files.read_bytes(path), str(path))
    rows = [line.split("\t") for line in content.splitlines()]
    if not rows or tuple(rows[0]) != COLUMNS:
        raise DragomanError(f"{path}:1: expected the columns {', '.join(COLUMNS)}, separated by tabs")
    found = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(COLUMNS):
            raise DragomanError(f"{path}:{number}: {len(row)} fields, expected {len(COLUMNS)}")
        fields: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
        if fields["verdict"] and fields["verdict"] not in VERDICTS:
            raise DragomanError(
                f"{path}:{number}: the verdict is {fields['verdict']!r}, expected one of "
                f"{', '.join(VERDICTS)}, or nothing"
            )
        try:
            found.append(Item(**{**fields, "score": float(fields["score"])}))
        except ValueError as error:
            raise DragomanError(f"{path}:{number}: score {fields['score']!r} is no number") from error
    return found


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Errors among what was judged."""

    errors: int
    judged: int

    @property
    def value(self) -> float | None:
        """The share of errors; None if nothing was judged."""
        return self.errors / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The Wilson interval at 95 %, 0 to 1; None if nothing was judged.

        Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.

        >>> [round(end, 3) for end in Rate(errors=6, judged=300).interval]
        [0.009, 0.043]
        """
        if not self.judged:
            return None
        found = binomtest(self.errors, self.judged).proportion_ci(method="wilson")
        return float(found.low), float(found.high)


def split_off(items: Iterable[Item], key: Iterable[Item]) -> tuple[list[Item], list[Item]]:
    """Judged items apart from decoys: those of the sample, and the decoys of ``key`` with their verdicts.

    Raises DragomanError for a decoy that is not among the items.
    """
    judged = {(item.document, item.where, item.gold): item for item in items}
    decoys = []
    for decoy in key:
        found = judged.pop((decoy.document, decoy.where, decoy.gold), None)
        if found is None:
            raise DragomanError(f"{decoy.document}: the decoy at {decoy.where} is not in the judged table")
        decoys.append(msgspec.structs.replace(decoy, verdict=found.verdict, note=found.note))
    return list(judged.values()), decoys


def wrong_rate(items: Iterable[Item]) -> Rate:
    """The share of wrong items in a judged sample.

    Raises DragomanError if an item has no verdict, or one that is not of a sample.
    """
    verdicts = _verdicts(items, "right", "wrong")
    return Rate(errors=verdicts["wrong"], judged=verdicts.total())


def missing_rate(items: Iterable[Item], present: int) -> Rate:
    """The share of what should stand in the gold and doesn't, of that and the ``present`` annotations."""
    verdicts = _verdicts(items, "missing", "not-missing")
    return Rate(errors=verdicts["missing"], judged=present + verdicts["missing"])


def _verdicts(items: Iterable[Item], *known: str) -> Counter[str]:
    """How often each verdict was given; DragomanError for one that is none of these."""
    verdicts = Counter(item.verdict for item in items)
    unjudged = verdicts.total() - sum(verdicts[verdict] for verdict in known)
    if unjudged:
        raise DragomanError(f"{unjudged} items are not judged")
    return verdicts
