import json
import os
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pycrfsuite
import pytest

from dragoman import extract, train
from dragoman.errors import DragomanError, ModelError, RecipeError, WriteError
from dragoman.extract import Extractor, crf, store
from dragoman.extract.clusters import stands_for_place
from dragoman.extract.dates import normalise
from dragoman.types import LAYERS, Document, Entity
from dragoman.validate import check
from tests.builders import SCHEMA, lakeside


def test_what_was_learnt_by_heart_is_extracted(tiny: Extractor) -> None:
    found = tiny.extract(lakeside("lakeside-9").bare())
    assert [(e.start, e.end, e.label) for e in found.entities] == [
        (e.start, e.end, e.label) for e in lakeside().entities
    ]
    assert {r.label for r in found.relations} == {r.label for r in lakeside().relations}
    assert found.entities[3].value == "1987-05-03"
    assert found.layers == LAYERS
    assert found.producer is not None


def test_gold_is_not_looked_at_end_to_end(tiny: Extractor) -> None:
    assert tiny.extract(lakeside()).relations == tiny.extract(lakeside().bare()).relations
    assert tiny.extract(lakeside()).entities == tiny.extract(lakeside().bare()).entities


def test_given_mentions_are_kept(tiny: Extractor) -> None:
    shown = msgspec.structs.replace(lakeside(), entities=lakeside().entities[:4], relations=(), clusters=())
    assert [e.id for e in tiny.extract(shown, given="mentions").entities] == ["T1", "T2", "T3", "T4"]
    assert tiny.extract(lakeside(), given="clusters").clusters == lakeside().clusters


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n",
        "a",
        "🙂🙂",
        "الرئيس زار فريدونيا يوم الأحد.",
        "프리도니아 장관",
        "x" * 20_000,
        "\x00\x01",
        "Freedonia\x1fand\x0bSylvania \x1f Lakeside\x1cAccord",
        "<b>Freedonia</b>",
        "é" * 3,
    ],
)
def test_any_text_is_extracted_into_a_valid_document(tiny: Extractor, text: str) -> None:
    document = Document.new(id="any", text=text, schema=SCHEMA.reference)
    found = tiny.extract(document)
    problems = [finding for finding in check(found, SCHEMA) if finding.check != "entity-inside-word"]
    assert problems == []


def test_a_saved_model_extracts_the_same(tiny: Extractor, tiny_model: Path) -> None:
    loaded = extract.load(tiny_model)
    one, two = tiny.extract(lakeside().bare()), loaded.extract(lakeside().bare())
    assert one.entities == two.entities
    assert one.relations == two.relations
    assert two.producer is not None
    assert two.producer.sha256 == loaded.sha256 != ""


