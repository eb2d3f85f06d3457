"""The one tokeniser and sentence splitter, and every conversion of offsets.

Offsets are half-open counts of Unicode code points. UTF-16 units (as JavaScript and old
Label Studio exports count) and token indices are converted here and nowhere else.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

import msgspec
import regex

TOKEN = regex.compile(
    r"(?:\p{L}\.){2,}"  # dotted abbreviations: U.S., a.m.
    r"|\p{N}+(?:[.,:]\p{N}+)*"  # numbers: 1,200.50
    r"|[\p{L}\p{M}\p{N}]+"
    r"|['’]s\b"
    r"|[^\s\x1c-\x1f]"  # the separators of ASCII are white space to str, not to regex
)

ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof gen sen rep gov lt col capt sgt adm maj brig st rev hon jr sr "
    "jan feb mar apr jun jul aug sep sept oct nov dec no vs etc inc ltd co corp art".split()
)
STARTERS = frozenset(
    "The A An He She It They We In On At But And This That These Those His Her Its Their "
    "Both After Before As For With".split()
)
ENDS = frozenset(".!?…")
CLOSERS = frozenset("\"'”’)]»")


class Token(msgspec.Struct, frozen=True):
    """One token: code points [start, end) and its text."""

    start: int
    end: int
    text: str


def tokenize(text: str, offset: int = 0) -> tuple[Token, ...]:
    """Split into words, numbers, dotted abbreviations, ``'s`` and single marks.

    offset: added to every start and end.

    >>> [token.text for token in tokenize("The U.S.-Japan talks cost $1,200.50; Kim's aide left.")]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['The', 'U.S.', '-', 'Japan', 'talks', 'cost', '$', '1,200.50', ';', 'Kim', "'s", 'aide',
     'left', '.']
    """
    return tuple(
        Token(match.start() + offset, match.end() + offset, match.group()) for match in TOKEN.finditer(text)
    )


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Sentence spans, in order, without the white space between them.

    A line break ends a sentence, and so does ``.``, ``!``, ``?`` or ``…`` (with closing
    quotes) before white space and a capital, digit or opening mark, unless the full stop
    belongs to an initial or a known abbreviation.

    >>> text = "Gen. Roe met J. Doe. They left!"
    >>> [text[a:b] for a, b in sentences(text)]
    ['Gen. Roe met J. Doe.', 'They left!']
    """
    return tuple((chunk[0].start, chunk[-1].end) for chunk in tokenized_sentences(text))


def tokenized_sentences(text: str) -> tuple[tuple[Token, ...], ...]:
    """The tokens of each sentence; see ``sentences`` for where one ends."""
    found: list[tuple[Token, ...]] = []
    position = 0
    for line in text.split("\n"):
        tokens = tokenize(line, position)
        first = 0
        for index in range(len(tokens) - 1):
            if _ends(tokens, index):
                found.append(tokens[first : index + 1])
                first = index + 1
        if tokens[first:]:
            found.append(tokens[first:])
        position += len(line) + 1
    return tuple(found)


def _ends(tokens: Sequence[Token], index: int) -> bool:
    following = tokens[index + 1]
    if following.start == tokens[index].end:
        return False
    last = index
    while last > 0 and tokens[last].text in CLOSERS and tokens[last].start == tokens[last - 1].end:
        last -= 1
    mark = tokens[last].text
    if mark[-1] not in ENDS or not (following.text[0].isupper() or following.text[0] in "\"'“‘«([0123456789"):
        return False
    if mark == "." and last > 0:
        word = tokens[last - 1].text
        return not (word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isupper()))
    return len(mark) == 1 or following.text in STARTERS


class Alignment(msgspec.Struct, frozen=True):
    """Tokens [first, last) of a span; ``exact`` if the span's edges are token edges."""

    first: int
    last: int
    exact: bool


def align(tokens: Sequence[Token], start: int, end: int) -> Alignment | None:
    """The tokens that a span touches: the one alignment policy is to expand.

    tokens: in order, not overlapping. Returns None if the span touches no token.

    >>> align(tokenize("Freedonia's fleet"), 4, 9)
    Alignment(first=0, last=1, exact=False)
    """
    first = bisect_right(tokens, start, key=lambda token: token.end)
    last = bisect_left(tokens, end, key=lambda token: token.start)
    if first >= last:
        return None
    return Alignment(first, last, tokens[first].start == start and tokens[last - 1].end == end)


class Utf16:
    """Converts between code points and UTF-16 units of one text."""

    def __init__(self, text: str) -> None:
        """text: any string; a code point above U+FFFF counts two units."""
        units = accumulate((2 if character > "\uffff" else 1 for character in text), initial=0)
        self._units = tuple(units)

    def to_units(self, offset: int) -> int:
        """UTF-16 units before code point ``offset``; ValueError outside the text."""
        if not 0 <= offset < len(self._units):
            raise ValueError(f"offset {offset} is outside the text of {len(self._units) - 1} code points")
        return self._units[offset]

    def to_points(self, units: int) -> int:
        """Code points before UTF-16 unit ``units``; ValueError outside or inside a pair."""
        offset = bisect_left(self._units, units)
        if units < 0 or offset == len(self._units) or self._units[offset] != units:
            raise ValueError(f"UTF-16 offset {units} is not at the edge of a character of the text")
        return offset
