"""Commands around scores: floors, verification, kinds of error, calibration, other formats."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from dragoman.formats import native
from tests.builders import lakeside
from tests.cli.test_commands import dragoman

GOLD = "Freedonia\tB-GPE\nand\tO\nAna\tB-PERSON\nVell\tI-PERSON\nmet\tO\n"


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    for number in range(3):
        native.write(tmp_path / "gold" / f"a-{number}.json", lakeside(f"a-{number}"))
    return tmp_path / "gold"


@pytest.fixture
def conll(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "gold.conll", tmp_path / "predicted.conll"
    paths[0].write_text(GOLD, "utf-8")
    paths[1].write_text(GOLD.replace("I-PERSON", "O"), "utf-8")
    return paths


def test_a_missed_floor_ends_with_1(gold: Path) -> None:
    assert dragoman("score", gold, gold, "--floor", "entities.strict.f1=1").returncode == 0
    done = dragoman("score", gold, gold, "--floor", "entities.strict:LOC.f1=0.5")
    assert done.returncode == 1
    assert "[floor] entities.strict LOC f1 is undefined" in done.stderr
    assert dragoman("score", gold, gold, "--floor", "f1=0.5").returncode == 2


def test_a_result_is_verified(gold: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    dragoman("score", gold, gold, "--format", "json", "-o", result)
    done = dragoman("verify", result, gold, gold)
    assert (done.returncode, "every figure" in done.stdout) == (0, True)
    result.write_text(result.read_text("utf-8").replace('"f1": 1.0', '"f1": 0.9', 1), "utf-8")
    assert dragoman("verify", result, gold, gold).returncode == 1


def test_rows_of_slices_are_verified_with_their_slices(gold: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    dragoman("score", gold, gold, "--slice", "length", "--format", "json", "-o", result)
    done = dragoman("verify", result, gold, gold)
    assert (done.returncode, "rows of slices were not computed anew" in done.stdout) == (0, True)
    done = dragoman("verify", result, gold, gold, "--slice", "length")
    assert (done.returncode, "every figure" in done.stdout) == (0, True)
    card = json.loads(result.read_text("utf-8"))
    next(row for row in card["rows"] if row["slice"] == "length=2")["gold"] += 1
    result.write_text(json.dumps(card), "utf-8")
    done = dragoman("verify", result, gold, gold, "--slice", "length")
    assert (done.returncode, "length=2" in done.stdout) == (1, True)


def test_predictions_below_a_score_are_left_out_and_counted(gold: Path, tmp_path: Path) -> None:
    document = native.read(gold / "a-0.json")
    scored = [
        msgspec.structs.replace(entity, score=0.2 if number == 0 else 0.9)
        for number, entity in enumerate(document.entities)
    ]
    predicted = msgspec.structs.replace(document, entities=tuple(scored))
    for name, side in (("one", document), ("two", predicted)):
        native.write(tmp_path / name / "a-0.json", side)
    hanging = sum(scored[0].id in (r.source, r.target) for r in document.relations)
    places = tmp_path / "one", tmp_path / "two"
    result = tmp_path / "result.json"
    done = dragoman("score", *places, "--min-score", "0.5", "--format", "json", "-o", result)
    assert done.returncode == 0, done.stderr
    card = json.loads(result.read_text("utf-8"))
    unscored = len(document.relations) - hanging
    assert card["conversion"] == {"predicted below-score": 1 + hanging, "predicted without-score": unscored}
    assert f"{unscored} predictions have no score" in done.stderr
    assert all("|min-score:entities 0.5, relations 0.5|" in line for line in card["signatures"].values())
    strict = next(r for r in card["rows"] if (r["metric"], r["label"]) == ("entities.strict", "micro"))
    assert (strict["gold"], strict["predicted"]) == (len(scored), len(scored) - 1)
    assert dragoman("verify", result, *places, "--min-score", "0.5").returncode == 0
    forgotten = dragoman("verify", result, *places)
    assert forgotten.returncode == 2
    assert "made with min-score: entities 0.5, relations 0.5, not none" in forgotten.stderr
    result.write_text(result.read_text("utf-8").replace('below-score": ', 'below-score": 9'), "utf-8")
    assert "conversion differs" in dragoman("verify", result, *places, "--min-score", "0.5").stdout


@pytest.mark.parametrize("wrong", ["2", "x", "facts=0.5", "entities=", "nan"])
def test_odd_thresholds_are_refused(gold: Path, wrong: str) -> None:
    done = dragoman("score", gold, gold, "--min-score", wrong)
    assert (done.returncode, "from 0 to 1" in done.stderr) == (2, True)


def test_a_threshold_found_by_calibration_gives_its_score(gold: Path, tmp_path: Path) -> None:
    for number in range(3):
        found = native.read(gold / f"a-{number}.json")
        entities = tuple(msgspec.structs.replace(e, score=0.3) for e in found.entities)
        relations = tuple(
            msgspec.structs.replace(r, score=0.9 / (1 + place), label="supports" if place else r.label)
            for place, r in enumerate(found.relations)
        )
        predicted = msgspec.structs.replace(found, entities=entities, relations=relations)
        native.write(tmp_path / "p" / f"a-{number}.json", predicted)
    places = gold, tmp_path / "p"
    told = dragoman("calibrate", *places, "--metric", "relations.strict", "--format", "json")
    best = json.loads(told.stdout)["best"]
    assert (
        f"--min-score relations={best['threshold']}"
        in dragoman("calibrate", *places, "--metric", "relations.strict").stdout
    )
    options = ("--min-score", f"relations={best['threshold']}", "--format", "json")
    rows = json.loads(dragoman("score", *places, *options).stdout)["rows"]
    strict = next(r for r in rows if (r["metric"], r["label"]) == ("relations.strict", "micro"))
    assert strict["f1"] == pytest.approx(best["f1"])


def test_clusters_are_scored(gold: Path) -> None:
    done = dragoman("coreference", gold, gold)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:6]] == [
        "muc",
        "b3",
        "ceafe",
        "lea",
        "conll",
    ]
    assert "100.0" in done.stdout.splitlines()[5]
    assert "task:coreference|singletons:no" in dragoman("coreference", gold, gold, "--no-singletons").stdout
    assert dragoman("coreference", gold, gold, "--format", "csv").stdout.startswith("metric,")


def test_predictions_in_tasks_are_scored(gold: Path, tmp_path: Path) -> None:
    for number in range(3):
        found = native.read(gold / f"a-{number}.json")
        entities = tuple(msgspec.structs.replace(e, score=0.25) for e in found.entities)
        native.write(tmp_path / "p" / f"a-{number}.json", msgspec.structs.replace(found, entities=entities))
    tasks = tmp_path / "tasks.json"
    sent = dragoman("convert", tmp_path / "p", "--to", "labelstudio", "-o", tasks)
    assert sent.returncode == 0, sent.stderr
    scored = dragoman("score", gold, tasks, "--min-score", "entities=0.5", "--format", "json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["conversion"]["predicted below-score"] > 0
    whole = json.loads(dragoman("score", gold, tasks, "--format", "json").stdout)
    assert {r["f1"] for r in whole["rows"] if r["label"] == "micro"} == {1.0}
    assert dragoman("score", tasks, gold).returncode == 2


def test_the_schema_named_is_that_of_inline_files(tmp_path: Path) -> None:
    schema = tmp_path / "trade.toml"
    schema.write_text('name = "trade"\nversion = 1\n[entities.FIRM]\ndescription = "a company"\n', "utf-8")
    place = tmp_path / "g" / "a.txt"
    place.parent.mkdir()
    place.write_text("id: a\ntitle: A\n\n[Acme]{T1 FIRM} buys.\n---\n", "utf-8")
    done = dragoman("score", place.parent, place.parent, "--schema", schema)
    assert (done.returncode, "schema:trade/1" in done.stdout) == (0, True), done.stderr


def test_a_surface_that_the_text_lacks_is_refused(gold: Path, tmp_path: Path) -> None:
    found = native.read(gold / "a-0.json")
    wrong = msgspec.structs.replace(found.entities[0], surface="zzz")
    native.write(tmp_path / "p.json", msgspec.structs.replace(found, entities=(wrong, *found.entities[1:])))
    done = dragoman("score", gold / "a-0.json", tmp_path / "p.json")
    assert (done.returncode, "states the surface 'zzz'" in done.stderr) == (2, True)


def test_systems_in_different_settings_are_noticed(gold: Path, tmp_path: Path) -> None:
    for number in range(3):
        found = native.read(gold / f"a-{number}.json")
        native.write(tmp_path / "p" / f"a-{number}.json", msgspec.structs.replace(found, relations=()))
    done = dragoman("compare", gold, gold, tmp_path / "p", "--format", "csv")
    assert f"predicted entities of {tmp_path / 'p'} are exactly the gold ones" in done.stderr
    assert done.stdout.startswith("metric,")


def test_a_slice_of_an_unknown_key_is_refused(gold: Path) -> None:
    done = dragoman("score", gold, gold, "--slice", "meta.nope")
    assert (done.returncode, "'nope'" in done.stderr) == (2, True)


def test_given_entities_are_noticed(gold: Path, tmp_path: Path) -> None:
    for number in range(3):
        found = native.read(gold / f"a-{number}.json")
        native.write(tmp_path / "p" / f"a-{number}.json", msgspec.structs.replace(found, relations=()))
    assert "say --given mentions" in dragoman("score", gold, tmp_path / "p").stderr
    assert "--given" not in dragoman("score", gold, gold).stderr
    assert "--given" not in dragoman("score", gold, tmp_path / "p", "--given", "mentions").stderr


def test_gold_is_never_overwritten_by_results(gold: Path) -> None:
    done = dragoman("score", gold, gold, "-o", gold / "a-0.json")
    assert done.returncode == 2
    assert native.read(gold / "a-0.json") == lakeside("a-0")


def test_conll_is_scored_once_its_dialect_is_named(conll: tuple[Path, Path]) -> None:
    done = dragoman("score", *conll)
    assert done.returncode == 2
    assert "[conll-dialect]" in done.stderr
    assert "IOB2" in done.stderr
    done = dragoman("score", *conll, "--dialect", "IOB2", "--mode", "strict", "--format", "json")
    card = json.loads(done.stdout)
    strict = next(r for r in card["rows"] if (r["metric"], r["label"]) == ("entities.strict", "micro"))
    assert (strict["gold"], strict["predicted"], strict["correct"]) == (2, 2, 1)
    assert card["conversion"]["gold malformed"] == 0


def test_predictions_may_be_in_another_dialect_than_the_gold(conll: tuple[Path, Path]) -> None:
    conll[1].write_text(GOLD.replace("I-PERSON", "E-PERSON").replace("B-GPE", "S-GPE"), "utf-8")
    mode = ("--mode", "strict", "--format", "json")
    done = dragoman("score", *conll, "--dialect", "IOB2", "--predicted-dialect", "BIOES", *mode)
    card = json.loads(done.stdout)
    strict = next(r for r in card["rows"] if (r["metric"], r["label"]) == ("entities.strict", "micro"))
    assert (strict["gold"], strict["predicted"], strict["correct"]) == (2, 2, 2)


def test_control_characters_never_reach_a_terminal(gold: Path, tmp_path: Path) -> None:
    line = native.dump_line(lakeside("placeholder")).replace("placeholder", "b\\u001b[2J")
    (tmp_path / "p.jsonl").write_text(line, "utf-8")
    done = dragoman("score", gold, tmp_path / "p.jsonl")
    assert (done.returncode, "x1b[2J" in done.stderr, "\x1b" in done.stderr) == (2, True, False), done.stderr


def test_malformed_tags_are_counted_in_the_result(conll: tuple[Path, Path]) -> None:
    conll[1].write_text(GOLD.replace("B-PERSON", "O"), "utf-8")
    done = dragoman("score", *conll, "--dialect", "IOB2", "--mode", "lenient")
    assert "read with changes: 1 predicted malformed" in done.stdout
    assert "malformed" in done.stderr


def test_errors_are_sorted_and_counted(conll: tuple[Path, Path]) -> None:
    done = dragoman("errors", *conll, "--dialect", "IOB2", "--mode", "strict", "--format", "json")
    found = {kind["kind"]: kind["count"] for kind in json.loads(done.stdout)[0]["kinds"]}
    assert found["right"] == 1
    assert sum(found.values()) == 1
    table = dragoman("errors", *conll, "--dialect", "IOB2", "--mode", "strict").stdout
    assert "only the right edge is wrong" in table


def test_calibration_needs_scores(gold: Path, tiny_model: Path, tmp_path: Path) -> None:
    assert "has no score" in dragoman("calibrate", gold, gold).stderr
    predicted = tmp_path / "predicted"
    dragoman("extract", gold, "-m", tiny_model, "-o", predicted)
    found = json.loads(dragoman("calibrate", gold, predicted, "--format", "json").stdout)
    assert sum(one["count"] for one in found["bins"]) == found["predicted"] > 0
    assert "expected calibration error" in dragoman("calibrate", gold, predicted).stdout


def test_slices_are_shown(gold: Path) -> None:
    table = dragoman("score", gold, gold, "--slice", f"seen={gold}", "--slice", "meta.kind").stdout
    assert "seen=seen" in table
    assert "meta.kind=treaty signing" in table
    assert "expected length" in dragoman("score", gold, gold, "--slice", "nonsense").stderr


def test_comparisons_are_a_table_with_signature(gold: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    dragoman("convert", gold, "-o", other)
    done = dragoman("compare", gold, gold, other)
    assert "No test: fewer than 10 documents." in done.stdout
    assert "correction:Holm over 1" in done.stdout


def test_brat_and_conll_go_out_and_come_back(gold: Path, tmp_path: Path) -> None:
    done = dragoman("convert", gold, "--to", "brat", "-o", tmp_path / "brat")
    assert done.returncode == 0, done.stderr
    assert dragoman("score", gold, tmp_path / "brat", "--floor", "relations.strict.f1=1").returncode == 0
    back = dragoman("convert", tmp_path / "brat", "--from", "brat", "--to", "jsonl")
    assert back.stdout.count('"id": "a-') == 3
    done = dragoman("convert", gold, "--to", "conll", "--dialect", "BIOES", "-o", tmp_path / "conll")
    assert done.returncode == 0
    assert "skipped" in done.stderr
    words = ("--dialect", "BIOES", "--mode", "strict")
    read = dragoman("convert", tmp_path / "conll", *words, "--to", "jsonl")
    assert read.stdout.count('"label": "GPE"') == 9
    assert dragoman("convert", gold, "--to", "brat").returncode == 2
    assert "dialect" in dragoman("convert", gold, "--to", "conll").stderr


def test_other_formats_are_verified_calibrated_and_compared_as_well(
    conll: tuple[Path, Path], tmp_path: Path
) -> None:
    tags = ("--dialect", "IOB2", "--mode", "strict")
    result = tmp_path / "result.json"
    assert dragoman("score", *conll, *tags, "--format", "json", "-o", result).returncode == 0
    assert dragoman("verify", result, *conll, *tags).returncode == 0
    done = dragoman("calibrate", *conll, *tags)
    assert "[conll-dialect]" not in done.stderr
    folders = [tmp_path / name for name in ("ann", "bob")]
    for folder, path in zip(folders, conll, strict=True):
        folder.mkdir()
        (folder / "a.conll").write_text(path.read_text("utf-8"), "utf-8")
    agreed = dragoman("annotate", "agree", *folders, *tags)
    assert (agreed.returncode, "entities" in agreed.stdout) == (0, True)
