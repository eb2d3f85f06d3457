"""Tags to spans: small cases worked by definition, and a whole file against other scorers."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

import pytest

from dragoman.formats import conll, tags
from dragoman.formats.tags import Dialect, Mode, Span

Sentences = list[list[str]]
Rates = tuple[float | None, float | None, float | None]
Spans = set[tuple[int, Span]]

# id: title, dialect, gold, predicted, (P, R, F1) lenient and strict; None in place of a triple where no
# definition is at stake. Lenient numbers are those of conlleval (2004, Perl) where it knows the tags.
CASES: dict[str, tuple[str, Dialect, Sentences, Sentences, Rates | None, Rates | None]] = {
    "T01": (
        "I- opens a chunk after O",
        "IOB2",
        [["B-PER", "I-PER", "O"]],
        [["I-PER", "I-PER", "O"]],
        (1, 1, 1),
        (None, 0, 0),
    ),
    "T02": (
        "the label changes inside a chunk: two responses lenient, one strict",
        "IOB2",
        [["B-PER", "I-PER"]],
        [["B-PER", "I-ORG"]],
        (0, 0, 0),
        (0, 0, 0),
    ),
    "T04": (
        "singletons adjacent",
        "IOBES",
        [["S-PER", "S-PER", "O"]],
        [["S-PER", "S-PER", "O"]],
        None,
        (1, 1, 1),
    ),
    "T05": ("units adjacent", "BILOU", [["U-PER", "U-PER", "O"]], [["U-PER", "U-PER", "O"]], None, (1, 1, 1)),
    "T07": (
        "unfinished chunk",
        "IOBES",
        [["B-PER", "I-PER", "E-PER", "O"]],
        [["B-PER", "I-PER", "I-PER", "O"]],
        (1, 1, 1),
        (None, 0, 0),
    ),
    "T08": (
        "S- followed by I-: two responses lenient, one strict",
        "IOBES",
        [["S-PER", "O", "O"]],
        [["S-PER", "I-PER", "O"]],
        (0.5, 1, 0.6667),
        (1, 1, 1),
    ),
    "T10": (
        "hyphenated labels",
        "IOB2",
        [["B-ORG-GOV", "I-ORG-GOV", "O", "B-ORG-COM"]],
        [["B-ORG-GOV", "I-ORG-GOV", "O", "B-ORG-GOV"]],
        (0.5, 0.5, 0.5),
        None,
    ),
    "T11": (
        "no chunk crosses the end of a sentence",
        "IOB2",
        [["O", "B-PER"], ["I-PER", "O"]],
        [["O", "B-PER"], ["I-PER", "O"]],
        (1, 1, 1),
        (1, 1, 1),
    ),
    "T13": ("no entity in the gold", "IOB2", [["O", "O"]], [["O", "B-PER"]], (0, None, 0), None),
    "T14": ("nothing anywhere", "IOB2", [["O", "O"]], [["O", "O"]], (None, None, None), None),
    "T16": (
        "ends marked",
        "IOE2",
        [["I-PER", "E-PER", "E-PER", "O"]],
        [["I-PER", "E-PER", "E-PER", "O"]],
        None,
        (1, 1, 1),
    ),
}

# id: dialect, tags, (spans lenient, strict), derived by hand from each dialect's definition
COUNTS: dict[str, tuple[Dialect, Sentences, tuple[int, int]]] = {
    "T02": ("IOB2", [["B-PER", "I-ORG"]], (2, 1)),
    "T04": ("IOBES", [["S-PER", "S-PER", "O"]], (2, 2)),
    "T05": ("BILOU", [["U-PER", "U-PER", "O"]], (2, 2)),
    "T08": ("IOBES", [["S-PER", "I-PER", "O"]], (2, 1)),
    "T11": ("IOB2", [["O", "B-PER"], ["I-PER", "O"]], (2, 1)),
    "T16": ("IOE2", [["I-PER", "E-PER", "E-PER", "O"]], (2, 2)),
    "B- without need": ("IOB1", [["B-PER", "I-PER", "O", "I-PER", "B-PER"]], (3, 2)),
    "E- without need": ("IOE1", [["I-PER", "E-PER", "O", "E-PER", "I-PER"]], (3, 2)),
}


def spans(sentences: Sentences, dialect: Dialect, mode: Mode) -> Spans:
    return {
        (number, span)
        for number, sentence in enumerate(sentences)
        for span in tags.decode(sentence, dialect=dialect, mode=mode).spans
    }


def rates(gold: Spans, predicted: Spans) -> Rates:
    """Precision, recall and F1 by matching sets; None for 0/0."""
    hits = len(gold & predicted)
    precision = hits / len(predicted) if predicted else None
    recall = hits / len(gold) if gold else None
    f1 = 2 * hits / (len(gold) + len(predicted)) if gold or predicted else None
    return precision, recall, f1


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case}-{CASES[case][0]}")
def test_tag_cases(case: str) -> None:
    _, dialect, gold, predicted, lenient, strict = CASES[case]
    expectations: list[tuple[Mode, Rates | None]] = [("lenient", lenient), ("strict", strict)]
    for mode, expected in expectations:
        if expected is not None:
            found = rates(spans(gold, dialect, mode), spans(predicted, dialect, mode))
            assert found == pytest.approx(expected, abs=5e-5), mode


@pytest.mark.parametrize("case", COUNTS)
def test_number_of_chunks_in_each_mode(case: str) -> None:
    dialect, sentences, expected = COUNTS[case]
    assert (len(spans(sentences, dialect, "lenient")), len(spans(sentences, dialect, "strict"))) == expected


def test_each_side_is_read_in_its_own_dialect() -> None:
    gold = tags.decode(["B-PER", "I-PER", "O", "B-LOC"], dialect="BIO", mode="strict")
    predicted = tags.decode(["B-PER", "E-PER", "O", "S-LOC"], dialect="BIOES", mode="strict")
    assert gold.spans == predicted.spans == (Span(0, 2, "PER"), Span(3, 4, "LOC"))
    with pytest.raises(ValueError, match=r"'E-PER' is no tag of IOB2; expected O, B-LABEL, I-LABEL"):
        tags.decode(["B-PER", "E-PER"], dialect="IOB2", mode="lenient")


@pytest.mark.parametrize("tag", ["", "B", "B-", "-PER", "PER", "X-PER", "BI-PER", "o", "B_PER", " O"])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(ValueError, match="is no tag of IOB2"):
        tags.decode(["O", tag], dialect="IOB2", mode="lenient")


def test_unknown_dialects_and_modes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'IOB' is no dialect of tags; expected one of IOB1, IOB2"):
        tags.named("IOB")
    with pytest.raises(ValueError, match="'fair' is no mode"):
        tags.moded("fair")
    assert [tags.named(name) for name in ("bio", "iobes", "BILOU")] == ["IOB2", "BIOES", "BILOU"]


@pytest.mark.parametrize(
    "wrong",
    [[(0, 2, "A"), (1, 3, "B")], [(0, 1, "A"), (0, 1, "A")], [(2, 2, "A")], [(-1, 1, "A")], [(0, 9, "A")]],
)
def test_spans_that_tags_cannot_say_are_refused(wrong: list[tuple[int, int, str]]) -> None:
    with pytest.raises(ValueError, match=r"overlap|no stretch"):
        tags.encode(wrong, 4, dialect="IOB2")


def test_guesses_name_every_dialect_that_fits() -> None:
    assert tags.guess(["O"]) == tuple(tags.PREFIXES)
    assert tags.guess(["I-PER", "I-PER"]) == ("IOB1", "IOE1")
    assert tags.guess(["B-PER", "L-PER", "U-PER"]) == ("BILOU",)
    assert tags.guess(["I-PER", "S-PER"]) == ()


# What follows: CrossNER politics test (zliucr/CrossNER, ner_data/politics/test.txt) against a deterministic
# corruption of it. Label: (right, predicted, P, R, F1 in per cent), as conlleval (2004, Perl) prints them.
Row = tuple[int, int, float, float, float]
WELL_FORMED: dict[str, Row] = {
    "country": (225, 398, 56.53, 53.83, 55.15),
    "election": (168, 431, 38.98, 38.71, 38.84),
    "event": (76, 204, 37.25, 38.97, 38.10),
    "location": (335, 509, 65.82, 55.93, 60.47),
    "misc": (148, 360, 41.11, 57.36, 47.90),
    "organisation": (232, 485, 47.84, 45.22, 46.49),
    "person": (150, 364, 41.21, 42.37, 41.78),
    "politicalparty": (420, 901, 46.61, 44.07, 45.31),
    "politician": (223, 515, 43.30, 45.98, 44.60),
    "all": (1977, 4167, 47.44, 46.97, 47.21),
}
MALFORMED: dict[str, Row] = {
    "country": (225, 396, 56.82, 53.83, 55.28),
    "election": (173, 423, 40.90, 39.86, 40.37),
    "event": (79, 201, 39.30, 40.51, 39.90),
    "location": (334, 505, 66.14, 55.76, 60.51),
    "misc": (147, 359, 40.95, 56.98, 47.65),
    "organisation": (233, 482, 48.34, 45.42, 46.83),
    "person": (152, 357, 42.58, 42.94, 42.76),
    "politicalparty": (427, 891, 47.92, 44.81, 46.31),
    "politician": (227, 508, 44.69, 46.80, 45.72),
    "all": (1997, 4122, 48.45, 47.45, 47.94),
}
# seqeval 1.2.2, mode="strict", scheme=IOB2: micro P, R, F1 and macro F1
STRICT = {
    "well": (0.474442, 0.469708, 0.472063, 0.46515),
    "malformed": (0.482841, 0.434545, 0.457422, 0.450835),
}


@pytest.fixture(scope="module")
def crossner() -> Path:
    """The test file of CrossNER politics."""
    root = os.environ.get("DRAGOMAN_DATA")
    if not root:
        pytest.skip("DRAGOMAN_DATA is not set, so there is no CrossNER to read")
    return Path(root) / "crossner" / "politics-test.txt"


@pytest.fixture(scope="module")
def gold_tags(crossner: Path) -> Sentences:
    blocks = crossner.read_text("utf-8").split("\n\n")
    return [[line.split("\t")[1] for line in block.split("\n")] for block in blocks if block.strip()]


def corrupted(gold: Sentences) -> Sentences:
    """Drops, relabels, moves, cuts and splits gold entities by their running number."""
    read = [tags.decode(sentence, dialect="IOB2", mode="strict").spans for sentence in gold]
    labels = sorted({span.label for sentence in read for span in sentence})
    counter = 0
    result = []
    for number, (sentence, written) in enumerate(zip(read, gold, strict=True)):
        occupied = {index for span in sentence for index in range(span.start, span.end)}
        found: list[tuple[int, int, str]] = []
        for start, end, label in sentence:
            kind = counter % 10
            counter += 1
            free = end < len(written) and end not in occupied
            if kind == 1:
                found.append((start, end, labels[(labels.index(label) + 1) % len(labels)]))
            elif kind == 2 and free:
                found.append((start, end + 1, label))
            elif kind == 3 and end - start > 1:
                found.append((start, end - 1, label))
            elif kind == 4 and free:
                found.append((start + 1, end + 1, label))
            elif kind == 5 and end - start > 1:
                middle = (start + end - 1) // 2 + 1
                found += [(start, middle, label), (middle, end, label)]
            elif kind != 0:
                found.append((start, end, label))
        if number % 7 == 3:
            taken = occupied | {index for start, end, _ in found for index in range(start, end)}
            spare = [index for index in range(len(written)) if index not in taken]
            found += [(index, index + 1, "misc") for index in spare[:1]]
        result.append(tags.encode(found, len(written), dialect="IOB2"))
    return result


def broken(predicted: Sentences) -> Sentences:
    """Every eleventh chunk, from the sixth, loses its B-."""
    counter = 0
    result = []
    for sentence in predicted:
        changed = list(sentence)
        for span in tags.decode(sentence, dialect="IOB2", mode="strict").spans:
            if counter % 11 == 5:
                changed[span.start] = "I-" + span.label
            counter += 1
        result.append(changed)
    return result


def joined_hash(sentences: Sentences) -> str:
    return hashlib.sha256("\n\n".join("\n".join(sentence) for sentence in sentences).encode()).hexdigest()


def per_label(gold: Spans, predicted: Spans) -> dict[str, Row]:
    counts = [Counter(span.label for _, span in side) for side in (gold & predicted, predicted, gold)]
    rows = {label: tuple(count[label] for count in counts) for label in counts[2]}
    rows["all"] = tuple(sum(count.values()) for count in counts)
    return {
        label: (right, made, 100 * right / made, 100 * right / true, 200 * right / (made + true))
        for label, (right, made, true) in rows.items()
    }


@pytest.mark.parametrize(
    ("form", "expected", "digest"),
    [
        ("well", WELL_FORMED, "a9a6d199c0a113e16fc40f5d68452673902aa70d5c443f732dfbe6ef8aa56cca"),
        ("malformed", MALFORMED, "14b80c741a34c2d8ea02b8e7d0a34e37ded1a4391e82501d7919fc1a86db2c04"),
    ],
)
def test_conlleval_and_seqeval_agree_on_a_whole_file(
    gold_tags: Sentences, form: str, expected: dict[str, Row], digest: str
) -> None:
    predicted = corrupted(gold_tags)
    if form == "malformed":
        predicted = broken(predicted)
    assert joined_hash(predicted) == digest
    gold = spans(gold_tags, "IOB2", "lenient")
    assert (len(gold_tags), sum(map(len, gold_tags)), len(gold)) == (651, 27585, 4209)
    lenient = per_label(gold, spans(predicted, "IOB2", "lenient"))
    assert lenient.keys() == expected.keys()
    for label, row in expected.items():
        assert lenient[label] == pytest.approx(row, abs=0.00501), label
    strict = per_label(gold, spans(predicted, "IOB2", "strict"))
    right, made, *_ = strict.pop("all")
    macro = sum(row[4] for row in strict.values()) / len(strict) / 100
    found = (right / made, right / len(gold), 2 * right / (made + len(gold)), macro)
    assert found == pytest.approx(STRICT[form], abs=5e-7)


def test_every_lost_b_is_one_malformed_tag(gold_tags: Sentences) -> None:
    predicted = corrupted(gold_tags)
    lost = sum(
        a != b
        for one, other in zip(predicted, broken(predicted), strict=True)
        for a, b in zip(one, other, strict=True)
    )
    assert lost == len(range(5, 4167, 11))
    assert sum(tags.decode(s, dialect="IOB2", mode="lenient").malformed for s in predicted) == 0
    found = sum(tags.decode(s, dialect="IOB2", mode="lenient").malformed for s in broken(predicted))
    merged = 4167 - 4122  # a lost B- right after a chunk of its label makes one well-formed chunk of two
    assert found == lost - merged


def test_a_whole_file_reads_as_documents(crossner: Path) -> None:
    found = conll.read(crossner, schema="crossner/1", dialect="BIO", mode="strict", per_sentence=True)
    assert (len(found.documents), sum(len(d.entities) for d in found.documents)) == (651, 4209)
    assert found.counts() == {"skipped": 0, "unaligned": 0, "duplicate": 0, "malformed": 0}
    assert found.documents[0].id == "politics-test-1"
    assert conll.guess(crossner) == ("IOB2",)
