"""Projects on a Label Studio server: documents out, annotations back.

The SDK (extra ``labelstudio``) is imported when a server is connected to.
"""

from __future__ import annotations

import importlib
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from dragoman.annotate.config import label_config
from dragoman.errors import DragomanError
from dragoman.formats import files, labelstudio, native, tasks
from dragoman.formats.conversion import Note
from dragoman.formats.labelstudio import Annotated
from dragoman.schema import Schema
from dragoman.types import Document

log = logging.getLogger(__name__)
PORTION = 200
"""Tasks in one request."""
TIMEOUT = 600
"""Seconds that a request may take."""
WHOLE = {
    "predictions": {"only_id": False},
    "drafts": {"only_id": False},
    "annotations__completed_by": {"only_id": False},
}
Stage = Callable[[str, int, int], None]


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """What a push did, by ids of documents.

    sent: new on the server. updated: there with the same text; what was known of them, or the prediction,
    is another now. same: there just so. replaced: there with another text that nobody had annotated.
    kept: there with another text that somebody has annotated; left as they are.
    """

    project: int
    sent: tuple[str, ...]
    updated: tuple[str, ...]
    same: tuple[str, ...]
    replaced: tuple[str, ...]
    kept: tuple[str, ...]


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull found: annotations, the reader's notes, how many files were written or stayed."""

    project: int
    annotations: tuple[Annotated, ...]
    notes: tuple[Note, ...]
    written: int
    same: int


class _Known(msgspec.Struct, frozen=True):
    task: int
    sha256: str
    record: str
    annotations: int


def connect(url: str, key: str) -> Any:
    """A client of the server at ``url``; key: a personal access token or a legacy token.

    Raises DragomanError if the extra is not installed, nothing answers, or the key is refused.
    """
    try:
        sdk = importlib.import_module("label_studio_sdk")
    except ImportError as error:
        raise DragomanError(
            "label-studio-sdk is not installed. Install the extra: pip install 'dragoman[labelstudio]'"
        ) from error
    client = sdk.LabelStudio(base_url=url, api_key=key, timeout=TIMEOUT)
    _call(url, client.users.whoami)
    return client


