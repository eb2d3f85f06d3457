"""Facts are paired as well as any pairing can, found here by trying all of them."""

from __future__ import annotations

from itertools import permutations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from dragoman.score.matching import Fact, pair_facts

MENTIONS = st.frozensets(
    st.sampled_from([(((start, start + 1),), label) for start in range(3) for label in "AB"]),
    min_size=1,
    max_size=3,
)
FACTS = st.lists(st.tuples(st.sampled_from(["one", "both"]), MENTIONS, MENTIONS), max_size=4)


def same(rule: str, one: frozenset[object], two: frozenset[object]) -> bool:
    if rule == "hard":
        return one == two
    return min(one) == min(two) if rule == "first-mention" else bool(one & two)  # type: ignore[type-var]


def fits(rule: str, one: Fact, two: Fact) -> bool:
    straight = same(rule, one[1], two[1]) and same(rule, one[2], two[2])
    crossed = same(rule, one[1], two[2]) and same(rule, one[2], two[1])
    return one[0] == two[0] and (straight or (one[0] == "both" and crossed))


@pytest.mark.parametrize("rule", ["any-mention", "first-mention", "hard"])
@given(gold=FACTS, predicted=FACTS)
def test_as_many_facts_as_possible_are_paired(rule: str, gold: list[Fact], predicted: list[Fact]) -> None:
    pairs = pair_facts(gold, predicted, rule=rule, symmetric=frozenset({"both"}))
    assert all(fits(rule, gold[g], predicted[p]) for g, p in pairs)
    assert len({g for g, _ in pairs}) == len({p for _, p in pairs}) == len(pairs)
    padded = [*predicted, *[None] * len(gold)]
    most = max(
        sum(p is not None and fits(rule, g, p) for g, p in zip(gold, order, strict=False))
        for order in permutations(padded, len(gold))
    )
    assert len(pairs) == most
