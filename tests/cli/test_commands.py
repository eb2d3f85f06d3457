"""Commands as users type them: results on stdout, the rest on stderr, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.formats import inline, native
from tests.builders import LAKESIDE, ROOT, lakeside

Done = subprocess.CompletedProcess[str]


def dragoman(*words: object, cwd: Path = ROOT, text: str | None = None) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "dragoman", *map(str, words)],
        cwd=cwd,
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, "DRAGOMAN_TEXTS": ""},
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    folder = tmp_path / "gold"
    for number in range(3):
        native.write(folder / f"a-{number}.json", lakeside(f"a-{number}"))
    return folder


def test_validate_prints_nothing_and_succeeds_on_good_documents(gold: Path) -> None:
    done = dragoman("validate", gold)
    assert (done.returncode, done.stdout) == (0, "")
    assert "3 documents: 0 errors, 0 warnings" in done.stderr


def test_validate_fails_with_findings_on_bad_ones() -> None:
    done = dragoman("validate", "tests/cases/invalid")
    assert done.returncode == 1
    assert "[entity-surface]" in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["validate", "no/such/folder"], "not-found"),
        (["validate"], "Missing argument"),
        (["validate", "src"], "empty-folder"),
        (["frobnicate"], "No such command"),
        (["score", "corpus/test", "no-such"], "not-found"),
        (["score", "corpus/test", "corpus/dev"], "different articles"),
        (["extract", "README.md", "-m", "no/model"], "dragoman train"),
        (["extract", "README.md", "-m", "src"], "manifest.json"),
        (["train", "no-recipe.toml"], "can't be read"),
        (["train", "pyproject.toml"], "recipe"),
        (["convert", "README.md"], "not-json"),
        (["annotate", "config", "--schema", "pyproject.toml"], "not a schema"),
        (["corpus", "stats", "nowhere"], "not-found"),
        (["corpus", "seal", "src", "--version", "1"], "empty-folder"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_to_do(words: list[str], says: str) -> None:
    done = dragoman(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


def test_convert_there_and_back_loses_nothing(gold: Path, tmp_path: Path) -> None:
    dragoman("convert", gold, "--to", "inline", "--comments", "-o", tmp_path / "inline")
    dragoman("convert", tmp_path / "inline", "-o", tmp_path / "back")
    for path in gold.iterdir():
        assert (tmp_path / "back" / path.name).read_bytes() == path.read_bytes()
    lines = dragoman("convert", gold, "--to", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["a-0", "a-1", "a-2"]


def test_convert_in_place_makes_files_canonical(gold: Path) -> None:
    path = gold / "a-0.json"
    good = path.read_bytes()
    path.write_text(json.dumps(json.loads(good), indent=3), "utf-8")
    assert dragoman("validate", gold).returncode == 1
    assert dragoman("convert", gold, "--in-place").returncode == 0
    assert path.read_bytes() == good


def test_ids_never_name_files_elsewhere(gold: Path, tmp_path: Path) -> None:
    native.write(gold / "a-0.json", lakeside("../../escaped"))
    done = dragoman("convert", gold, "-o", tmp_path / "out" / "deep")
    assert done.returncode == 2
    assert not list(tmp_path.glob("**/escaped*"))


def test_score_prints_a_table_and_json(gold: Path) -> None:
    table = dragoman("score", gold, gold)
    assert table.returncode == 0
    assert "100.0" in table.stdout
    card = json.loads(dragoman("score", gold, gold, "--format", "json").stdout)
    assert {row["f1"] for row in card["rows"] if row["gold"]} == {1.0}
    assert card["note"] == "no interval: fewer than 10 documents"


def test_systems_are_compared_pair_by_pair(gold: Path) -> None:
    done = dragoman("compare", gold, gold, gold)
    assert (done.returncode, "is named twice" in done.stderr) == (2, True)
    done = dragoman("compare", gold, gold)
    assert (done.returncode, "two systems" in done.stderr) == (2, True)
    other = gold.parent / "other"
    dragoman("convert", gold, "-o", other)
    found = json.loads(dragoman("compare", gold, gold, other, "--format", "json").stdout)
    assert found["difference"] == 0
    assert found["note"] == "no test: fewer than 10 documents"


def test_extract_writes_jsonl_or_documents(tiny_model: Path, tmp_path: Path) -> None:
    article = tmp_path / "lakeside.txt"
    article.write_text(lakeside().text or "", "utf-8")
    done = dragoman("extract", article, "-m", tiny_model, "--date", "1987-05-04")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["entities"][3]["value"] == "1987-05-03"
    assert found["producer"]["model"] == "linear"
    again = dragoman("extract", article, "-m", tiny_model, "--date", "1987-05-04", "-o", tmp_path / "out")
    assert again.stdout == ""
    written = native.read(tmp_path / "out" / "lakeside.json")
    assert native.dump_line(written) == done.stdout
    piped = dragoman("extract", "-", "-m", tiny_model, text=lakeside().text)
    assert json.loads(piped.stdout)["id"] == "stdin"


def test_extract_goes_on_after_an_article_that_fails(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 in Freedonia")
    (tmp_path / "b.txt").write_text(lakeside().text or "", "utf-8")
    (tmp_path / "c.txt").write_text("", "utf-8")
    done = dragoman("extract", tmp_path, "-m", tiny_model)
    assert done.returncode == 1
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["b"]
    assert "[not-utf8]" in done.stderr
    assert "[empty-text]" in done.stderr
    assert "1 article extracted, 2 failed" in done.stderr
    assert "without a date" in done.stderr


def test_facts_are_printed_for_readers_and_for_programs(tiny_model: Path, tmp_path: Path) -> None:
    article = tmp_path / "lakeside.txt"
    article.write_text(lakeside().text or "", "utf-8")
    words = ["extract", article, "-m", tiny_model, "--date", "1987-05-04", "--format"]
    lines = dragoman(*words, "text").stdout.splitlines()
    assert any("Ana Vell  holds_role  Foreign Minister" in line for line in lines)
    rows = [json.loads(line) for line in dragoman(*words, "facts").stdout.splitlines()]
    assert len(rows) == len(lines)
    assert {"held_on", "party_to"} <= {row["relation"] for row in rows}
    assert "1987-05-03" in {row["target"].get("value") for row in rows}


def test_predictions_for_every_setting_can_be_made_and_scored(
    gold: Path, tiny_model: Path, tmp_path: Path
) -> None:
    for given in ("nothing", "mentions", "clusters"):
        done = dragoman("extract", gold, "-m", tiny_model, "--given", given, "-o", tmp_path / given)
        assert done.returncode == 0, done.stderr
        scored = dragoman("score", gold, tmp_path / given, "--given", given, "--format", "json")
        assert json.loads(scored.stdout)["given"] == given


def test_ids_of_extracted_documents_never_name_files_elsewhere(
    gold: Path, tiny_model: Path, tmp_path: Path
) -> None:
    native.write(gold / "a-0.json", lakeside("../../escaped"))
    done = dragoman("extract", gold, "-m", tiny_model, "-o", tmp_path / "deep" / "out")
    assert done.returncode == 1
    assert "can't name a file" in done.stderr
    assert not list(tmp_path.glob("**/escaped*"))
    assert len(list((tmp_path / "deep" / "out").iterdir())) == 2


def test_places_that_cannot_be_written_are_told(gold: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for words in (
        ["convert", gold, "-o", tmp_path / "file"],
        ["convert", gold, "--to", "jsonl", "-o", tmp_path / "folder"],
        ["score", gold, gold, "-o", tmp_path / "folder"],
        ["annotate", "config", "-o", tmp_path / "folder"],
        ["train", "models/linear.toml", "--on", gold, "-o", tmp_path / "file"],
    ):
        done = dragoman(*words)
        assert done.returncode == 2, done.stderr
        assert str(tmp_path) in done.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_gold_is_never_overwritten_by_predictions(gold: Path, tiny_model: Path) -> None:
    before = {path.name: path.read_bytes() for path in gold.iterdir()}
    done = dragoman("extract", gold, "-m", tiny_model, "-o", gold)
    assert done.returncode == 1
    assert "is not overwritten" in done.stderr
    assert {path.name: path.read_bytes() for path in gold.iterdir()} == before


def test_stats_have_a_column_for_every_place(gold: Path) -> None:
    done = dragoman("corpus", "stats", gold, "corpus/dev")
    assert "| documents | 3 | 30 | 33 |" in done.stdout


def test_checks_can_be_listed_without_a_place() -> None:
    done = dragoman("validate", "--list-checks")
    assert done.returncode == 0
    assert "entity-overlap" in done.stdout


def test_a_folder_of_model_and_page_are_those_of_the_project(
    tiny_recipe: Path, gold: Path, tmp_path: Path
) -> None:
    done = dragoman("extract", gold, cwd=tmp_path)
    assert "no such model folder" in done.stderr


def test_attached_documents_are_valid_and_keep_their_text(tmp_path: Path) -> None:
    import msgspec

    from dragoman.types import Source

    source = Source(set="invented", path="a.txt", rule="whole")
    whole = msgspec.structs.replace(lakeside(), source=source)
    native.write(tmp_path / "lakeside-accord-1987.json", whole)
    assert dragoman("validate", tmp_path).returncode == 0
    assert dragoman("convert", tmp_path, "--in-place").returncode == 0
    assert native.read(tmp_path / "lakeside-accord-1987.json").text == lakeside().text


def test_a_model_of_another_schema_version_is_refused(tiny_model: Path, gold: Path) -> None:
    path = gold / "a-0.json"
    path.write_text(path.read_text("utf-8").replace("diplomacy/1", "diplomacy/2"), "utf-8")
    done = dragoman("extract", path, "-m", tiny_model)
    assert done.returncode == 1
    assert "diplomacy/2" in done.stderr
    assert "diplomacy/1" in done.stderr


def test_train_and_its_script_make_the_same_model(tiny_recipe: Path, gold: Path, tmp_path: Path) -> None:
    done = dragoman("train", tiny_recipe, "--on", gold, "--seed", 1, "-o", tmp_path / "model")
    assert done.returncode == 0, done.stderr
    code = (
        "from pathlib import Path; from dragoman import corpus, train; "
        f"train.fit(Path({str(tiny_recipe)!r}), corpus.load(Path({str(gold)!r})), seed=1)"
        f".save(Path({str(tmp_path / 'other')!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    for path in (tmp_path / "model").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[Freedonia]{T1 GPE}", "[Freedonia]", "followed by {ID LABEL}"),
        ("[Freedonia]{T1 GPE}", "[Freedonia{T1 GPE}", "bare {"),
        ("[Freedonia]{T1 GPE}", "Freedonia]{T1 GPE}", "closes no mark"),
        ("[Freedonia]{T1 GPE}", "[Freedonia]{T1}", "expected {ID LABEL}"),
        ("[Freedonia]{T1 GPE}", "[Freedonia]{T1 GPE ~2}", "from 0 to 1"),
        ("\n---\n", "\n", "ends the text"),
        ("T3 held_on T4", "T3 held_on", "expected `T1 T2 label T3`"),
        ("C T1 T5", "C", "expected `C T1 T2`"),
        ("id: lakeside-accord-1987\n", "", "no id"),
        ("kind: treaty signing\n", "kind treaty\n", "key: value"),
    ],
)
def test_inline_mistakes_name_their_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in LAKESIDE
    path = tmp_path / "a.txt"
    path.write_text(LAKESIDE.replace(old, new), "utf-8")
    done = dragoman("convert", path)
    assert done.returncode == 2
    assert f"{path}:" in done.stderr
    assert says in done.stderr


def test_inline_and_documents_agree_about_the_example() -> None:
    document = lakeside()
    assert inline.parse(inline.dumps(document), "x", schema="x/1") == document


def test_json_cut_short_anywhere_is_one_error(gold: Path) -> None:
    path = gold / "a-0.json"
    data = path.read_bytes()
    for size in range(0, len(data) - 2, 97):
        path.write_bytes(data[:size])
        done = dragoman("validate", path) if size % 5 == 0 else None
        if done is not None:
            assert done.returncode == 1
            assert done.stdout.count("\n") == 1
