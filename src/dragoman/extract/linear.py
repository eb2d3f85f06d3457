"""The default extractor: a CRF for mentions, logistic regression for relations, rules for the rest."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from dragoman.errors import ModelError, RecipeError
from dragoman.extract import clusters, crf, dates, features, lexicon, relations, store
from dragoman.extract.base import TrainedOn
from dragoman.iso3166 import is_code
from dragoman.schema import Schema
from dragoman.text import Token, align, tokenized_sentences
from dragoman.types import LAYERS, Cluster, Document, Entity, Given, Producer, Relation, title_end

NAME = "linear"
log = logging.getLogger(__name__)
AHEAD = frozenset("will would shall next tomorrow to".split())


Positive = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Penalty = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Rounds = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Sentences = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class EntitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """c1, c2: penalties of the CRF. iterations: of L-BFGS."""

    c1: Penalty = 0.1
    c2: Penalty = 0.05
    iterations: Rounds = 200


class RelationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How pairs are chosen and weighed.

    c: inverse strength of the L2 penalty. least: documents an attribute must occur in.
    before, after: sentences that the source may stand before or after the target.
    threshold: probability that a relation must reach. none_weight: of pairs without relation.
    """

    c: Positive = 1.0
    least: Rounds = 2
    before: Sentences = 3
    after: Sentences = 1
    threshold: Share = 0.4
    none_weight: Positive = 1.0
    iterations: Rounds = 200


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``models/linear.toml``; lexicon: a path beside the recipe."""

    extractor: str
    lexicon: str
    entities: EntitySettings = EntitySettings()
    relations: RelationSettings = RelationSettings()


class Linear(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted linear extractor; see ``extract.base.Extractor``."""

    schema: Schema
    recipe: Recipe
    seed: int
    trained_on: TrainedOn
    countries: lexicon.Countries
    codes: dict[str, str]
    nominal: frozenset[str]
    group_nouns: frozenset[str]
    seen: features.Seen
    tagger: crf.Crf
    relater: relations.Weights
    gazetteers: dict[str, features.Gazetteer]
    legal: relations.Legal
    transitions: crf.Floats
    sha256: str = ""

    @property
    def name(self) -> str:
        """``linear``."""
        return NAME

    def extract(self, document: Document, *, given: Given = "nothing") -> Document:
        """Predict entities, relations, clusters and values of one article."""
        if document.text is None:
            raise ModelError(f"{document.id}: has no text to extract from; attach it first")
        sentences = tokenized_sentences(document.text)
        if given == "nothing":
            entities = self._entities(document, sentences)
        else:
            entities = tuple(msgspec.structs.replace(entity, score=None) for entity in document.entities)
        entities = _dated(entities, document, self.schema)
        found = self._relations(document, sentences, entities)
        base = msgspec.structs.replace(
            document,
            producer=Producer(model=NAME, sha256=self.sha256),
            layers=LAYERS,
            entities=entities,
            relations=found,
            clusters=document.clusters if given == "clusters" else (),
        )
        if given != "clusters":
            grouped = clusters.cluster(base, self.schema, self.countries, self.codes, self.nominal)
            base = msgspec.structs.replace(base, clusters=grouped)
        return _unneeded_out(base, self.schema) if given == "nothing" else base

    def _entities(self, document: Document, sentences: Sequence[tuple[Token, ...]]) -> tuple[Entity, ...]:
        text = document.text or ""
        title = title_end(text)
        capitalised = features.inner_capitals(sentences, title)
        found: list[Entity] = []
        start = self.tagger.start()
        for tokens in sentences:
            tagged = {name: gazetteer.tag(tokens) for name, gazetteer in self.gazetteers.items()}
            items = features.attributes(
                tokens, tagged, first_line=tokens[0].start < title, capitalised=capitalised
            )
            emissions = self.tagger.emissions(items)
            path = crf.viterbi(emissions, self.transitions, start)
            tags = [self.tagger.tags[index] for index in path]
            if all(tag == crf.OUTSIDE for tag in tags):
                continue
            posterior = crf.marginals(emissions, self.transitions, start)
            for first, last, label in crf.spans(tags):
                sure = min(float(posterior[token, path[token]]) for token in range(first, last))
                begin, end = tokens[first].start, tokens[last - 1].end
                found.append(
                    Entity(
                        id=f"T{len(found) + 1}",
                        start=begin,
                        end=end,
                        label=label,
                        surface=text[begin:end],
                        score=round(min(1.0, max(0.0, sure)), 4),
                    )
                )
        return tuple(found)

    def _relations(
        self, document: Document, sentences: Sequence[tuple[Token, ...]], entities: Sequence[Entity]
    ) -> tuple[Relation, ...]:
        text = document.text or ""
        layout = relations.Layout.build(sentences, entities, title_end(text), self.group_nouns)
        settings = self.recipe.relations
        pairs = list(relations.candidates(layout, self.legal, before=settings.before, after=settings.after))
        if not pairs:
            return ()
        kinds = _kinds(layout, self.countries)
        described = [relations.describe(layout, pair, kinds, self.legal) for pair in pairs]
        probabilities = self.relater.probabilities(described)
        found: list[Relation] = []
        for pair, row in zip(pairs, probabilities, strict=True):
            source, target = layout.mentions[pair.source].entity, layout.mentions[pair.target].entity
            legal = self.legal[source.label, target.label]
            best = max(
                (
                    (float(row[index]), label)
                    for index, label in enumerate(self.relater.labels)
                    if label in legal
                ),
                default=(0.0, ""),
            )
            if best[0] >= settings.threshold:
                found.append(
                    Relation(
                        id=f"R{len(found) + 1}",
                        label=best[1],
                        source=source.id,
                        target=target.id,
                        score=round(min(1.0, best[0]), 4),
                    )
                )
        return tuple(found)

    def save(self, folder: Path) -> str:
        """Write the model folder, whole or not at all; returns its SHA-256."""
        return store.write(
            folder,
            extractor=NAME,
            schema=self.schema,
            recipe=msgspec.to_builtins(self.recipe),
            seed=self.seed,
            trained_on=self.trained_on,
            content={
                "lexicon": msgspec.to_builtins(self.countries.entries),
                "codes": self.codes,
                "nominal": sorted(self.nominal),
                "group-nouns": sorted(self.group_nouns),
                "seen": self.seen.counts,
                "tags": list(self.tagger.tags),
                "attributes": list(self.tagger.attributes),
                "relation-labels": list(self.relater.labels),
                "relation-attributes": list(self.relater.vocabulary),
            },
            tensors={
                "state": self.tagger.state,
                "transitions": self.tagger.transitions,
                "coefficients": self.relater.coefficients,
                "intercepts": self.relater.intercepts,
            },
        )


