from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from dragoman.text import Utf16, align, sentences, tokenize, tokenized_sentences

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@given(ANY_TEXT)
def test_tokens_cover_all_but_white_space_in_order(text: str) -> None:
    tokens = tokenize(text)
    assert all(text[token.start : token.end] == token.text for token in tokens)
    assert all(one.end <= two.start for one, two in pairwise(tokens))
    covered = {place for token in tokens for place in range(token.start, token.end)}
    assert all(character.isspace() for place, character in enumerate(text) if place not in covered)


@given(ANY_TEXT)
def test_sentences_hold_every_token_once(text: str) -> None:
    flat = [token for sentence in tokenized_sentences(text) for token in sentence]
    assert [(token.start, token.end) for token in flat] == [
        (token.start + offset, token.end + offset)
        for offset, line in _lines(text)
        for token in tokenize(line)
    ]


def _lines(text: str) -> list[tuple[int, str]]:
    found, offset = [], 0
    for line in text.split("\n"):
        found.append((offset, line))
        offset += len(line) + 1
    return found


@given(ANY_TEXT, st.data())
def test_utf16_offsets_convert_there_and_back(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    converter = Utf16(text)
    units = converter.to_units(offset)
    assert units == len(text[:offset].encode("utf-16-le")) // 2
    assert converter.to_points(units) == offset


def test_utf16_offsets_inside_a_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="edge of a character"):
        Utf16("a🙂b").to_points(2)
    with pytest.raises(ValueError, match="outside"):
        Utf16("ab").to_units(3)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Mr. Roe met Gen. Vell. They talked.", 2),
        ("He lives in the U.S. He left.", 2),
        ("The U.S. Senate met on Sept. 20 in Rome.", 1),
        ("“Never.” She left. (He stayed.)", 3),
        ("J. R. Doe spoke", 1),
        ("A title without a stop\nThe first sentence. The second…  The third", 4),
        ("", 0),
    ],
)
def test_sentences_end_where_readers_end_them(text: str, count: int) -> None:
    assert len(sentences(text)) == count


def test_alignment_expands_to_the_tokens_touched() -> None:
    tokens = tokenize("North Korea's army")
    found = align(tokens, 0, 11)
    assert found is not None
    assert (found.first, found.last, found.exact) == (0, 2, True)
    assert align(tokens, 11, 12) is not None
    assert align(tokenize("a  b"), 1, 3) is None
