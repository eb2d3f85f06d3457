"""Projects on a real Label Studio: what goes out comes back, and a second time nothing happens twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from dragoman import corpus
from dragoman.annotate import doctor, project, serve
from dragoman.errors import DragomanError
from dragoman.formats import native, tasks
from dragoman.types import LAYERS, Document
from tests.builders import ROOT, SCHEMA, lakeside
from tests.properties.strategies import sendable

pytest.importorskip("label_studio_sdk", reason="the extra labelstudio is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        serve.ENVIRONMENT not in os.environ, reason=f"{serve.ENVIRONMENT} names no label-studio command"
    ),
    pytest.mark.xdist_group("labelstudio"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serve.Running]:
    with serve.running(tmp_path_factory.mktemp("label-studio")) as found:
        yield found


@pytest.fixture(scope="module")
def client(server: serve.Running) -> Any:
    return project.connect(server.url, server.key)


def annotate(client: Any, number: int, documents: list[Document]) -> None:
    """Submit the documents' own annotations, as an annotator would in the page."""
    there = {task.data["id"]: task.id for task in client.tasks.list(project=number, fields="task_only")}
    for document in documents:
        client.annotations.create(
            id=there[document.id], result=tasks.results(document, SCHEMA), lead_time=7.5
        )


def test_the_corpus_comes_back_as_it_went(server: serve.Running, client: Any, tmp_path: Path) -> None:
    gold = list(corpus.load(ROOT / "corpus/dev"))[:12]
    pushed = project.push(client, server.url, "whole", gold, SCHEMA)
    assert len(pushed.sent) == 12
    annotate(client, pushed.project, gold)
    pulled = project.pull(client, server.url, "whole", tmp_path, SCHEMA)
    assert (pulled.notes, pulled.written, pulled.same) == ((), 12, 0)
    for document in gold:
        back = tmp_path / serve.LOGIN / f"{document.id}.json"
        assert back.read_text("utf-8") == native.dumps(document)
    again = project.pull(client, server.url, "whole", tmp_path, SCHEMA)
    assert (again.written, again.same) == (0, 12)
    table = (tmp_path / "annotations.tsv").read_text("utf-8").splitlines()
    assert len(table) == 13
    assert "\tsubmitted\tnew\t" in table[1]
    assert "\t7.5\t" in table[1]


def test_a_second_push_sends_what_is_new_or_changed(server: serve.Running, client: Any) -> None:
    documents = [lakeside(f"a-{number}") for number in range(5)]
    first = project.push(client, server.url, "again", documents, SCHEMA)
    assert (len(first.sent), first.same) == (5, ())
    annotate(client, first.project, documents[:1])
    titled = msgspec.structs.replace(documents[1], title="Another")
    texts = [
        Document.new(id=old.id, text="Another text.", schema=old.schema, layers=LAYERS)
        for old in (documents[0], documents[2])
    ]
    changed = [texts[0], titled, texts[1], documents[3], documents[4], lakeside("a-5")]
    second = project.push(client, server.url, str(first.project), changed, SCHEMA)
    assert (second.sent, second.updated, second.replaced, second.kept, second.same) == (
        ("a-5",), ("a-1",), ("a-2",), ("a-0",), ("a-3", "a-4"),
    )  # fmt: skip
    there = [task.data["id"] for task in client.tasks.list(project=first.project)]
    assert sorted(there) == [f"a-{number}" for number in range(6)]


