"""One HTML page that needs nothing but itself: scores, errors and every article of each run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dragoman.errors import ScoreError
from dragoman.report import articles, colours, scores
from dragoman.report.articles import Article, Counts
from dragoman.report.compare import VERDICT_WORDS, compare
from dragoman.report.scores import Scores
from dragoman.report.words import count, shown
from dragoman.schema import Schema
from dragoman.score.scorecard import Scorecard, pair_documents
from dragoman.score.tally import Material
from dragoman.types import Document

TEMPLATE = "page.html.j2"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One set of articles with what the extractor made of them.

    name: such as ``corpus test``. about: one plain sentence on what these articles are.
    gold, predicted: the same articles, predictions made end to end.
    cards: their scorecards, one per setting.
    """

    name: str
    about: str
    gold: tuple[Document, ...]
    predicted: tuple[Document, ...]
    cards: tuple[Scorecard, ...]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is about.

    model: the extractor's name and hash. trained_on: what it learnt from, in words.
    """

    title: str
    model: str
    trained_on: str
    runs: tuple[Run, ...]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the page shows it. totals: how all its entities and relations fared."""

    key: str
    name: str
    about: str
    scores: Scores
    totals: tuple[tuple[str, Counts], ...]
    articles: tuple[Article, ...]


def render(page: Page, schema: Schema) -> str:
    """The page as HTML; the same input always gives the same text.

    Labels and colours come from the schema. Articles without text show their counts and
    relations only. Nothing on the page is loaded from elsewhere, and its content security
    policy lets no script run but its own.

    Raises ScoreError if the page has no run, a run no article, or gold and predictions are
    not of the same texts.
    """
    if not page.runs:
        raise ScoreError("the page has no run to show; hand in at least one")
    script = Markup(_asset("page.js"))  # noqa: S704 - our own file
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            page=page,
            schema=schema,
            sections=[_section(run, f"run-{number}", schema) for number, run in enumerate(page.runs, 1)],
            headlines=scores.headlines([run.cards for run in page.runs]),
            entities=_colours(schema),
            numbers={label: number for number, label in enumerate(schema.entities)},
            verdicts=VERDICT_WORDS,
            relations=msgspec.json.encode(
                [[shown(name), relation.symmetric] for name, relation in schema.relations.items()]
            ).decode(),
            style=Markup(_asset("page.css")),  # noqa: S704 - our own file
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )


def _section(run: Run, key: str, schema: Schema) -> Section:
    if not run.gold:
        raise ScoreError(f"run {run.name}: it has no article to show")
    shown_first = {document.id: place for place, document in enumerate(run.gold)}
    pairs = pair_documents(run.gold, run.predicted, schema, "nothing")
    pairs.sort(key=lambda pair: shown_first[pair[0].id])
    Material(pairs, schema).sides(pairs)  # refuses labels that the schema does not have
    compared = [compare(gold, predicted, schema) for gold, predicted in pairs]
    relations = list(schema.relations)
    return Section(
        key=key,
        name=run.name,
        about=run.about,
        scores=scores.arrange(run.cards),
        totals=tuple(articles.total(compared)),
        articles=tuple(
            articles.arrange(gold, comparison, relations)
            for (gold, _), comparison in zip(pairs, compared, strict=True)
        ),
    )


def _colours(schema: Schema) -> list[dict[str, str]]:
    """Each entity label with its colour, and that colour as text on either paper."""
    found = []
    for label, entity in schema.entities.items():
        hue = colours.hue(entity.color)
        found.append(
            {
                "label": label,
                "description": entity.description,
                "hue": hue,
                "light": colours.ink(hue, colours.LIGHT_PAPER),
                "dark": colours.ink(hue, colours.DARK_PAPER),
            }
        )
    return found


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dragoman.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else shown(value),
    )
    environment.globals["count"] = count
    return environment
