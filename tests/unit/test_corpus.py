import json
import os
import re
import tomllib
from itertools import combinations
from pathlib import Path

import msgspec
import pytest

from dragoman import corpus, spread, validate
from dragoman.errors import DragomanError, FormatError, WriteError
from dragoman.formats import native
from dragoman.iso3166 import ALPHA_2
from dragoman.types import Document, Source, text_hash
from tests.builders import ROOT, SCHEMA, lakeside


def standoff(document: Document, rule: str = "whole", path: str = "articles/lakeside.txt") -> Document:
    source = Source(set="invented", path=path, rule=rule)
    return msgspec.structs.replace(document, source=source).without_text()


def test_corpus_and_seeds_have_no_finding() -> None:
    report = validate.validate([ROOT / "corpus", ROOT / "seeds"], SCHEMA, texts=())
    assert [str(finding) for finding in report.findings] == []
    assert report.documents > 40


def test_rounds_have_no_error() -> None:
    for annotator in sorted((ROOT / "annotation").glob("*/*/annotator-*")):
        report = validate.validate([annotator], SCHEMA, texts=())
        assert [str(finding) for finding in report.errors] == []


def test_the_card_and_the_seal_tell_what_is_there() -> None:
    folder = ROOT / "corpus"
    card = (folder / "README.md").read_text("utf-8")
    assert corpus.fill_card(card, folder) == card
    sealed = (folder / "corpus.toml").read_text("utf-8")
    stated = tomllib.loads(sealed)
    kept = {key: stated[key] for key in ("version", "date", "licence")}
    assert corpus.release(folder) == kept
    assert corpus.manifest(folder, **kept) == sealed
    assert corpus.release(ROOT) == {}


def test_splits_follow_the_stated_rule() -> None:
    rounds = ROOT / "annotation" / "rounds"
    seeds = {path.stem for path in corpus.paths([ROOT / "seeds"])}
    expected: dict[str, set[str]] = {"train": set(), "dev": set(), "test": set()}
    for name, sizes in (("first-40", (28, 6, 6)), ("second-40", (40, 0, 0)), ("third-120", (72, 24, 24))):
        found = {path.stem for path in rounds.glob(f"{name}/annotator-*/*.json")}
        ranked = sorted({i for i in found if i.removesuffix("-original") not in seeds} - seeds, key=text_hash)
        assert len(ranked) == sum(sizes), name
        for split, size in zip(expected, sizes, strict=True):
            expected[split] |= set(ranked[:size])
            ranked = ranked[size:]
    for split, folder in corpus.splits(ROOT / "corpus").items():
        assert {path.stem for path in corpus.paths([folder])} == expected[split]


def test_articles_are_as_long_as_promised() -> None:
    for document in corpus.load(ROOT / "corpus"):
        assert 180 <= len((document.text or "").split()) <= 450, document.id
        assert document.meta["record"]


def test_no_article_tells_of_the_seeds() -> None:
    seeds = corpus.load(ROOT / "seeds", texts=())
    events = {document.meta["event"] for document in seeds}
    deputies = set()
    for seed in seeds:
        entities = seed.by_id()
        for relation in seed.relations:
            title = entities[relation.target].surface or ""
            if relation.label == "holds_role" and ("Vice" in title or "Deputy" in title):
                deputies.add(entities[relation.source].surface or "")
    assert len(deputies) == 3
    for document in corpus.load(ROOT / "corpus"):
        assert document.meta["event"] not in events
        assert not {name for name in deputies if name in (document.text or "")}


def test_both_seeds_are_there_and_the_original_has_no_text() -> None:
    found = corpus.read([ROOT / "seeds"], texts=())
    original = [document for document in found.documents.values() if document.text is None]
    assert len(found.documents) == 2
    assert len(original) == 1
    assert {entity.surface for entity in original[0].entities} == {None}
    assert original[0].title is None


def test_the_original_seed_attaches_and_has_no_finding(texts: list[Path]) -> None:
    report = validate.validate([ROOT / "seeds"], SCHEMA, texts=texts)
    assert report.findings == ()
    assert report.without_text == 0


def test_no_sentence_of_the_original_seed_stands_in_the_project(texts: list[Path]) -> None:
    original = next(d for d in corpus.load(ROOT / "seeds", texts=texts) if d.source is not None)
    own = next(d for d in corpus.load(ROOT / "seeds", texts=()) if d.source is None)
    words = (original.text or "").split()
    grams = {" ".join(words[n : n + 9]) for n in range(len(words) - 8)}
    ours = (own.text or "").split()
    assert not grams & {" ".join(ours[n : n + 9]) for n in range(len(ours) - 8)}


@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("whole", "TEXT"),
        ("drop-address", "https://example.org/a\n\n\nTEXT"),
        ("json:body:17", '{"_id": "16", "body": "no"}\n{"_id": "17", "body": "JSON"}\n'),
    ],
)
def test_texts_attach_by_path_and_by_hash(tmp_path: Path, rule: str, content: str) -> None:
    text = lakeside().text or ""
    content = content.replace("TEXT", text).replace('"JSON"', json.dumps(text))
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "lakeside.txt").write_bytes(
        b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode() if rule == "whole" else content.encode()
    )
    library = corpus.Texts([tmp_path])
    assert library.attach(standoff(lakeside(), rule), "here").text == text
    moved = library.attach(standoff(lakeside(), rule, "elsewhere.txt"), "here")
    if rule.startswith("json:"):
        assert moved.text is None  # a text inside a JSON file is found by path alone
    else:
        assert moved.text == text
        assert moved.entities == lakeside().entities


