"""What careless or hostile input does: one clear error, nothing lost, nothing left behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest

from dragoman import corpus, evaluate, extract, schema, train, validate
from dragoman.errors import DragomanError, FormatError, ModelError, RecipeError, SchemaError, WriteError
from dragoman.extract import Extractor, lexicon
from dragoman.formats import files, inline, native
from dragoman.types import Cluster, Entity, Relation
from tests.builders import LAKESIDE, ROOT, SCHEMA, lakeside

REFERENCE = SCHEMA.reference
DEEP = "[" * 100_000
LONG = "9" * 5_000


def parse(content: str) -> object:
    return inline.parse(content, "a.txt", schema=REFERENCE)


def test_writing_follows_links_and_keeps_permissions(tmp_path: Path) -> None:
    real = tmp_path / "real.txt"
    real.write_text("old")
    real.chmod(0o640)
    link = tmp_path / "link.txt"
    link.symlink_to(real)
    files.write(link, "new")
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o640)


def test_writing_to_a_device_leaves_the_device() -> None:
    files.write(Path(os.devnull), "gone")
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(("name", "content"), [("a\0b", "x"), ("a", "\ud800"), (".", "x")])
def test_what_cannot_be_written_is_told(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(WriteError):
        files.write(tmp_path / name, content)
    assert list(tmp_path.iterdir()) == []


def test_a_loop_of_links_is_told(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    with pytest.raises(WriteError):
        files.write(tmp_path / "one", "x")


def test_folders_yield_regular_files_of_any_case_and_nothing_hidden(tmp_path: Path) -> None:
    for name in ("a.json", "UP.JSON", ".hidden.json", ".checkpoints/b.json", "deep/c.json"):
        native.write(tmp_path / name, lakeside(Path(name).stem.strip(".")))
    os.mkfifo(tmp_path / "pipe.json")
    found = [path.relative_to(tmp_path).as_posix() for path in corpus.paths([tmp_path])]
    assert found == ["UP.JSON", "a.json", "deep/c.json"]


def test_a_folder_that_cannot_be_read_is_no_empty_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native.write(tmp_path / "a.json", lakeside("a"))
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DragomanError, match=r"closed: \[unreadable\]"):
        list(corpus.paths([tmp_path]))


def test_articles_without_their_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(native.dump_line(lakeside().without_text()), "utf-8")
    found = [article for _, article in corpus.articles([tmp_path], schema=REFERENCE)]
    assert len(found) == 1
    assert "DRAGOMAN_TEXTS" in str(found[0])


@pytest.mark.parametrize("content", [f'{{"format": {LONG}}}', DEEP, f'{{"meta": {{"a": {LONG}}}}}'])
def test_absurd_json_is_one_error(content: str) -> None:
    with pytest.raises(FormatError):
        native.parse(content.encode(), "a.json")


@pytest.mark.parametrize("content", [f"x = {LONG}", f"x = {DEEP}", "\ud800".encode("utf-8", "surrogatepass")])
def test_absurd_toml_is_one_error(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SchemaError, match=r"x\.toml: not a schema"):
        schema.read(path)
    with pytest.raises(RecipeError, match=r"x\.toml"):
        train.read_recipe(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[entities.PERSON]", "[entities.micro]"),
        ("[entities.PERSON]", '[entities."-"]'),
        ("[entities.PERSON]", '[entities.""]'),
        ("[entities.PERSON]", '[entities."A B"]'),
        ('description = "A named human being"', 'description = "bell \\u0007"'),
        ('color = "#d1495b"', 'color = "red; x"'),
        ("version = 1", "version = 0"),
    ],
)
def test_schemas_that_break_what_is_made_of_them_are_refused(tmp_path: Path, old: str, new: str) -> None:
    content = (ROOT / "annotation" / "schema.toml").read_text("utf-8")
    assert old in content
    path = tmp_path / "schema.toml"
    path.write_text(content.replace(old, new, 1).replace('"PERSON"', '"GPE"'), "utf-8")
    with pytest.raises(SchemaError, match=r"schema\.toml: not a schema"):
        schema.read(path)


def test_a_schema_without_entities_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "schema.toml"
    path.write_text('name = "x"\nversion = 1\n[entities]\n[relations]\n', "utf-8")
    with pytest.raises(SchemaError, match="no entity type"):
        schema.read(path)


@pytest.mark.parametrize(
    ("header", "check"),
    [
        ('meta."\\q": 1', "inline-header"),
        ("format: dragoman/9", "unknown-format"),
        (f"layers: {DEEP}", "inline-header"),
        ('place: "\\ud800"', "inline-header"),
        ('place: ["a"', "inline-header"),
    ],
)
def test_wrong_headers_are_one_error(header: str, check: str) -> None:
    with pytest.raises(FormatError, match=f"a.txt:[12]: .{check}"):
        parse(f"{header}\n{LAKESIDE}")


@pytest.mark.parametrize("value", ["NaN", "1e999", "-Infinity", LONG])
def test_headers_that_are_no_json_are_words(value: str) -> None:
    document = inline.parse(f"odd: {value}\n{LAKESIDE}", "a.txt", schema=REFERENCE)
    assert document.meta["odd"] == value
    assert inline.parse(inline.dumps(document), "b.txt", schema=REFERENCE) == document


@pytest.mark.parametrize(
    "line",
    [
        'C T1 = "\\q"',
        'T9 DATE ="\\q" @1-4',
        "T9 DATE @1-4 surface 5",
        "T9 DATE @1-4 surface nonsense",
        f"T9 DATE @1-{LONG}",
        "T1 ~x",
    ],
)
def test_wrong_lines_are_one_error(line: str) -> None:
    with pytest.raises(FormatError, match=r"a\.txt:14"):
        parse(f"{LAKESIDE}{line}\n")


def test_a_byte_order_mark_and_a_trailing_space_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\ufeff" + LAKESIDE, "utf-8")
    assert inline.read(path, schema=REFERENCE) == lakeside()
    with pytest.raises(FormatError, match="white space follows"):
        parse(LAKESIDE.replace("\n---\n", "\n--- \n"))


def test_open_quotes_cost_no_more_than_their_length() -> None:
    start = time.process_time()
    with pytest.raises(FormatError):
        parse(LAKESIDE + 'T1 "' + '\\"' * 200_000 + "\n")
    assert time.process_time() - start < 20  # quadratic it would be hours


@pytest.mark.parametrize(
    "change",
    [
        {"entities": (*lakeside().entities, Entity(id="T99", start=5000, end=5001, label="GPE"))},
        {"clusters": (Cluster(id="C1", members=("T1",), value="@1-2"),)},
        {"clusters": (Cluster(id="C1", members=("T1",), value="a @1-2 surface x"),)},
        {"clusters": (Cluster(id="C1", members=("T1",), value="= T2"),)},
    ],
)
def test_odd_documents_survive_the_inline_notation(change: dict[str, object]) -> None:
    document = msgspec.structs.replace(lakeside(), **change)
    assert inline.parse(inline.dumps(document), "a.txt", schema=REFERENCE) == document


@pytest.mark.parametrize(
    "change",
    [
        {"relations": (Relation(id="R1", label="supports", source="C", target="T1"),)},
        {"relations": (Relation(id="R1", label="supports", source="T 1", target="T1"),)},
        {"clusters": (Cluster(id="C1", members=("T1", "=b")),)},
    ],
)
def test_what_the_inline_notation_cannot_hold_is_refused(change: dict[str, object]) -> None:
    document = msgspec.structs.replace(lakeside(), **change)
    with pytest.raises(ValueError, match="written inline"):
        inline.dumps(document)


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ("entities", "c1 = nan"),
        ("entities", "c1 = -1.0"),
        ("entities", "c2 = inf"),
        ("entities", "iterations = -1"),
        ("relations", "c = 0.0"),
        ("relations", "none_weight = -1.0"),
        ("relations", "threshold = 2.0"),
        ("relations", "before = -1"),
    ],
)
def test_settings_beyond_their_range_are_refused(tiny_recipe: Path, section: str, setting: str) -> None:
    recipe = tiny_recipe.with_name("odd.toml")
    content = f'extractor = "linear"\nlexicon = "../lexicons/places.tsv"\n[{section}]\n{setting}\n'
    recipe.write_text(content, "utf-8")
    with pytest.raises(RecipeError, match=setting.partition(" ")[0]):
        train.fit(recipe, [lakeside()], seed=1, schema=SCHEMA)


def test_an_edited_manifest_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in tiny_model.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    manifest = folder / "manifest.json"
    changed = manifest.read_text("utf-8").replace('"threshold": 0', '"threshold": 1', 1)
    assert changed != manifest.read_text("utf-8")
    manifest.write_text(changed, "utf-8")
    with pytest.raises(ModelError, match="edited after training"):
        extract.load(folder)


def test_leftovers_of_killed_savers_are_cleaned(tiny: Extractor, tmp_path: Path) -> None:
    old, young = tmp_path / ".model.unfinished-a", tmp_path / ".model.unfinished-b"
    for folder in (old, young):
        folder.mkdir()
        (folder / "weights.safetensors").write_bytes(b"x")
    long_ago = time.time() - 2 * files.ABANDONED
    os.utime(old, (long_ago, long_ago))
    tiny.save(tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "model"]


def test_lexicons_hold_assigned_codes_only(tmp_path: Path) -> None:
    path = tmp_path / "places.tsv"
    path.write_text(f"{lexicon.HEADER}\nFreedonia\tname\tQQ\tinvented\n", "utf-8")
    with pytest.raises(RecipeError, match=r"places\.tsv:2: .*'QQ'"):
        lexicon.read(path)


def test_splits_are_folders_below_the_place_given(tmp_path: Path) -> None:
    root = tmp_path / "test" / "corpus"
    for split in ("train", "dev"):
        document = lakeside(f"a-{split}")
        native.write(
            root / split / f"{document.id}.json", msgspec.structs.replace(document, meta={"event": "x"})
        )
    found = {f.check for f in validate.validate([root], SCHEMA, texts=()).findings}
    assert found == {"event-in-two-splits"}
    native.write(tmp_path / "test" / "a.json", msgspec.structs.replace(lakeside("a"), meta={"event": "y"}))
    native.write(tmp_path / "test" / "b.json", msgspec.structs.replace(lakeside("b"), meta={"event": "y"}))
    assert not [
        f for f in validate.validate([tmp_path / "test"], SCHEMA, texts=()).findings if "'y'" in str(f)
    ]


@pytest.mark.parametrize("layers", [("entities",), ("relations", "clusters"), ("entities", "relations")])
def test_projects_of_fewer_layers_and_without_seeds_are_reported(
    tiny: Extractor, tmp_path: Path, layers: tuple[str, ...]
) -> None:
    document = lakeside()
    kept = {name: getattr(document, name) if name in layers else () for name in ("relations", "clusters")}
    entities = tuple(msgspec.structs.replace(entity, value=None) for entity in document.entities)
    if "entities" not in layers:
        layers = (*layers, "values")
    document = msgspec.structs.replace(document, layers=layers, entities=entities, **kept)
    if "entities" not in layers:
        document = msgspec.structs.replace(document, entities=(), relations=(), clusters=())
    native.write(tmp_path / "corpus" / "test" / f"{document.id}.json", document)
    runs = evaluate.project_runs(tiny, tmp_path)
    evaluate.write_page(runs, tiny, tmp_path / "index.html")
    assert len(runs) == 1
    assert "corpus test (1 article)" in evaluate.headline(runs[0])
