"""How numbers, metrics and verdicts are worded, in one place for text and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import regex

from dragoman.score.averages import Row
from dragoman.score.resample import LEVEL
from dragoman.score.scorecard import GIVEN_MEANING, Scorecard

DASH = "–"
SHOWN_AVERAGES = ("micro", "macro")
PER_LABEL = ("entities.strict", "relations.strict", "facts.any-mention")

METRIC_WORDS: Mapping[str, tuple[str, str]] = {
    "entities.strict": ("Same span, same type", "The span and its type are exactly those of the gold."),
    "entities.exact": ("Same span", "The span is exactly that of the gold, whatever its type."),
    "entities.partial": ("Span, half for overlap", "As “same span”; a span that only overlaps counts half."),
    "entities.type": (
        "Same type, any overlap",
        "The type is right and the span shares a character with the gold.",
    ),
    "relations.strict": (
        "Relations",
        "The relation is right, and so are the spans and types of both its arguments.",
    ),
    "relations.boundaries": (
        "Relations, types ignored",
        "The relation and the spans of both its arguments are right, whatever their types.",
    ),
    "facts.any-mention": (
        "Facts",
        "A relation between two things, each the cluster of its mentions, counted once per article; "
        "one right mention of each thing is enough.",
    ),
    "facts.first-mention": (
        "Facts, first mentions",
        "As “facts”, but the first mention of each thing must be the right one.",
    ),
    "facts.hard": ("Facts, whole clusters", "As “facts”, but both clusters must be complete and pure."),
    "values.strict": (
        "Values",
        "The date or country code of a mention is right, and so are its span and type.",
    ),
}

RANGE_WORDS = (
    f"The small range under an F1 is its {LEVEL:.0%} interval: "
    "how far it moves when the articles are drawn again."
)

HIDDEN = regex.compile(r"[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069--[\t\n\r]]", flags=regex.VERSION1)


def percent(rate: float | None) -> str:
    """A rate times 100 with one decimal; an en dash where it is undefined.

    >>> percent(0.7607), percent(0.0), percent(None)
    ('76.1', '0.0', '–')
    """
    return DASH if rate is None else f"{100 * rate:.1f}"


def interval(row: Row) -> str:
    """The interval of F1 as ``low–high`` times 100; empty if there is none."""
    if row.low is None or row.high is None:
        return ""
    return f"{percent(row.low)}{DASH}{percent(row.high)}"


def metric_words(metric: str) -> str:
    """The name of a metric for a reader; an unknown one keeps its own."""
    return METRIC_WORDS.get(metric, (metric, ""))[0]


def given_words(given: str) -> str:
    """What the extractor was shown, in words."""
    known: Mapping[str, str] = {str(key): value for key, value in GIVEN_MEANING.items()}
    return known.get(given, given)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "article"), count(1200, "article")
    ('1 article', '1,200 articles')
    """
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def sentence(words: str) -> str:
    """Words as a sentence.

    >>> sentence("no interval: fewer than 10 documents")
    'No interval: fewer than 10 documents.'
    """
    return f"{words[:1].upper()}{words[1:]}."


def shown(text: object) -> str:
    """Text made safe to look at: what would hide or reorder other text becomes visible.

    Control characters, lone surrogates and the marks that open or close a stretch of other
    writing direction are written as ``[U+202E]``; everything else stays.

    >>> shown("abc\\u202edef")
    'abc[U+202E]def'
    """
    return HIDDEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", str(text))


def signatures(card: Scorecard, metrics: Sequence[str]) -> list[tuple[str, str]]:
    """(metrics, signature) pairs; metrics that differ only in task and match share one."""
    groups: dict[str, list[str]] = {}
    for metric in metrics:
        fields = [f for f in card.signatures[metric].split("|") if not f.startswith(("task:", "match:"))]
        groups.setdefault("|".join(fields), []).append(metric)
    return [(" ".join(names), signature) for signature, names in groups.items()]