def load(stored: store.Stored) -> Linear:
    """Rebuild the extractor from a checked model folder; ModelError if its parts don't fit."""
    manifest = stored.manifest
    try:
        recipe = msgspec.convert(manifest.recipe, Recipe)
        entries = msgspec.convert(stored.content.get("lexicon"), tuple[lexicon.Entry, ...])
        codes = msgspec.convert(stored.content.get("codes"), dict[str, str])
        seen = features.Seen(msgspec.convert(stored.content.get("seen"), dict[str, dict[str, int]]))
    except msgspec.ValidationError as error:
        raise ModelError(
            f"the model folder's content doesn't fit: {error}. Train the model again."
        ) from error
    for code in {*codes.values(), *(entry.code for entry in entries)}:
        if not is_code(code):
            raise ModelError(f"{code!r} is no ISO 3166 alpha-2 code. Train the model again.")
    tags = stored.strings("tags")
    attributes = stored.strings("attributes")
    labels = stored.strings("relation-labels")
    vocabulary = stored.strings("relation-attributes")
    known = {f"{mark}-{label}" for label in manifest.schema.entities for mark in "BI"} | {crf.OUTSIDE}
    _check_names("tags", tags, known)
    if crf.OUTSIDE not in tags or relations.NONE not in labels:
        raise ModelError("tags.json or relation-labels.json: the class of nothing is missing. Train again.")
    _check_names("relation-labels", labels, {*manifest.schema.relations, relations.NONE})
    _check_names("attributes", attributes)
    _check_names("relation-attributes", vocabulary)
    tagger = crf.Crf(
        tags,
        {name: index for index, name in enumerate(attributes)},
        stored.tensor("state", (len(attributes), len(tags))),
        stored.tensor("transitions", (len(tags), len(tags))),
    )
    relater = relations.Weights(
        labels,
        {name: index for index, name in enumerate(vocabulary)},
        stored.tensor("coefficients", (len(labels), len(vocabulary))),
        stored.tensor("intercepts", (len(labels),)),
    )
    return _assemble(
        schema=manifest.schema,
        recipe=recipe,
        seed=manifest.seed,
        trained_on=manifest.trained_on,
        countries=lexicon.Countries(entries),
        codes=codes,
        nominal=frozenset(stored.strings("nominal")),
        group_nouns=frozenset(stored.strings("group-nouns")),
        seen=seen,
        tagger=tagger,
        relater=relater,
        sha256=stored.sha256,
    )