def test_another_text_under_the_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "lakeside.txt").write_text("Something else.")
    with pytest.raises(FormatError, match="text-hash"):
        corpus.Texts([tmp_path]).attach(standoff(lakeside()), "here")


def test_sources_never_reach_outside_their_folder(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "secret.txt").write_text(lakeside().text or "")
    for path in ("../secret.txt", str(tmp_path / "secret.txt"), "a\0b"):
        found = corpus.Texts([tmp_path / "texts"]).attach(standoff(lakeside(), path=path), "here")
        assert found.text is None


def test_attaching_writes_documents_and_counts_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "lakeside.txt").write_text(lakeside().text or "")
    native.write(tmp_path / "gold" / "lakeside-accord-1987.json", standoff(lakeside(), path="lakeside.txt"))
    missing = msgspec.structs.replace(standoff(lakeside("b")), sha256="0" * 64)
    native.write(tmp_path / "gold" / "b.json", missing)
    done = corpus.attach([tmp_path / "gold"], tmp_path / "out", texts=[tmp_path / "texts"])
    assert done == (1, 1)
    written = native.read(tmp_path / "out" / "lakeside-accord-1987.json")
    assert written.text == lakeside().text
    assert written.title == lakeside().title


def test_a_missing_folder_of_texts_is_an_error() -> None:
    library = corpus.Texts([Path("no/such/folder")])
    with pytest.raises(DragomanError, match="DRAGOMAN_TEXTS"):
        library.attach(standoff(lakeside()), "here")
    assert library.attach(lakeside(), "here") == lakeside()


def test_loading_only_standoff_documents_says_what_to_do(tmp_path: Path) -> None:
    native.write(tmp_path / "lakeside-accord-1987.json", standoff(lakeside()))
    with pytest.raises(DragomanError, match="Set DRAGOMAN_TEXTS"):
        corpus.load(tmp_path, texts=())


def test_writing_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    native.write(path, lakeside("a"))
    before = path.read_bytes()

    def fail(one: object, two: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(WriteError, match="disk full"):
        native.write(path, lakeside("b"))
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]


def test_the_table_of_facts_names_relations_of_the_gold() -> None:
    seed = native.read(ROOT / "seeds" / "tokyo-trilateral-2025.json")
    entities = seed.by_id()
    gold = {f"{entities[r.source].surface} {r.label} {entities[r.target].surface}" for r in seed.relations}
    table = (ROOT / "seeds" / "README.md").read_text("utf-8").partition("| fact |")[2]
    labels = "|".join(SCHEMA.relations)
    named = {found for found in re.findall(r"`([^`]+)`", table) if re.search(rf" (?:{labels}) ", found)}
    assert named - gold == set()
    told = {found.replace("U.S.", "Seoul").replace("Japan", "Seoul") for found in named}
    assert {
        fact for fact in gold - named if fact.replace("U.S.", "Seoul").replace("Japan", "Seoul") not in told
    } == set()


def test_no_two_articles_are_alike() -> None:
    """MinHash over word 5-grams, 128 permutations: estimated Jaccard similarity of every pair."""
    datasketch = pytest.importorskip("datasketch", reason="datasketch is not installed")
    sketches = {}
    for document in corpus.load(ROOT / "corpus", ROOT / "seeds"):
        words = (document.text or "").lower().split()
        sketch = datasketch.MinHash(num_perm=128, seed=1)
        sketch.update_batch([" ".join(words[n : n + 5]).encode() for n in range(len(words) - 4)])
        sketches[document.id] = sketch
    near = [
        (one, two, round(sketches[one].jaccard(sketches[two]), 2))
        for one, two in combinations(sketches, 2)
        if sketches[one].jaccard(sketches[two]) >= 0.2
    ]
    assert near == []


def test_every_code_of_a_country_has_its_region() -> None:
    codes = [code for region in spread.REGIONS.values() for code in region.split()]
    assert len(codes) == len(set(codes))
    assert not set(codes) - ALPHA_2
    members = {code for code in codes if code not in set("EH PS TW HK MO CK NU PR GL FO GI VA".split())}
    assert len(members) == 193


def test_the_corpus_is_wide() -> None:
    found = spread.spread(corpus.load(ROOT / "corpus"), SCHEMA)
    assert len(found.states) >= 90
    assert found.organisations >= 50
    assert len(found.kinds) >= 15
    assert all(0 < share < 0.41 for share in found.regions.values())  # 0.35 is the aim, see the card
    assert min(found.phenomena.values()) >= 25
    assert len(found.phenomena) == 10
    assert found.few_relations >= 15


def test_spread_counts_articles_and_vocabulary_grows() -> None:
    found = spread.spread([lakeside("a-1"), lakeside("a-2")], SCHEMA)
    assert (found.articles, found.kinds, found.states) == (2, {"treaty signing": 2}, {})
    assert found.regions["Africa"] == 0.0
    curve = spread.vocabulary(["One two two.", "Two three 4."], sizes=[3, 5, 9])
    assert curve == {3: 2, 5: 3}
    shown = spread.table(found, {"here": curve, "there": {}})
    assert "| 3 | 2 | – |" in shown