def test_predictions_are_sent_once_for_each_version(
    server: serve.Running, client: Any, tmp_path: Path
) -> None:
    documents = [lakeside(f"p-{number}") for number in range(3)]
    bare = project.push(client, server.url, "predicted", documents, SCHEMA)
    for version, updated in (("one", 3), ("one", 0), ("two", 3)):
        found = project.push(
            client, server.url, "predicted", documents, SCHEMA, form="predictions", version=version
        )
        assert (len(found.updated), len(found.same)) == (updated, 3 - updated)
    made = list(client.predictions.list(project=bare.project))
    assert sorted((p.task, p.model_version) for p in made) == sorted(
        (task.id, version) for task in client.tasks.list(project=bare.project) for version in ("one", "two")
    )
    for prediction, keep in zip([p for p in made if p.model_version == "two"], (20, 5), strict=False):
        client.annotations.create(
            id=prediction.task, result=prediction.result[:keep], parent_prediction=prediction.id
        )
    pulled = project.pull(client, server.url, "predicted", tmp_path, SCHEMA)
    assert sorted(one.origin for one in pulled.annotations) == ["accepted", "changed"]


def test_what_the_page_would_choke_on_is_never_sent(server: serve.Running, client: Any) -> None:
    good, broken = lakeside("good"), lakeside("broken")
    first = broken.entities[0]
    wrong = msgspec.structs.replace(first, id=broken.entities[1].id)
    twice = msgspec.structs.replace(broken, entities=(wrong, *broken.entities[1:]))
    with pytest.raises(DragomanError, match="nothing was sent: broken: two entities have the id"):
        project.push(client, server.url, "broken", [good, twice], SCHEMA)
    assert project.find_project(client, server.url, "broken") is None


def test_a_task_that_is_there_twice_is_mended(server: serve.Running, client: Any) -> None:
    documents = [lakeside(f"d-{number}") for number in range(2)]
    pushed = project.push(client, server.url, "twice", documents, SCHEMA)
    client.projects.import_tasks(id=pushed.project, request=[tasks.to_task(documents[0], SCHEMA)])
    again = project.push(client, server.url, "twice", documents, SCHEMA)
    assert again.same == ("d-0", "d-1")
    assert len(list(client.tasks.list(project=pushed.project))) == 2


def test_a_refused_key_and_a_silent_address_are_told(server: serve.Running) -> None:
    with pytest.raises(DragomanError, match="The key was refused"):
        project.connect(server.url, "0" * 40)
    with pytest.raises(DragomanError, match="Is the server running"):
        project.connect("http://127.0.0.1:9", "0" * 40)


def test_the_doctor_names_what_is_wrong(server: serve.Running, client: Any) -> None:
    def told(url: str, key: str) -> list[str]:
        return [f.remedy or f.what for f in doctor.examine(url, key) if not f.good]

    assert told(server.url, server.key) == []
    assert "Legacy tokens are off" in told(server.url, "0" * 40)[0]
    assert "Copy it anew" in told(server.url, server.key[:-3])[0]
    assert "expired" in told(server.url, "a.b.c")[0]
    assert "no address" in list(doctor.examine("localhost:80", "x"))[1].what
    assert "Nothing listens" in told("http://127.0.0.1:9", server.key)[0]
    assert "No machine is named" in told("http://no.such.host.invalid", server.key)[0]


def test_a_personal_access_token_serves_as_well(server: serve.Running, client: Any) -> None:
    status, body = doctor._ask(server.url, "/api/token/", authorization=f"Token {server.key}", send={})
    assert status in (200, 201), body
    personal = json.loads(body)["token"]
    assert [finding.good for finding in doctor.examine(server.url, personal)] == [True] * 4
    other = project.connect(server.url, personal)
    pushed = project.push(other, server.url, "personal", [lakeside("p")], SCHEMA)
    assert pushed.sent == ("p",)