def _check_names(name: str, found: Sequence[str], known: Set[str] | None = None) -> None:
    """Refuse names that stand twice or that the schema does not have."""
    if len(set(found)) != len(found):
        raise ModelError(f"{name}.json: a name stands twice. Train the model again.")
    unknown = set(found) - known if known is not None else set()
    if unknown:
        raise ModelError(f"{name}.json: {sorted(unknown)[0]!r} is not of the model's schema. Train it again.")


def _assemble(**parts: Any) -> Linear:
    tagger: crf.Crf = parts["tagger"]
    gazetteers = {
        "places": features.country_gazetteer(parts["countries"]),
        "seen": parts["seen"].gazetteer(),
    }
    legal = relations.legal_pairs(parts["schema"])
    return Linear(gazetteers=gazetteers, legal=legal, transitions=tagger.constrained(), **parts)


def fit(
    recipe: dict[str, Any], folder: Path, schema: Schema, documents: Sequence[Document], seed: int
) -> Linear:
    """Fit on annotated documents; see ``extract.base.Fitter``.

    Raises RecipeError for settings that do not exist or documents without mentions or relations.
    """
    try:
        settings = msgspec.convert(recipe, Recipe)
    except msgspec.ValidationError as error:
        raise RecipeError(f"the recipe of {NAME} is wrong: {error}") from error
    everything = sorted(documents, key=lambda document: document.id)
    documents = [document for document in everything if "entities" in document.layers]
    countries = lexicon.Countries(lexicon.read(folder / settings.lexicon))
    seen = features.Seen.of(documents)
    log.info("fitting mentions on %d documents", len(documents))
    tagger = _fit_tagger(documents, countries, seen, settings.entities)
    log.info("fitting relations")
    nouns = relations.group_nouns(documents)
    relater = _fit_relater(documents, schema, countries, nouns, settings.relations, seed)
    return _assemble(
        schema=schema,
        recipe=settings,
        seed=seed,
        trained_on=TrainedOn.of(everything),
        countries=countries,
        codes=_codes(documents),
        nominal=_nominal(documents, schema),
        group_nouns=nouns,
        seen=seen,
        tagger=tagger,
        relater=relater,
    )


def _fit_tagger(
    documents: Sequence[Document],
    countries: lexicon.Countries,
    seen: features.Seen,
    settings: EntitySettings,
) -> crf.Crf:
    places = features.country_gazetteer(countries)
    items: list[list[list[str]]] = []
    tags: list[list[str]] = []
    for document in documents:
        text = document.text or ""
        title = title_end(text)
        sentences = tokenized_sentences(text)
        capitalised = features.inner_capitals(sentences, title)
        others = seen.gazetteer(without=document)
        for tokens in sentences:
            tagged = {"places": places.tag(tokens), "seen": others.tag(tokens)}
            items.append(
                features.attributes(
                    tokens, tagged, first_line=tokens[0].start < title, capitalised=capitalised
                )
            )
            tags.append(_bio(tokens, document.entities))
    if not any(tag != crf.OUTSIDE for row in tags for tag in row):
        raise RecipeError("the training documents hold no mention to learn from")
    return crf.fit(items, tags, c1=settings.c1, c2=settings.c2, iterations=settings.iterations)


def _bio(tokens: Sequence[Token], entities: Sequence[Entity]) -> list[str]:
    tags = [crf.OUTSIDE] * len(tokens)
    for entity in sorted(entities, key=lambda e: (e.start, -e.end)):
        if entity.end <= tokens[0].start or entity.start >= tokens[-1].end:
            continue
        found = align(tokens, entity.start, entity.end)
        if found is not None and all(tag == crf.OUTSIDE for tag in tags[found.first : found.last]):
            tags[found.first : found.last] = [f"I-{entity.label}"] * (found.last - found.first)
            tags[found.first] = f"B-{entity.label}"
    return tags