def test_training_twice_gives_the_same_bytes(tiny_recipe: Path, tmp_path: Path) -> None:
    documents = [lakeside(f"lakeside-{n}") for n in range(3)]
    for name, order in (("one", documents), ("two", documents[::-1])):
        train.fit(tiny_recipe, order, seed=1).save(tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_saving_replaces_a_model_but_nothing_else(tiny: Extractor, tmp_path: Path) -> None:
    tiny.save(tmp_path / "model")
    tiny.save(tmp_path / "model")
    extract.load(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelError, match="no model folder"):
        tiny.save(tmp_path / "notes")
    (tmp_path / "notes" / "manifest.json").write_text('{"name": "a browser extension"}')
    with pytest.raises(ModelError, match="no model folder"):
        tiny.save(tmp_path / "notes")
    (tmp_path / "model" / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelError, match="no model folder"):
        tiny.save(tmp_path / "model")
    assert (tmp_path / "notes" / "thesis.txt").exists()
    assert (tmp_path / "model" / "thesis.txt").exists()


def test_a_failing_save_keeps_the_old_model(
    tiny: Extractor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.save(tmp_path / "model")
    real = os.replace

    def fail(one: Path, two: Path) -> None:
        if two == tmp_path / "model" and "-old." not in str(one):
            raise OSError("disk full")
        real(one, two)

    monkeypatch.setattr(store, "_exchange", lambda one, two: False)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(WriteError, match="disk full"):
        tiny.save(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    extract.load(tmp_path / "model")


def damage(folder: Path, name: str) -> None:
    if name == "no folder":
        shutil.rmtree(folder)
    elif name == "empty folder":
        for path in folder.iterdir():
            path.unlink()
    elif name == "truncated weights":
        weights = folder / "weights.safetensors"
        weights.write_bytes(weights.read_bytes()[:-7])
    elif name == "edited vocabulary":
        (folder / "attributes.json").write_text('["a"]\n')
    elif name == "manifest of nonsense":
        (folder / "manifest.json").write_bytes(b"\xff\xfe not json")
    elif name == "deep manifest":
        (folder / "manifest.json").write_text("[" * 100_000)
    else:
        edit_manifest(folder, name)


def edit_manifest(folder: Path, name: str) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    if name == "newer format":
        manifest["format"] = "dragoman-model/2"
    elif name == "unknown extractor":
        manifest["extractor"] = "os"
    elif name == "file outside":
        manifest["files"] = {"../secret.json": "0" * 64}
    elif name == "code file":
        manifest["files"]["model.py"] = "0" * 64
    elif name == "wrong shape":
        import hashlib

        data = json.dumps(["a", "b"]).encode()
        (folder / "tags.json").write_bytes(data)
        manifest["files"]["tags.json"] = hashlib.sha256(data).hexdigest()
    elif name == "file missing":
        del manifest["files"]["weights.safetensors"]
    path.write_text(json.dumps(manifest), "utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "no folder",
        "empty folder",
        "truncated weights",
        "edited vocabulary",
        "manifest of nonsense",
        "deep manifest",
        "newer format",
        "unknown extractor",
        "file outside",
        "code file",
        "wrong shape",
        "file missing",
    ],
)
def test_damaged_model_folders_are_refused(tiny_model: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    damage(folder, name)
    with pytest.raises(ModelError) as caught:
        extract.load(folder)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ('extractor = "linear"\nlexicon = "places.tsv"\nlayers = 3\n', "layers"),
        ('extractor = "oracle"\n', "oracle"),
        ("lexicon = 1\n", "extractor"),
        ("not toml", "TOML"),
    ],
)
def test_wrong_recipes_are_refused(tiny_recipe: Path, recipe: str, message: str) -> None:
    path = tiny_recipe.parent / "wrong.toml"
    path.write_text(recipe, "utf-8")
    with pytest.raises(RecipeError, match=message):
        train.fit(path, [lakeside()], seed=1)


def test_layers_that_were_not_annotated_teach_nothing(tiny_recipe: Path) -> None:
    full = [lakeside(f"lakeside-{n}") for n in range(3)]
    bare = [lakeside(f"bare-{n}").bare() for n in range(3)]
    one = train.fit(tiny_recipe, full, seed=1).extract(lakeside().bare())
    two = train.fit(tiny_recipe, [*full, *bare], seed=1).extract(lakeside().bare())
    assert (one.entities, one.relations) == (two.entities, two.relations)


def test_training_documents_with_errors_are_refused(tiny_recipe: Path) -> None:
    wrong = Entity(id="T99", start=0, end=3, label="COUNTRY", surface="Two")
    broken = msgspec.structs.replace(lakeside(), entities=(*lakeside().entities, wrong))
    with pytest.raises(DragomanError, match="entity-label"):
        train.fit(tiny_recipe, [broken], seed=1)


def test_viterbi_and_marginals_equal_crfsuite(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    items = [
        [[f"a{rng.integers(6)}", f"b{rng.integers(4)}"] for _ in range(rng.integers(1, 9))] for _ in range(40)
    ]
    tags = [[f"B-{'XY'[rng.integers(2)]}" if rng.random() < 0.6 else "O" for _ in item] for item in items]
    fitted = crf.fit(items, tags, c1=0.01, c2=0.01, iterations=40)
    trainer = pycrfsuite.Trainer(verbose=False)
    for item, tag in zip(items, tags, strict=True):
        trainer.append(item, tag)
    trainer.select("lbfgs")
    trainer.set_params({"c1": 0.01, "c2": 0.01, "max_iterations": 40, "feature.possible_transitions": False})
    trainer.train(str(tmp_path / "crf"))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(tmp_path / "crf"))
    start = np.zeros(len(fitted.tags), dtype=np.float32)
    for item in items:
        emissions = fitted.emissions(item)
        ours = [fitted.tags[index] for index in crf.viterbi(emissions, fitted.transitions, start)]
        assert ours == tagger.tag(item)
        posterior = crf.marginals(emissions, fitted.transitions, start)
        for place in range(len(item)):
            for column, tag in enumerate(fitted.tags):
                assert posterior[place, column] == pytest.approx(tagger.marginal(tag, place), abs=1e-4)


@pytest.mark.parametrize(
    ("words", "article", "future", "value"),
    [
        ("Friday", "2025-07-18", False, "2025-07-18"),
        ("Tuesday", "2025-07-18", False, "2025-07-15"),
        ("Tuesday", "2025-07-18", True, "2025-07-22"),
        ("next Monday", "2025-07-18", False, "2025-07-21"),
        ("last week", "2025-07-18", False, "2025-W28"),
        ("this week", "2024-12-31", False, "2025-W01"),
        ("next month", "2025-12-18", False, "2026-01"),
        ("last year", "2025-07-18", False, "2024"),
        ("yesterday", "2025-03-01", False, "2025-02-28"),
        ("3 May 1987", None, False, "1987-05-03"),
        ("Sept. 20", "1960-09-20", False, "1960-09-20"),
        ("last Friday", "2025-07-18", False, "2025-07-11"),
        ("next Friday", "2025-07-18", False, "2025-07-25"),
        ("last Monday", "2025-07-18", True, "2025-07-14"),
        ("Feb. 21-28", "1972-03-01", False, "1972-02-21/1972-02-28"),
        ("1-2 November", "2023-11-03", False, "2023-11-01/2023-11-02"),
        ("3 to 5 May 1987", None, False, "1987-05-03/1987-05-05"),
        ("2004 to 2007", None, False, "2004/2007"),
        ("5-3 May 1987", None, False, None),
        ("noon", "2025-07-18", False, None),
        ("last week", "0001-01-01", False, None),
        ("Friday", "not a date", False, None),
        ("July", "2025-03-01", True, "2025-07"),
        ("July 2025", None, False, "2025-07"),
        ("1963", None, False, "1963"),
        ("Friday", None, False, None),
        ("last week", None, False, None),
        ("the 1970s", "2025-07-18", False, None),
        ("the same day", "2025-07-18", False, None),
        ("gibberish", "2025-07-18", False, None),
        ("x" * 500, "2025-07-18", False, None),
    ],
)
def test_dates_are_no_finer_than_their_words(
    words: str, article: str | None, future: bool, value: str | None
) -> None:
    assert normalise(words, article, future=future) == value


def test_a_capital_is_a_city_behind_a_preposition_of_place() -> None:
    text = "Talks in Esterburg. Esterburg said no."
    first = Entity(id="T1", start=9, end=18, label="GPE", surface="Esterburg")
    second = Entity(id="T2", start=20, end=29, label="GPE", surface="Esterburg")
    assert stands_for_place(text, first)
    assert not stands_for_place(text, second)