def _call(url: str, work: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What a request gives; DragomanError, with the remedy, for what the server or the network refuses."""
    try:
        return work(*args, **options)
    except Exception as error:  # the SDK passes on errors of httpx, pydantic and its own
        status = getattr(error, "status_code", None)
        reason = " ".join(str(getattr(error, "body", "") or error).split())[:200] or type(error).__name__
        advice = {
            401: "The key was refused: copy it anew from Account & Settings; legacy tokens may be off.",
            403: "The key's owner may not do that.",
            404: "There is no such thing: look at the number of the project, and at the address.",
        }.get(status or 0, "Is the server running, and is this its address?" if status is None else "")
        raise DragomanError(f"{url}: {reason}. {advice}".rstrip()) from error


def find_project(client: Any, url: str, name: str) -> int | None:
    """The number of the project with a title or number; None if there is none.

    Raises DragomanError if several have the title.
    """
    projects = list(_each(url, _call(url, client.projects.list, page_size=100)))
    if name.isdecimal() and any(project.id == int(name) for project in projects):
        return int(name)
    found = [int(project.id) for project in projects if project.title == name]
    if len(found) > 1:
        raise DragomanError(
            f"{url}: {len(found)} projects are called {name!r}. Name one by its number: {found}"
        )
    return found[0] if found else None


def push(
    client: Any,
    url: str,
    name: str,
    documents: Sequence[Document],
    schema: Schema,
    *,
    form: Literal["predictions"] | None = None,
    version: str | None = None,
    instructions: str = "",
    stage: Stage = lambda *_: None,
) -> Pushed:
    """Send documents to the project of a title or number, which is made if there is none of that title.

    form: ``predictions`` to send their annotations as what annotators begin with; None sends the bare
    texts. version: the model version of predictions; one that a task has already is not sent again.
    instructions: shown to annotators, HTML. stage: called with what is done, how many, of how many.

    All are checked before anything is sent. Documents are known by their ids, so a push that was
    interrupted goes on where it was, and a task that a cut request left twice is removed.

    Raises DragomanError for what ``tasks.refused`` names, two documents of one id, and what ``_call`` does.
    """
    repeated = [name for name, count in Counter(d.id for d in documents).items() if count > 1]
    if repeated:
        raise DragomanError(f"two documents have the id {repeated[0]!r}. Remove or rename one.")
    problems = [f"{d.id}: {reason}" for d in documents for reason in tasks.refused(d, schema)]
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise DragomanError(f"nothing was sent: {problems[0]}{more}")
    made = {d.id: tasks.to_task(d, schema, form=form, version=version) for d in documents}
    project = find_project(client, url, name)
    config = label_config(schema)
    settings = {
        "label_config": config,
        "expert_instruction": instructions,
        "show_instruction": bool(instructions),
    }
    if project is None:
        if name.isdecimal():
            raise DragomanError(f"{url}: there is no project {name}. Give a title to make one.")
        project = int(_call(url, client.projects.create, title=name, **settings).id)
    else:
        _call(url, client.projects.update, id=project, **settings)
    known = _known(client, url, project, stage)
    sent, updated, same, replaced, kept = [], [], [], [], []
    waiting: list[dict[str, Any]] = []
    others: list[tuple[str, int]] = []
    for identifier, task in made.items():
        there = known.get(identifier)
        data = task["data"]
        if there is None:
            sent.append(identifier)
            waiting.append(task)
        elif there.sha256 == data["sha256"]:
            others.append((identifier, there.task))
            if there.record == data[tasks.RECORD]:
                same.append(identifier)
            else:
                updated.append(identifier)
                _call(url, client.tasks.update, id=str(there.task), data=data)
        elif there.annotations:
            kept.append(identifier)
        else:
            replaced.append(identifier)
            _call(url, client.tasks.delete, id=str(there.task))
            waiting.append(task)
    for first in range(0, len(waiting), PORTION):
        portion = waiting[first : first + PORTION]
        stage("tasks", first + len(portion), len(waiting))
        _call(url, client.projects.import_tasks, id=project, request=portion)
    if form is not None and others:
        again = _predict(client, url, project, [(n, t, made[n][form][0]) for n, t in others], stage)
        updated += [identifier for identifier in again if identifier in same]
        same = [identifier for identifier in same if identifier not in again]
    return Pushed(
        project=project,
        sent=tuple(sent),
        updated=tuple(updated),
        same=tuple(same),
        replaced=tuple(replaced),
        kept=tuple(kept),
    )


def _known(client: Any, url: str, project: int, stage: Stage) -> dict[str, _Known]:
    """The tasks on the server by their documents' ids; of two of one document the one not annotated goes."""
    found: dict[str, _Known] = {}
    doubles: list[int] = []
    listed = _call(
        url,
        client.tasks.list,
        project=project,
        page_size=PORTION,
        fields="task_only",
        include="id,data,total_annotations",
    )
    for number, task in enumerate(_each(url, listed), 1):
        data = task.data if isinstance(task.data, Mapping) else {}
        annotations = int(task.total_annotations or 0)
        one = _Known(int(task.id), str(data.get("sha256")), str(data.get(tasks.RECORD)), annotations)
        if number % PORTION == 0:
            stage("tasks there", number, 0)
        other = found.get(str(data.get("id")))
        if other is None:
            found[str(data.get("id"))] = one
        elif not one.annotations:
            doubles.append(one.task)
        elif not other.annotations:
            doubles.append(other.task)
            found[str(data.get("id"))] = one
    for task in doubles:
        _call(url, client.tasks.delete, id=str(task))
    return found


def _each(url: str, listed: Any) -> Iterator[Any]:
    pages = iter(listed)
    while True:
        task = _call(url, next, pages, None)
        if task is None:
            return
        yield task


def _predict(
    client: Any, url: str, project: int, predicted: Sequence[tuple[str, int, dict[str, Any]]], stage: Stage
) -> set[str]:
    """Send the predictions that their tasks don't have in that version yet; the documents' ids."""
    listed = _call(url, client.predictions.list, project=project)
    there = {(prediction.task, prediction.model_version) for prediction in listed}
    new = [(name, task, made) for name, task, made in predicted if (task, made["model_version"]) not in there]
    for first in range(0, len(new), PORTION):
        portion = [{"task": task, **made} for _, task, made in new[first : first + PORTION]]
        stage("predictions", first + len(portion), len(new))
        _call(url, client.projects.import_predictions, id=project, request=portion)
    return {name for name, _, _ in new}


def pull(
    client: Any,
    url: str,
    name: str,
    out: Path,
    schema: Schema,
    *,
    drafts: bool = False,
    stage: Stage = lambda *_: None,
) -> Pulled:
    """Write the annotations of a project as documents, ``out/ANNOTATOR/ID.json``.

    What annotators skipped goes to ``out/skipped``, with ``drafts`` what they have not submitted to
    ``out/drafts``. ``out/annotations.tsv`` says of each who made it, when, in how many seconds, whether it
    is a prediction as it was, one changed, or new, and where to open it. Of two annotations of one
    annotator the one changed last is written. Files that would stay as they are are not touched.

    Raises DragomanError for a project that does not exist, FormatError for what ``labelstudio`` can't read.
    """
    project = find_project(client, url, name)
    if project is None:
        raise DragomanError(f"{url}: there is no project {name!r}. Look at the titles on the server.")
    found: list[Annotated] = []
    notes: list[Note] = []
    for number, task in enumerate(_snapshot(client, url, project), 1):
        stage("tasks", number, 0)
        if not task.get("annotations") and not task.get("drafts"):
            continue
        made, told = labelstudio.annotated(
            Path(f"project {project}"), number, task, schema=schema.reference, coreference=schema.coreference
        )
        found += [one for one in made if drafts or one.state != "draft"]
        notes += told
    latest: dict[Path, Annotated] = {}
    for one in sorted(found, key=lambda one: one.updated):
        folder = {"submitted": out, "skipped": out / "skipped", "draft": out / "drafts"}[one.state]
        owner = files.path_for(folder, one.annotator, "")
        latest[files.path_for(owner, one.document.id, ".json")] = one
    written = 0
    for path, one in latest.items():
        content = native.dumps(one.document).encode()
        if not path.is_file() or path.read_bytes() != content:
            files.write(path, content)
            written += 1
    files.write(out / "annotations.tsv", _table(url, project, latest, out))
    return Pulled(
        project=project,
        annotations=tuple(latest.values()),
        notes=tuple(notes),
        written=written,
        same=len(latest) - written,
    )


def _snapshot(client: Any, url: str, project: int) -> Iterator[dict[str, Any]]:
    """Every task of a project, whole."""
    made = _call(url, client.projects.exports.create, id=project, serialization_options=WHOLE)
    with tempfile.TemporaryFile() as file:
        for piece in _each(url, client.projects.exports.download(id=project, export_pk=made.id)):
            file.write(piece)
        file.seek(0)
        listed = msgspec.json.decode(file.read())
    _call(url, client.projects.exports.delete, id=project, export_pk=made.id)
    yield from listed


COLUMNS = ("file", "document", "state", "origin", "created", "updated", "lead_time", "annotator", "link")


def _table(url: str, project: int, latest: Mapping[Path, Annotated], out: Path) -> str:
    lines = ["\t".join(COLUMNS)]
    for path, one in sorted(latest.items()):
        seconds = "" if one.lead_time is None else f"{one.lead_time:.1f}"
        row = (
            path.relative_to(out).as_posix(),
            one.document.id,
            one.state,
            one.origin,
            one.created,
            one.updated,
        )
        lines.append("\t".join((*row, seconds, one.annotator, link(url, project, one))))
    return "\n".join(lines) + "\n"


def link(url: str, project: int, one: Annotated) -> str:
    """Where an annotation opens in a browser."""
    return f"{url.rstrip('/')}/projects/{project}/data?task={one.task}&annotation={one.annotation}"
