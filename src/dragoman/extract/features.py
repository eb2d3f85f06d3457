"""Attributes of tokens for the CRF, and the gazetteers behind some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from dragoman.extract.lexicon import Countries
from dragoman.text import Token, tokenize
from dragoman.types import Document

LONGEST = 8
FUNCTION_WORDS = ENGLISH_STOP_WORDS | {"'s", "’s"}


class Gazetteer(msgspec.Struct, frozen=True):
    """Token sequences with the names of the lists they stand in.

    names: for each normalised sequence, joined by spaces, its sorted list names.
    """

    names: Mapping[str, tuple[str, ...]]

    def tag(self, tokens: Sequence[Token]) -> list[tuple[str, ...]]:
        """For every token the names of the longest match that covers it, with its position."""
        found: list[tuple[str, ...]] = [()] * len(tokens)
        words = [token.text.lower().replace(".", "") or token.text for token in tokens]
        index = 0
        while index < len(tokens):
            step = 1
            for size in range(min(LONGEST, len(tokens) - index), 0, -1):
                key = " ".join(words[index : index + size])
                names = self.names.get(key)
                if names is None:
                    continue
                for place in range(index, index + size):
                    mark = "B" if place == index else "I"
                    found[place] = tuple(f"{mark}-{name}" for name in names)
                step = size
                break
            index += step
        return found


def country_gazetteer(countries: Countries) -> Gazetteer:
    """Country names, adjectives, capitals and cities, each list under its kind."""
    names: dict[str, set[str]] = {}
    for entry in countries.entries:
        names.setdefault(_key(entry.surface), set()).add(entry.kind)
    return Gazetteer({key: tuple(sorted(kinds)) for key, kinds in names.items()})


class Seen(msgspec.Struct, frozen=True):
    """Surfaces of the training documents: in how many documents each had which label."""

    counts: dict[str, dict[str, int]]

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Seen:
        """Count each surface once per document and label."""
        counts: dict[str, Counter[str]] = {}
        for document in documents:
            for key, label in _surfaces(document):
                counts.setdefault(key, Counter())[label] += 1
        return cls({key: dict(sorted(found.items())) for key, found in sorted(counts.items())})

    def gazetteer(self, without: Document | None = None) -> Gazetteer:
        """The surfaces by label; ``without`` leaves out what only that document has.

        A document that is trained on must not find its own gold in the gazetteer.
        """
        own = set(_surfaces(without)) if without is not None else set()
        names = {
            key: tuple(label for label, count in labels.items() if count > ((key, label) in own))
            for key, labels in self.counts.items()
        }
        return Gazetteer({key: labels for key, labels in names.items() if labels})


def _surfaces(document: Document) -> set[tuple[str, str]]:
    return {(_key(entity.surface or ""), entity.label) for entity in document.entities}


def _key(surface: str) -> str:
    return " ".join(token.text.lower().replace(".", "") or token.text for token in tokenize(surface))


@lru_cache(maxsize=100_000)
def shape(word: str) -> str:
    """The word's shape with runs of one kind cut to two.

    >>> shape("U.S."), shape("Yoon-joo"), shape("2,025")
    ('X.X.', 'Xxx-xx', 'd,dd')
    """
    out: list[str] = []
    for character in word:
        kind = (
            "d"
            if character.isdigit()
            else "X"
            if character.isupper()
            else "x"
            if character.isalpha()
            else character
        )
        if out[-2:] != [kind, kind]:
            out.append(kind)
    return "".join(out)


@lru_cache(maxsize=100_000)
def _word(word: str) -> tuple[str, ...]:
    """What a word alone says, whatever its context."""
    low = word.lower()
    found = [f"w={low}", f"s={shape(word)}"]
    found += [f"p{n}={low[:n]}" for n in range(1, 6) if n < len(low)]
    found += [f"e{n}={low[-n:]}" for n in range(1, 6) if n < len(low)]
    if any(character.isdigit() for character in word):
        found.append("digit")
    if word.isupper() and len(word) > 1:
        found.append("upper")
    return tuple(found)


def attributes(
    tokens: Sequence[Token],
    gazetteers: Mapping[str, Sequence[tuple[str, ...]]],
    *,
    first_line: bool,
    capitalised: Mapping[str, int],
) -> list[list[str]]:
    """The attributes of every token of a sentence.

    gazetteers: for each gazetteer the names that ``Gazetteer.tag`` found for the tokens.
    capitalised: how often each lower-case word stands capitalised inside sentences.
    """
    words = [token.text for token in tokens]
    lows = [word.lower() for word in words]
    shapes = [shape(word) for word in words]
    size = len(words)
    runs = _runs(words, lows, first_line)
    chunks = _chunks(lows)
    out: list[list[str]] = []
    for index in range(size):
        low = lows[index]
        item = ["bias", *_word(words[index])]
        for step in (-3, -2, -1, 1, 2, 3):
            place = index + step
            if 0 <= place < size:
                if abs(step) < 3:
                    item.append(f"w{step}={lows[place]}")
                    item.append(f"e{step}={lows[place][-3:]}")
                item.append(f"s{step}={shapes[place]}")
            elif place in (-1, size):
                item.append(f"edge{step}")
        before = lows[index - 1] if index else "<"
        after = lows[index + 1] if index + 1 < size else ">"
        item.append(f"w-1,0={before} {low}")
        item.append(f"w0,1={low} {after}")
        item.append(f"w-1,1={before} {after}")
        start, end = runs[index]
        if end > start:
            item.append(f"run={min(end - start, 5)}:{min(index - start, 3)}")
            item.append(f"runfirst={lows[start]}")
            item.append(f"runlast={lows[end - 1]}")
            item.append(f"runbefore={lows[start - 1] if start else '<'}")
            item.append(f"runafter={lows[end] if end < size else '>'}")
        start, end = chunks[index]
        if end > start:
            head = lows[end - 1]
            item.append(f"head={head}")
            item.append(f"head={head}:{min(end - 1 - index, 3)}")
            item.append(f"heade={head[-4:]}:{min(end - 1 - index, 3)}")
            item.append(f"chunkbefore={lows[start - 1] if start else '<'}")
            item.append(f"chunkafter={lows[end] if end < size else '>'}")
            item.append(f"first={lows[start]}:{index == start}")
        for name, tagged in gazetteers.items():
            for step in (-1, 0, 1):
                if 0 <= index + step < size:
                    item += [f"{name}{step}={mark}" for mark in tagged[index + step]]
        if capitalised.get(low):
            item.append("capitalised")
            if not words[index][0].isupper():
                item.append("capitalised elsewhere")
        elif words[index][0].isupper():
            item.append("never capitalised inside")
        if first_line:
            item.append("title")
            item.append(f"title:w={low}")
        out.append(item)
    return out


def inner_capitals(sentences: Iterable[Sequence[Token]], first_line: int) -> Counter[str]:
    """How often each word stands capitalised but not at the start; headline left out."""
    return Counter(
        token.text.lower()
        for sentence in sentences
        if sentence[0].start >= first_line
        for token in sentence[1:]
        if token.text[0].isupper()
    )


def _runs(words: Sequence[str], lows: Sequence[str], first_line: bool) -> list[tuple[int, int]]:
    """For every token the run [start, end) of capitalised words around it, or an empty one."""
    found = [(index, index) for index in range(len(words))]
    index = 0
    while index < len(words):
        end = index
        while end < len(words) and (
            words[end][0].isupper()
            or (
                end > index
                and lows[end] in ("of", "the", "for", "-", "de", "al")
                and end + 1 < len(words)
                and words[end + 1][0].isupper()
            )
        ):
            end += 1
        for place in range(index, end):
            found[place] = (index, end)
        index = max(end, index + 1)
    return found


def _chunks(lows: Sequence[str]) -> list[tuple[int, int]]:
    """For every token the stretch [start, end) between function words and marks around it."""
    found = [(index, index) for index in range(len(lows))]
    index = 0
    while index < len(lows):
        end = index
        while end < len(lows) and (
            (lows[end][0].isalnum() and lows[end] not in FUNCTION_WORDS) or (lows[end] == "-" and end > index)
        ):
            end += 1
        for place in range(index, end):
            found[place] = (index, end)
        index = max(end, index + 1)
    return found
