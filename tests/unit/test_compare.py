import msgspec
import numpy as np
import pytest

from dragoman.errors import ScoreError
from dragoman.score import compare
from dragoman.types import Document
from tests.builders import SCHEMA, lakeside

GOLD = [lakeside(f"a-{n}") for n in range(20)]


def worse(every: int) -> list[Document]:
    """Predictions without entities in every n-th document."""
    return [
        msgspec.structs.replace(d, entities=(), relations=(), clusters=()) if n % every == 0 else d
        for n, d in enumerate(GOLD)
    ]


def test_a_system_against_itself_does_not_differ() -> None:
    found = compare(GOLD, {"one": worse(3), "two": worse(3)}, SCHEMA, resamples=500)[0]
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_a_clear_difference_is_found_and_signed() -> None:
    found = compare(GOLD, {"good": GOLD, "bad": worse(2)}, SCHEMA, metric="entities.strict", resamples=2000)[
        0
    ]
    assert found.first_f1 == 1
    # 10 of 20 documents predicted: P 1, R 1/2, F1 2/3
    assert found.difference == pytest.approx(1 / 3)
    assert found.low is not None
    assert found.p is not None
    assert found.low > 0
    assert found.p < 0.01
    turned = compare(GOLD, {"bad": worse(2), "good": GOLD}, SCHEMA, metric="entities.strict", resamples=2000)[
        0
    ]
    assert turned.difference == pytest.approx(-1 / 3)


def test_p_is_never_zero() -> None:
    found = compare(GOLD, {"good": GOLD, "bad": worse(1)}, SCHEMA, metric="entities.strict", resamples=99)[0]
    assert found.p == pytest.approx(1 / 100)


def test_equal_rows_are_drawn_together() -> None:
    found = compare(GOLD, {"good": GOLD, "bad": worse(2)}, SCHEMA, metric="entities.strict", resamples=50)[0]
    assert (found.documents, found.distinct) == (20, 2)


def test_distinct_rows_give_the_interval_of_plain_resampling() -> None:
    found = compare(
        GOLD, {"good": GOLD, "bad": worse(2)}, SCHEMA, metric="entities.strict", resamples=20_000
    )[0]
    # plainly: draw 20 documents; the bad system's recall is the share of drawn documents it predicted
    drawn = np.random.default_rng(7).integers(0, 20, size=(20_000, 20)) % 2
    recall = drawn.mean(axis=1)
    plain = 1 - 2 * recall / (1 + recall)
    assert found.low == pytest.approx(np.percentile(plain, 2.5), abs=0.02)
    assert found.high == pytest.approx(np.percentile(plain, 97.5), abs=0.02)


def test_three_systems_are_adjusted_by_holm() -> None:
    systems = {"a": GOLD, "b": worse(2), "c": worse(2)}
    found = compare(GOLD, systems, SCHEMA, metric="entities.strict", macro=True, resamples=999)
    by_pair = {(r.first, r.second): r for r in found}
    p = [by_pair[pair].p or 0 for pair in (("a", "b"), ("a", "c"), ("b", "c"))]
    adjusted = [by_pair[pair].adjusted_p or 0 for pair in (("a", "b"), ("a", "c"), ("b", "c"))]
    assert adjusted[0] == pytest.approx(min(1, 3 * min(p[:2]))) or adjusted[1] == pytest.approx(
        3 * min(p[:2])
    )
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert adjusted[2] == 1


def test_the_same_seed_gives_the_same_comparison() -> None:
    systems = {"a": worse(3), "b": worse(2)}
    one = compare(GOLD, systems, SCHEMA, seed=5, resamples=300)
    assert one == compare(GOLD[::-1], {k: v[::-1] for k, v in systems.items()}, SCHEMA, seed=5, resamples=300)


def test_few_documents_are_not_tested() -> None:
    found = compare(GOLD[:5], {"a": GOLD[:5], "b": worse(2)[:5]}, SCHEMA)[0]
    assert found.p is None
    assert found.note == "no test: fewer than 10 documents"


def test_wrong_use_is_refused() -> None:
    with pytest.raises(ScoreError, match="two systems"):
        compare(GOLD, {"a": GOLD}, SCHEMA)
    with pytest.raises(ScoreError, match=r"entities\.strict"):
        compare(GOLD, {"a": GOLD, "b": GOLD}, SCHEMA, metric="entities.vague")
