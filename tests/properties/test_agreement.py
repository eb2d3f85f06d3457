"""Agreement against its definitions written out, and what no number may depend on."""

from __future__ import annotations

from itertools import permutations

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from dragoman.score import agreement
from dragoman.score.coefficients import cohen, cohen_kappa, fleiss_kappa, krippendorff, scott_pi
from dragoman.types import Document
from tests.builders import SCHEMA
from tests.properties.strategies import documents

CATEGORIES = st.sampled_from("abcd")


@st.composite
def answers(draw: st.DrawFn, *, missing: bool, most: int = 4) -> list[list[str | None]]:
    """annotators x units."""
    units = draw(st.integers(1, 12))
    answer = st.none() | CATEGORIES if missing else CATEGORIES
    row = st.lists(answer, min_size=units, max_size=units)
    return draw(st.lists(row, min_size=2, max_size=most))


@given(answers(missing=True))
def test_alpha_is_the_disagreement_of_pairs_over_that_of_all_pairs(values: list[list[str | None]]) -> None:
    columns = [[a for a in column if a is not None] for column in zip(*values, strict=True)]
    columns = [column for column in columns if len(column) >= 2]
    pooled = [answer for column in columns for answer in column]
    observed = sum(sum(a != b for a, b in permutations(column, 2)) / (len(column) - 1) for column in columns)
    apart = sum(a != b for a, b in permutations(pooled, 2))
    found = krippendorff(values)
    assert found.units == len(columns)
    if apart:
        share = (observed / len(pooled)) / (apart / (len(pooled) * (len(pooled) - 1)))
        assert found.value == pytest.approx(1 - share)
    else:
        assert found.value is None
        assert found.reason


@given(answers(missing=False, most=2))
def test_the_coefficients_of_two_annotators_hang_together(values: list[list[str]]) -> None:
    one, two = values
    pi, kappa, alpha = scott_pi(one, two), cohen_kappa(one, two), krippendorff(values)
    counts = [[(a, b).count(category) for category in "abcd"] for a, b in zip(one, two, strict=True)]
    assert fleiss_kappa(counts) == (None if pi is None else pytest.approx(pi))
    assert (pi is None) == (alpha.value is None) == (kappa is None)
    if pi is not None and alpha.value is not None and kappa is not None:
        answered = 2 * len(one)
        assert alpha.value == pytest.approx(1 - (1 - pi) * (answered - 1) / answered)
        assert kappa >= pi - 1e-12  # own distributions never expect more agreement than the pooled one
        assert kappa <= 1
    assert cohen_kappa(two, one) == (None if kappa is None else pytest.approx(kappa))


@given(answers(missing=False, most=2), st.permutations("abcd"))
def test_names_of_categories_do_not_matter(values: list[list[str]], names: list[str]) -> None:
    renamed = [[names["abcd".index(answer)] for answer in row] for row in values]
    assert cohen(*values) == cohen(*renamed)


@st.composite
def rounds(draw: st.DrawFn) -> dict[str, Document]:
    """One text as two or three annotators left it."""
    first = draw(documents(scored=False))
    found = {"a": first}
    for name in "bc"[: draw(st.integers(1, 2))]:
        other = draw(documents(scored=False))
        entities = tuple(
            msgspec.structs.replace(entity, id=f"T{n}", surface=None)
            for n, entity in enumerate(other.entities + first.entities)
            if entity.end <= len(first.text or "") and draw(st.booleans())
        )
        ids = [entity.id for entity in entities]
        relations = tuple(
            msgspec.structs.replace(
                relation, source=draw(st.sampled_from(ids)), target=draw(st.sampled_from(ids))
            )
            for relation in other.relations
            if ids
        )
        found[name] = msgspec.structs.replace(first, entities=entities, relations=relations, clusters=())
    layers = ("entities", "relations", "clusters")
    return {name: msgspec.structs.replace(document, layers=layers) for name, document in found.items()}


@settings(max_examples=60, deadline=None)
@given(rounds(), st.sampled_from(["tokens", "spans", "pairs"]), st.sampled_from(["drop", "pairwise"]))
def test_the_order_of_annotators_never_changes_a_number(
    given_rounds: dict[str, Document], unit: str, missing: str
) -> None:
    def numbers(names: list[str]) -> dict[tuple[object, ...], object]:
        found = agreement({n: [given_rounds[n]] for n in names}, SCHEMA, unit=unit, missing=missing)  # type: ignore[arg-type]
        for row in found.rows:
            assert row.value is None or row.value <= 1
            assert (row.value is None) == ("undefined" in (row.note or ""))
        return {
            (row.metric, row.unit, row.label, frozenset(row.annotators)): (
                row.n_units,
                None if row.value is None else pytest.approx(row.value),
            )
            for row in found.rows
        }

    names = list(given_rounds)
    assert numbers(names) == numbers(names[::-1])
