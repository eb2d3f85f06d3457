"""Normalises calendar expressions against the article's date, by the library dateparser."""

from __future__ import annotations

import datetime
import re
import warnings
from functools import lru_cache
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from dateparser.date import DateDataParser

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ANY_WEEKDAY = "|".join(WEEKDAYS)
WITHOUT_ANCHOR = re.compile(rf"\b(?:day|{ANY_WEEKDAY})\b")
NOT_A_POINT = re.compile(
    r"\b(?:century|decades?|spring|summer|autumn|fall|winter|\d{3}0s|recent|years|months|weeks|days|noon|midnight|hours?|minutes?|am|pm)\b"
)


def normalise(surface: str, article: str | None, *, future: bool = False) -> str | None:
    """ISO 8601 value of a date expression, no finer than its words; None if unknown.

    article: the article's date, ISO 8601; None leaves relative expressions without value.
    future: whether the sentence looks ahead, so that ``Monday`` is the next one.

    >>> normalise("Friday", "2025-07-18"), normalise("last week", "2025-07-18")
    ('2025-07-18', '2025-W28')
    >>> normalise("Monday", "2025-07-18", future=True), normalise("July 2024", None)
    ('2025-07-21', '2024-07')
    >>> normalise("Friday", None) is None
    True
    """
    return _normalise(" ".join(surface.lower().replace(".", "").split()), article, future)


@lru_cache(maxsize=50_000)
def _normalise(words: str, article: str | None, future: bool) -> str | None:
    if re.fullmatch(r"[12][0-9]{3}", words):
        return words
    ends = _range(words)
    if ends is not None:
        first, last = (_normalise(end, article, future) for end in ends)
        return f"{first}/{last}" if first and last and first < last else None
    if NOT_A_POINT.search(words) or len(words) > 60:
        return None
    try:
        base = datetime.date.fromisoformat(article) if article else None
    except ValueError:
        base = None
    try:
        relative = _relative(words, base, future)
        if relative is not None:
            return relative
        if WITHOUT_ANCHOR.search(words) and not re.search(r"\d", words):
            return None
        return _absolute(words, base, future)
    except (OverflowError, ValueError):  # before the year 1 or after 9999
        return None


RANGE = r"({0}) ?(?:-|–|to|and|until) ?({0})"
DAYS_FIRST = re.compile(RANGE.format(r"[0-9]{1,2}") + r" ([a-z]+(?: [0-9]{4})?)")
MONTH_FIRST = re.compile(r"([a-z]+) " + RANGE.format(r"[0-9]{1,2}") + r"((?:,? [0-9]{4})?)")
YEARS = re.compile(RANGE.format(r"[12][0-9]{3}"))


def _range(words: str) -> tuple[str, str] | None:
    """Both ends of ``3 to 5 may 1987``, ``feb 21-28`` or ``2004-2007``; None if it is no range."""
    if years := YEARS.fullmatch(words):
        return years[1], years[2]
    if days := DAYS_FIRST.fullmatch(words):
        return f"{days[1]} {days[3]}", f"{days[2]} {days[3]}"
    if months := MONTH_FIRST.fullmatch(words):
        return f"{months[1]} {months[2]}{months[4]}", f"{months[1]} {months[3]}{months[4]}"
    return None


def _relative(words: str, base: datetime.date | None, future: bool) -> str | None:
    """Weekdays, weeks and months counted from the base, where the library's reading differs."""
    if base is None:
        return None
    match = re.fullmatch(r"(?:(last|past|this|next|coming) )?(week|month|year)", words)
    if match and match[1]:
        step = {"last": -1, "past": -1, "this": 0, "next": 1, "coming": 1}[match[1]]
        if match[2] == "week":
            year, week, _ = (base + datetime.timedelta(weeks=step)).isocalendar()
            return f"{year}-W{week:02}"
        if match[2] == "month":
            months = base.year * 12 + base.month - 1 + step
            return f"{months // 12}-{months % 12 + 1:02}"
        return str(base.year + step)
    match = re.fullmatch(rf"(?:(last|this|next|coming) )?({ANY_WEEKDAY})(?: (?:last|next))?", words)
    if match:
        other = match[1] in ("next", "coming", "last") or words.endswith((" next", " last"))
        ahead = match[1] != "last" and (future or match[1] in ("next", "coming") or words.endswith(" next"))
        gap = (WEEKDAYS.index(match[2]) - base.weekday()) % 7
        same_day = 7 if other else 0
        days = (gap or same_day) if ahead else (gap - 7 if gap else -same_day)
        return (base + datetime.timedelta(days=days)).isoformat()
    return None


def _absolute(words: str, base: datetime.date | None, future: bool) -> str | None:
    has_year = re.search(r"\b[12][0-9]{3}\b", words) is not None
    if base is None and not has_year:
        return None
    plain = re.sub(r"^(?:the|last|this|next) (?=\S*\s?\d|[a-z]+$)", "", words)
    found = _parser(base, future).get_date_data(plain)
    if base is not None and not has_year and found.date_obj is not None:
        on_base = _parser(base, False).get_date_data(plain)
        found = on_base if on_base.date_obj and on_base.date_obj.date() == base else found
    if found.date_obj is None:
        return None
    day: datetime.datetime = found.date_obj
    if found.period == "year":
        return f"{day.year:04}"
    if found.period == "month":
        return f"{day.year:04}-{day.month:02}"
    if found.period == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02}"
    return day.date().isoformat()


@lru_cache(maxsize=256)
def _parser(base: datetime.date | None, future: bool) -> Any:
    moment = datetime.datetime.combine(base or datetime.date(2000, 1, 1), datetime.time())
    return DateDataParser(
        languages=["en"],
        settings={
            "RELATIVE_BASE": moment,
            "PREFER_DATES_FROM": "future" if future else "past",
            "RETURN_TIME_AS_PERIOD": False,
            "TIMEZONE": "UTC",
        },
    )