def _fit_relater(
    documents: Sequence[Document],
    schema: Schema,
    countries: lexicon.Countries,
    nouns: frozenset[str],
    settings: RelationSettings,
    seed: int,
) -> relations.Weights:
    described: list[list[str]] = []
    answers: list[str] = []
    owners: list[str] = []
    legal = relations.legal_pairs(schema)
    for document in documents:
        if "relations" not in document.layers:
            continue  # what was not annotated is no example of "none"
        gold: dict[tuple[str, str], list[str]] = {}
        for relation in document.relations:
            gold.setdefault((relation.source, relation.target), []).append(relation.label)
        layout = relations.Layout.of(document, nouns)
        kinds = _kinds(layout, countries)
        for pair in relations.candidates(layout, legal, before=settings.before, after=settings.after):
            ends = (layout.mentions[pair.source].entity.id, layout.mentions[pair.target].entity.id)
            names = relations.describe(layout, pair, kinds, legal)
            for label in gold.get(ends, [relations.NONE]):
                described.append(names)
                answers.append(label)
                owners.append(document.id)
    if len(set(answers)) < 2:
        only = next(iter(set(answers)), relations.NONE)
        raise RecipeError(
            f"every pair that the schema allows has the relation {only!r}; add articles where some have none"
            if only
            else "the training documents hold no relation to learn from"
        )
    keep = _frequent(described, owners, settings.least)
    if not keep:
        raise RecipeError(
            f"no attribute of a pair occurs in {settings.least} training documents. Lower `least` of the "
            "recipe, or train on more documents."
        )
    pipeline = Pipeline(
        [
            (
                "attributes",
                CountVectorizer(analyzer=lambda names: [n for n in names if n in keep], binary=True),
            ),
            (
                "classes",
                LogisticRegression(
                    C=settings.c,
                    max_iter=settings.iterations,
                    class_weight={relations.NONE: settings.none_weight},
                    random_state=seed,
                ),
            ),
        ]
    )
    with threadpool_limits(1):  # sums in one order, whatever the number of cores
        pipeline.fit(described, answers)
    names = pipeline["attributes"].get_feature_names_out()
    model = pipeline["classes"]
    coefficients, intercepts = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coefficients = np.vstack([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    return relations.Weights(
        tuple(str(label) for label in model.classes_),
        {str(name): index for index, name in enumerate(names)},
        coefficients.astype(np.float32),
        intercepts.astype(np.float32),
    )


def _frequent(described: Sequence[Sequence[str]], owners: Sequence[str], least: int) -> frozenset[str]:
    """Attributes that occur in at least ``least`` documents."""
    counts: Counter[str] = Counter()
    by_owner: dict[str, set[str]] = {}
    for names, owner in zip(described, owners, strict=True):
        by_owner.setdefault(owner, set()).update(names)
    for found in by_owner.values():
        counts.update(found)
    return frozenset(name for name, count in counts.items() if count >= min(least, len(by_owner)))


def _codes(documents: Sequence[Document]) -> dict[str, str]:
    """The code that training documents give each surface, where they agree."""
    votes: dict[str, Counter[str]] = {}
    for document in documents:
        entities = document.by_id()
        for group in document.clusters:
            if group.value is None:
                continue
            for member in group.members:
                votes.setdefault(lexicon.normal(entities[member].surface or ""), Counter())[group.value] += 1
    return {
        surface: counts.most_common(1)[0][0] for surface, counts in sorted(votes.items()) if len(counts) == 1
    }


def _nominal(documents: Sequence[Document], schema: Schema) -> frozenset[str]:
    """Single lower-case words that training documents cluster with a longer name."""
    found: set[str] = set()
    for document in documents:
        entities = document.by_id()
        for group in document.clusters:
            surfaces = [entities[member].surface or "" for member in group.members]
            if any(" " in surface for surface in surfaces):
                found |= {surface for surface in surfaces if surface.islower() and " " not in surface}
    return frozenset(found)


def _kinds(layout: relations.Layout, countries: lexicon.Countries) -> list[str]:
    entries = (countries.find(mention.entity.surface or "") for mention in layout.mentions)
    return [entry.kind if entry else "" for entry in entries]


def _dated(entities: Sequence[Entity], document: Document, schema: Schema) -> tuple[Entity, ...]:
    labels = schema.labels_with_value("iso-8601")
    text = document.text or ""
    out = []
    for entity in entities:
        if entity.label in labels:
            nearby = text[max(0, entity.start - 80) : entity.start].rpartition(". ")[2].lower().split()
            value = dates.normalise(entity.surface or "", document.date, future=not AHEAD.isdisjoint(nearby))
            entity = msgspec.structs.replace(entity, value=value)
        out.append(entity)
    return tuple(out)


def _unneeded_out(document: Document, schema: Schema) -> Document:
    """Drop mentions of labels that are marked only where a relation needs them."""
    used = {end for relation in document.relations for end in (relation.source, relation.target)}
    kept = tuple(
        entity
        for entity in document.entities
        if entity.id in used or not schema.entities[entity.label].needs_relation
    )
    names = {entity.id for entity in kept}
    groups = []
    for group in document.clusters:
        members = tuple(member for member in group.members if member in names)
        if len(members) > 1 or (members and group.value is not None):
            groups.append(Cluster(id=group.id, members=members, value=group.value))
    return msgspec.structs.replace(document, entities=kept, clusters=tuple(groups)).renumbered()