def test_the_commands_push_and_pull(server: serve.Running, client: Any, tmp_path: Path) -> None:
    native.write(tmp_path / "in" / "c.json", lakeside("c"))
    schema = ("--schema", str(ROOT / "annotation/schema.toml"))
    login = {**os.environ, "LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.key}

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dragoman", "annotate", *map(str, words), *schema]
        return subprocess.run(command, env=login, capture_output=True, text=True, check=False)

    pushed = run("push", tmp_path / "in", "--project", "by command")
    assert (pushed.returncode, "1 sent" in pushed.stdout) == (0, True), pushed.stderr
    number = project.find_project(client, server.url, "by command")
    assert number is not None
    annotate(client, number, [lakeside("c")])
    pulled = run("pull", "--project", "by command", "-o", tmp_path / "out")
    assert (pulled.returncode, "1 submitted; 1 written" in pulled.stdout) == (0, True), pulled.stderr
    back = tmp_path / "out" / serve.LOGIN / "c.json"
    assert back.read_bytes() == (tmp_path / "in" / "c.json").read_bytes()


def test_a_push_that_is_killed_is_taken_up(server: serve.Running, client: Any) -> None:
    schema = ("--schema", str(ROOT / "annotation/schema.toml"))
    login = {**os.environ, "LABEL_STUDIO_URL": server.url, "LABEL_STUDIO_API_KEY": server.key}
    places = [str(ROOT / "corpus" / split) for split in ("train", "dev", "test")]
    push = [sys.executable, "-m", "dragoman", "annotate", "push", *places, *schema, "--predictions"]
    push += ["--version", "gold", "--project", "killed"]
    chance = Random(3)
    for _ in range(20):
        number = project.find_project(client, server.url, "killed")
        if number is not None and len(list(client.tasks.list(project=number, fields="task_only"))) == 200:
            client.projects.delete(id=number)  # that one went through: once more from the beginning
        with subprocess.Popen(push, env=login, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            time.sleep(chance.uniform(1.5, 4.0))  # imports take one second, the work some two
            run.kill()
    done = subprocess.run(push, env=login, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    number = project.find_project(client, server.url, "killed")
    assert number is not None
    tasks_there = list(client.tasks.list(project=number, fields="task_only"))
    assert len(tasks_there) == len({task.data["id"] for task in tasks_there}) == 200
    predicted = [prediction.task for prediction in client.predictions.list(project=number)]
    assert sorted(predicted) == sorted(task.id for task in tasks_there)


@contextlib.contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[None]:
    """End the process if the test fails, which would wait for it else."""
    try:
        yield
    except BaseException:
        process.terminate()
        raise


def test_a_server_ends_with_its_command_and_keeps_its_data(tmp_path: Path) -> None:
    serving = [sys.executable, "-m", "dragoman", "annotate", "serve", "--home", str(tmp_path)]
    keys = set()
    for _ in range(2):
        with (
            subprocess.Popen(serving, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run,
            ending(run),
        ):
            assert run.stdout is not None
            first, second = run.stdout.readline(), run.stdout.readline()
            url, key = first.split()[0], second.strip().rpartition("=")[2]
            keys.add(key)
            client = project.connect(url, key)
            if len(keys) == 1 and project.find_project(client, url, "kept") is None:
                project.push(client, url, "kept", [lakeside("k")], SCHEMA)
            assert project.find_project(client, url, "kept") is not None
            run.send_signal(signal.SIGINT)
            assert run.wait(30) == 0
        with pytest.raises(DragomanError, match="Is the server running"):
            project.connect(url, key)
    assert len(keys) == 1
    assert (tmp_path / "login.json").stat().st_mode & 0o077 == 0


def test_any_document_that_is_sent_comes_back(
    server: serve.Running, client: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    number = 0

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(sendable())
    def comes_back(document: Document) -> None:
        nonlocal number
        number += 1
        document = msgspec.structs.replace(document, layers=LAYERS)
        pushed = project.push(client, server.url, f"any {number}", [document], SCHEMA)
        annotate(client, pushed.project, [document])
        out = tmp_path_factory.mktemp("out")
        pulled = project.pull(client, server.url, str(pushed.project), out, SCHEMA)
        assert pulled.notes == ()
        assert native.dumps(pulled.annotations[0].document) == native.dumps(document)

    comes_back()
