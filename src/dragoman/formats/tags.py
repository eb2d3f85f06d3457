"""Token tags (B-PERSON, I-PERSON, O) to token spans and back, in six dialects.

Spans are half-open in tokens. A dialect is always named by the caller: the same tags mean
other spans in another dialect, and no reader guesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

import msgspec

Dialect = Literal["IOB1", "IOB2", "BIO", "IOE1", "IOE2", "BIOES", "IOBES", "BILOU"]
Mode = Literal["lenient", "strict"]
MODES: tuple[Mode, ...] = get_args(Mode)

PREFIXES: dict[Dialect, str] = {
    "IOB1": "BI",
    "IOB2": "BI",
    "IOE1": "IE",
    "IOE2": "IE",
    "BIOES": "BIES",
    "BILOU": "BILU",
}
"""The letters before the label: of four, the third ends a chunk and the fourth is one by itself."""
ALIASES: dict[str, Dialect] = {"BIO": "IOB2", "IOBES": "BIOES"}


class Span(NamedTuple):
    """Tokens [start, end) with their label."""

    start: int
    end: int
    label: str


class Decoded(msgspec.Struct, frozen=True):
    """The spans of one sentence's tags, in order.

    wrong: the indices of the tags that the dialect would write otherwise for the chunks that
    the lenient reading sees; none if and only if the tags are well formed.
    """

    spans: tuple[Span, ...]
    wrong: tuple[int, ...] = ()

    @property
    def malformed(self) -> int:
        """How many tags are malformed in the dialect."""
        return len(self.wrong)


def named(dialect: str) -> Dialect:
    """The dialect of a name, in any case, by its first name; ValueError for an unknown one.

    >>> named("bio")
    'IOB2'
    """
    name = dialect.upper()
    for known in PREFIXES:
        if known == name:
            return known
    if name in ALIASES:
        return ALIASES[name]
    expected = ", ".join([*PREFIXES, *(f"{alias} (= {name})" for alias, name in ALIASES.items())])
    raise ValueError(f"{dialect!r} is no dialect of tags; expected one of {expected}")


def moded(mode: str) -> Mode:
    """The mode of a name; ValueError for an unknown one."""
    for known in MODES:
        if known == mode:
            return known
    raise ValueError(f"{mode!r} is no mode of reading tags; expected {' or '.join(MODES)}")


def decode(tags: Sequence[str], *, dialect: Dialect, mode: Mode) -> Decoded:
    """The labelled token spans of one sentence.

    mode: ``lenient`` takes every chunk that conlleval's tests of a chunk's start and end see
    (a chunk opens at B, at any tag after O or after a chunk's last tag, and wherever the label
    changes). ``strict`` takes of these the ones whose tags are exactly what the dialect writes.

    Raises ValueError for an unknown dialect or mode, and for a tag that is none of the
    dialect: neither O nor one of its prefixes, ``-`` and a label.

    Source: conlleval (Tjong Kim Sang & Buchholz 2000), with S and U for a chunk of one token
    and L for a last one. ``strict`` equals seqeval 1.2.2's ``mode="strict"`` in IOB2, IOE2,
    BIOES and BILOU. In IOB1 and IOE1 seqeval takes the rest of a chunk whose B- was out of
    place and loses a chunk of one E-; here the first does not count and the second does.

    >>> decode(["I-PER", "I-PER", "O"], dialect="IOB2", mode="lenient")
    Decoded(spans=(Span(start=0, end=2, label='PER'),), wrong=(0,))
    >>> decode(["I-PER", "I-PER", "O"], dialect="IOB2", mode="strict")
    Decoded(spans=(), wrong=(0,))
    """
    dialect, mode = named(dialect), moded(mode)
    spans = list(_chunks([_split(tag, dialect) for tag in tags]))
    written = encode(spans, len(tags), dialect=dialect)
    wrong = tuple(index for index, tag in enumerate(tags) if tag != written[index])
    if wrong and mode == "strict":
        bad = set(wrong)
        spans = [span for span in spans if bad.isdisjoint(range(span.start, span.end))]
    return Decoded(tuple(spans), wrong)


def encode(spans: Sequence[tuple[int, int, str]], length: int, *, dialect: Dialect) -> list[str]:
    """The tags of ``length`` tokens that say these spans, in any order.

    Raises ValueError for spans that overlap, are empty or reach beyond the tokens, for an
    empty label, and for an unknown dialect.

    >>> encode([(0, 1, "PER"), (1, 3, "PER")], 4, dialect="IOB1")
    ['I-PER', 'B-PER', 'I-PER', 'O']
    """
    dialect = named(dialect)
    tags = ["O"] * length
    ordered = sorted(spans)
    touching: tuple[int, str] | None = None
    for number, (start, end, label) in enumerate(ordered):
        if not 0 <= start < end <= length:
            raise ValueError(f"span [{start}, {end}) is no stretch of the {length} tokens")
        if not label:
            raise ValueError(f"span [{start}, {end}) has an empty label, which tags can't say")
        following = ordered[number + 1] if number + 1 < len(ordered) else None
        if following is not None and following[0] < end:
            raise ValueError(
                f"spans [{start}, {end}) {label} and [{following[0]}, {following[1]}) {following[2]} "
                "overlap, which tags can't say"
            )
        after = touching == (start, label)
        before = following is not None and (following[0], following[2]) == (end, label)
        prefixes = _prefixes(dialect, end - start, after=after, before=before)
        tags[start:end] = [f"{prefix}-{label}" for prefix in prefixes]
        touching = (end, label)
    return tags


def guess(tags: Sequence[str]) -> tuple[Dialect, ...]:
    """The dialects in which the tags are well formed, for an error message; maybe none.

    >>> guess(["B-PER", "I-PER", "O"])
    ('IOB2',)
    """
    found: list[Dialect] = []
    for dialect in PREFIXES:
        try:
            if not decode(tags, dialect=dialect, mode="lenient").malformed:
                found.append(dialect)
        except ValueError:
            continue
    return tuple(found)


def _split(tag: str, dialect: Dialect) -> tuple[str, str]:
    """The role of a tag (B, I, E, S or O, whatever the dialect calls it) and its label."""
    if tag == "O":
        return "O", ""
    prefix, mark, label = tag.partition("-")
    if not mark or not label or len(prefix) != 1 or prefix not in PREFIXES[dialect]:
        expected = ", ".join(f"{letter}-LABEL" for letter in PREFIXES[dialect])
        raise ValueError(f"{tag!r} is no tag of {dialect}; expected O, {expected}")
    return {"L": "E", "U": "S"}.get(prefix, prefix), label


def _chunks(parts: Sequence[tuple[str, str]]) -> Iterator[Span]:
    """What conlleval sees: any start closes the chunk before it."""
    first = 0
    role, label = "O", ""
    for index, (now, name) in enumerate([*parts, ("O", "")]):
        starts = now in "BS" or role in "OES" or name != label
        if role != "O" and (now == "O" or starts):
            yield Span(first, index, label)
        if now != "O" and starts:
            first = index
        role, label = now, name


def _prefixes(dialect: Dialect, length: int, *, after: bool, before: bool) -> str:
    """The prefixes of one chunk; after, before: a chunk of the same label touches it there."""
    if dialect in ("BIOES", "BILOU"):
        letters = PREFIXES[dialect]
        return letters[3] if length == 1 else "B" + "I" * (length - 2) + letters[2]
    if dialect == "IOB2" or (dialect == "IOB1" and after):
        return "B" + "I" * (length - 1)
    if dialect == "IOE2" or (dialect == "IOE1" and before):
        return "I" * (length - 1) + "E"
    return "I" * length
