"""Label Studio's JSON export: a list of tasks with their annotations.

Offsets are code points, as Label Studio 1.23 counts; the surface is taken from the task's
text, since an export's own one writes line breaks as a backslash and an n.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from dragoman.errors import FormatError
from dragoman.formats import files, tasks
from dragoman.formats.conversion import Conversion, Kind, Note
from dragoman.formats.linked import components
from dragoman.text import Utf16
from dragoman.types import Cluster, Document, Entity, Relation, first_line, text_hash

LAYERS = ("entities", "relations", "clusters")
ANNOTATIONS = ("annotations", "completions")
"""Where a task holds its annotations; the second is the name before version 1.0."""
SPACE = re.compile(r"\\n|\s+")


def read(
    path: Path,
    *,
    schema: str,
    coreference: str = "same_as",
    text: str = "text",
    value: str = "value",
    utf16: bool = False,
    predictions: bool = False,
) -> Conversion:
    """Read a JSON export; every annotation that was not cancelled becomes a document.

    schema: the schema reference that the documents get.
    coreference: the relation label that says two regions are one entity; clusters are the
    regions that such relations join, directly or through others.
    text: the key of a task's ``data`` that holds the annotated text.
    value: the name of the text field of a region whose content is the entity's value.
    utf16: take offsets as UTF-16 units, as exports of old versions hold them.
    predictions: where no task has an annotation, read each task's latest prediction, with its scores.

    A document's id is the task's ``data.id``, else the task's ``id``; with ``#`` and the
    annotation's id where a task has several annotations. Its layers are entities, relations
    and clusters, and values where a region has one. A relation ``left`` is turned round, and
    one of both directions makes two. A region of several labels makes an entity of each.

    Notes: ``skipped`` for cancelled annotations, predictions, drafts, and results that are no
    labels of a text, relation or value; ``unaligned`` for white space cut off a region's
    edges; ``malformed`` for a surface that differs from the text (the offsets are kept), and
    for regions outside the text and relations to what is missing (left out).

    Raises FormatError [labelstudio-json] for what is no JSON, [labelstudio-min] for the
    JSON-MIN form, which has no relations and no ids, [labelstudio-task] for a list of other
    things, [id-duplicate] for two tasks of one id, and what ``files`` raises.
    """
    content = files.decode(files.read_bytes(path), str(path)).removeprefix("\ufeff")
    try:
        listed = files.from_json(content)
    except ValueError as error:
        raise FormatError(
            str(path),
            "labelstudio-json",
            f"this is no JSON ({error}). The file may be cut short; export it again.",
        ) from error
    if not isinstance(listed, list):
        found = type(listed).__name__
        raise FormatError(
            str(path),
            "labelstudio-task",
            f"found one {found}, expected a list of tasks. Export the project as JSON.",
        )
    documents: list[Document] = []
    notes: list[Note] = []
    scored = predictions and not any(map(_has_annotation, listed))
    if scored:
        listed = [_of_prediction(task) for task in listed]
    for number, task in enumerate(listed, 1):
        reader = _Task(path, number, task, text=text, schema=schema, scored=scored)
        documents += reader.documents(coreference=coreference, value=value, utf16=utf16)
        notes += reader.notes
    repeated = [name for name, count in Counter(document.id for document in documents).items() if count > 1]
    if repeated:
        raise FormatError(
            str(path),
            "id-duplicate",
            f"two tasks make a document {repeated[0]!r}; imported twice? Remove one, and export again.",
        )
    return Conversion(tuple(documents), tuple(notes))


class Annotated(msgspec.Struct, frozen=True, kw_only=True):
    """What one annotator made of a task.

    annotation: its id on the server. annotator: the address, or the number, of who made it. state:
    ``submitted``, ``skipped`` (the annotator passed over the task) or ``draft`` (not submitted yet).
    origin: ``new`` without a prediction that it began with, else ``accepted`` or ``changed``.
    created, updated: as the server writes times. lead_time: seconds spent on it, None if unknown.
    """

    document: Document
    task: str
    annotation: str
    annotator: str
    state: Literal["submitted", "skipped", "draft"]
    origin: Literal["new", "accepted", "changed"]
    created: str
    updated: str
    lead_time: float | None


def annotated(
    place: Path, number: int, task: object, *, schema: str, coreference: str = "same_as"
) -> tuple[list[Annotated], list[Note]]:
    """Everything that annotators made of one task of an export, with the reader's notes.

    place, number: of the export and of the task in it, for errors. The task holds predictions, drafts and
    annotators in full, as the snapshots of ``annotate pull`` do. Raises FormatError like ``read``.
    """
    reader = _Task(place, number, task, text="text", schema=schema)
    found = list(reader.annotated(coreference))
    return found, reader.notes


def _has_annotation(task: object) -> bool:
    return isinstance(task, dict) and any(task.get(key) for key in ANNOTATIONS)


def _of_prediction(task: object) -> object:
    """The task with its latest prediction in place of an annotation; as it is if it has none."""
    if not isinstance(task, dict) or not isinstance(task.get("predictions"), list) or not task["predictions"]:
        return task
    return {**task, "annotations": task["predictions"][-1:], "predictions": task["predictions"][:-1]}


def _is_task(task: Mapping[str, Any]) -> bool:
    return "data" in task and any(key in task for key in ANNOTATIONS)


def _is_minimal(task: Mapping[str, Any]) -> bool:
    return "data" not in task and {"annotator", "annotation_id"} <= task.keys()


class _Task:
    """Reads one task."""

    def __init__(
        self, path: Path, number: int, task: object, *, text: str, schema: str, scored: bool = False
    ) -> None:
        self.place = f"{path}: task {number}"
        self.scored = scored
        self.schema = schema
        self.notes: list[Note] = []
        if not isinstance(task, dict):
            raise self.fail("labelstudio-task", f"found {_shown(task)}, expected a task.")
        if _is_minimal(task):
            raise self.fail(
                "labelstudio-min",
                "this is the JSON-MIN form, which loses relations. Export the project as JSON.",
            )
        if not _is_task(task):
            keys = ", ".join(map(str, task)) or "none"
            message = f"the task has the keys {keys[:200]}, expected data and annotations among them."
            advice = "Export the project as JSON."
            if task.get("predictions"):
                advice = "Predictions alone are read as the predicted side of a score, never as gold."
            raise self.fail("labelstudio-task", f"{message} {advice}")
        self.task = task
        data = task["data"]
        if not isinstance(data, dict) or not isinstance(data.get(text), str):
            keys = ", ".join(map(str, data)) if isinstance(data, dict) else _shown(data)
            message = f"data has no text under {text!r}, but {keys[:200] or 'nothing'}."
            raise self.fail("labelstudio-task", f"{message} Rename the key that holds the text.")
        self.data: dict[str, Any] = data
        self.text: str = data[text]
        found = data["id"] if data.get("id") is not None else task.get("id")
        if not isinstance(found, (str, int)) or isinstance(found, bool) or found == "":
            raise self.fail("labelstudio-task", f"the id is {_shown(found)}, expected a number or a name.")
        self.id = str(found)
        try:
            self.record = tasks.read_record(data)
        except ValueError as error:
            raise self.fail("labelstudio-record", f"{error}. Leave it as `to_task` wrote it.") from error
        self.place = f"{path}: task {self.id}"

    def fail(self, check: str, message: str) -> FormatError:
        return FormatError(self.place, check, message)

    def note(self, kind: Kind, message: str) -> None:
        self.notes.append(Note(self.place, kind, message))

    def documents(self, *, coreference: str, value: str, utf16: bool) -> Iterator[Document]:
        stated = self.data.get("sha256")
        if stated is not None and stated != text_hash(self.text):
            self.note("malformed", "the text is not the one that the task's sha256 was made of; it is read.")
        for key in ("predictions", "drafts"):
            if self.task.get(key):
                count = len(self.task[key]) if isinstance(self.task[key], list) else 1
                self.note("skipped", f"its {count} {key} are not read, only its annotations.")
        kept: list[dict[str, Any]] = []
        key = next(key for key in ANNOTATIONS if key in self.task)
        for annotation in self.items(self.task[key], key):
            if not isinstance(annotation, dict):
                raise self.fail("labelstudio-task", f"found {_shown(annotation)}, expected an annotation.")
            if annotation.get("was_cancelled"):
                self.note("skipped", f"annotation {_shown(annotation.get('id'))} was cancelled.")
            else:
                kept.append(annotation)
        if not kept:
            self.note("skipped", "the task has no annotation; it makes no document.")
        task = self.place
        for number, annotation in enumerate(kept, 1):
            name = annotation.get("id")
            name = name if isinstance(name, (str, int)) else number
            identifier = self.id if len(kept) == 1 else f"{self.id}#{name}"
            self.place = task if len(kept) == 1 else f"{task}: annotation {name}"
            results = self.items(annotation.get("result"), "result")
            yield _Annotation(self, results, utf16=utf16).document(identifier, coreference, value)

    def annotated(self, coreference: str) -> Iterator[Annotated]:
        """What annotators made of the task, drafts last."""
        predicted = {
            str(prediction.get("id")): prediction.get("result")
            for prediction in self.items(self.task.get("predictions") or [], "predictions")
            if isinstance(prediction, dict)
        }
        key = next(key for key in ANNOTATIONS if key in self.task)
        made = [(annotation, False) for annotation in self.items(self.task[key], key)]
        made += [(draft, True) for draft in self.items(self.task.get("drafts") or [], "drafts")]
        task = self.place
        for annotation, draft in made:
            if not isinstance(annotation, dict):
                raise self.fail("labelstudio-task", f"found {_shown(annotation)}, expected an annotation.")
            name = str(annotation.get("id"))
            self.place = f"{task}: {'draft' if draft else 'annotation'} {name}"
            document = self.document(annotation.get("result"), coreference)
            begun = predicted.get(str(annotation.get("parent_prediction")))
            same = begun is not None and self.same(document, begun, coreference)
            skipped = "skipped" if annotation.get("was_cancelled") else "submitted"
            seconds = annotation.get("lead_time")
            yield Annotated(
                document=document,
                task=str(self.task.get("id")),
                annotation=name,
                annotator=_annotator(annotation.get("user" if draft else "completed_by")),
                state="draft" if draft else skipped,  # type: ignore[arg-type]
                origin="new" if begun is None else "accepted" if same else "changed",
                created=str(annotation.get("created_at") or ""),
                updated=str(annotation.get("updated_at") or ""),
                lead_time=float(seconds) if isinstance(seconds, (int, float)) else None,
            )
        self.place = task

    def document(self, results: object, coreference: str) -> Document:
        found = _Annotation(self, self.items(results, "result"), utf16=False)
        return found.document(self.id, coreference, "value")

    def same(self, document: Document, results: object, coreference: str) -> bool:
        """Whether a document is what a prediction said; notes on the prediction are not kept."""
        told = list(self.notes)
        predicted = self.document(results, coreference)
        self.notes[:] = told
        return predicted == document

    def items(self, found: object, name: str) -> list[Any]:
        if not isinstance(found, list):
            raise self.fail("labelstudio-task", f"{name} is {_shown(found)}, expected a list.")
        return found


class _Annotation:
    """Reads the results of one annotation."""

    def __init__(self, task: _Task, results: list[Any], *, utf16: bool) -> None:
        self.task = task
        self.results = results
        self.units = Utf16(task.text)
        self.utf16 = utf16
        self.regions: dict[str, list[Entity]] = {}
        self.ids: set[str] = set()
        self.values: dict[str, str] = {}

    def document(self, identifier: str, coreference: str, value: str) -> Document:
        links: list[dict[str, Any]] = []
        fields: list[dict[str, Any]] = []
        for result in self.results:
            kind = result.get("type") if isinstance(result, dict) else None
            if kind == "labels":
                self.region(result)
            elif kind == "relation":
                links.append(result)
            elif kind == "textarea":
                fields.append(result)
            elif kind is None:
                self.task.note("malformed", f"a result is {_shown(result)}; it is left out.")
            else:
                self.task.note("skipped", f"a result of type {_shown(kind)} is not read.")
        for field in fields:
            self.field(field, value)
        relations: list[Relation] = []
        same: list[tuple[str, str]] = []
        for link in links:
            for label, source, target in self.link(link):
                if label != coreference:
                    name = f"R{len(relations) + 1}"
                    relations.append(Relation(id=name, label=label, source=source, target=target))
                elif source != target:
                    same.append((source, target))
                else:
                    self.task.note("malformed", f"region {source} is {coreference} itself; left out.")
        groups = components(same)
        text, title, date = self.task.text, self.task.data.get("title"), self.task.data.get("date")
        found = Document.new(
            id=identifier,
            text=text,
            schema=self.task.schema,
            title=title if isinstance(title, str) else first_line(text),
            date=date if isinstance(date, str) else None,
            layers=(*LAYERS, "values") if self.values else LAYERS,
            entities=tuple(
                msgspec.structs.replace(entity, value=self.values.get(name))
                for name, entities in self.regions.items()
                for entity in entities
            ),
            relations=tuple(relations),
            clusters=tuple(Cluster(id=f"C{n}", members=group) for n, group in enumerate(groups, 1)),
        ).ordered()
        if self.task.record is None:
            return found
        back, messages = tasks.restored(found, self.task.record)
        for message in messages:
            self.task.note("malformed", message)
        return back

    def region(self, result: dict[str, Any]) -> None:
        found = result.get("value")
        name = result.get("id")
        if (
            not isinstance(found, dict)
            or not isinstance(name, (str, int))
            or isinstance(name, bool)
            or name == ""
        ):
            self.task.note(
                "malformed", f"a region has the id {_shown(name)} and no usable value; it is left out."
            )
            return
        region = f"region {name}"
        start, end = found.get("start"), found.get("end")
        if isinstance(start, str) or "startOffset" in found:
            self.task.note("skipped", f"{region} counts in HTML, not in a text; it is left out.")
            return
        span = self.span(region, start, end)
        labels = found.get("labels")
        if not isinstance(labels, list) or not all(isinstance(label, str) and label for label in labels):
            self.task.note("malformed", f"{region} has the labels {_shown(labels)}; it is left out.")
            return
        if not labels:
            self.task.note("skipped", f"{region} has no label; it is left out.")
        if span is None or not labels:
            return
        surface = found.get("text")
        if isinstance(surface, str):
            self.compare(region, surface, span, (start, end))
        cut = self.task.text[slice(*span)]
        if cut != cut.strip():
            if not cut.strip():
                self.task.note("malformed", f"{region} holds white space only; it is left out.")
                return
            span = (span[1] - len(cut.lstrip()), span[0] + len(cut.rstrip()))
            self.task.note("unaligned", f"{region} {cut[:60]!r} loses the white space at its edges.")
        score = result.get("score") if self.task.scored else None
        known = isinstance(score, (int, float)) and not isinstance(score, bool) and 0 <= score <= 1
        self.add(str(name), span, labels, float(score) if score is not None and known else None)

    def add(self, name: str, span: tuple[int, int], labels: list[str], score: float | None) -> None:
        """Make an entity for each label; a region's second label may stand in another result."""
        entities = self.regions.setdefault(name, [])
        if entities and (entities[0].start, entities[0].end) != span:
            self.task.note("malformed", f"two regions have the id {name}; relations to it mean the first.")
        for label in labels:
            identifier, number = name, 1
            while identifier in self.ids:
                number += 1
                identifier = f"{name}.{number}"
            self.ids.add(identifier)
            surface = self.task.text[slice(*span)]
            entities.append(
                Entity(id=identifier, start=span[0], end=span[1], label=label, surface=surface, score=score)
            )

    def span(self, region: str, start: Any, end: Any) -> tuple[int, int] | None:
        """The code points of a region; None, with a note, for what lies outside the text."""
        if type(start) is int and type(end) is int and 0 <= start < end:
            points = self.points(start, end) if self.utf16 else (start, end)
            if points is not None and points[1] <= len(self.task.text):
                return points
        unit = "UTF-16 units" if self.utf16 else "code points"
        message = f"{region} is [{_shown(start)}, {_shown(end)}), which is no stretch of the text in {unit}"
        self.task.note("malformed", f"{message}; it is left out.")
        return None

    def points(self, start: int, end: int) -> tuple[int, int] | None:
        try:
            return self.units.to_points(start), self.units.to_points(end)
        except ValueError:
            return None

    def compare(self, region: str, surface: str, span: tuple[int, int], given: tuple[Any, Any]) -> None:
        """A note where the export's surface is not the text's, but for white space."""
        text = self.task.text
        if _plain(surface) == _plain(text[slice(*span)]):
            return
        advice = "the offsets are kept."
        other = given if self.utf16 else self.points(*given)
        if other is not None and _plain(surface) == _plain(text[slice(*other)]):
            advice += (
                " It fits if offsets are code points: read without utf16."
                if self.utf16
                else " It fits if offsets are UTF-16 units, as in old exports: read with utf16."
            )
        actual = text[slice(*span)]
        message = f"{region} states the text {surface[:60]!r}, but there is {actual[:60]!r}; {advice}"
        self.task.note("malformed", message)

    def field(self, result: dict[str, Any], value: str) -> None:
        """The text field of a region: its value."""
        name, owner = result.get("from_name"), result.get("id")
        if name != value or not isinstance(owner, (str, int)) or str(owner) not in self.regions:
            self.task.note(
                "skipped", f"the text field {_shown(name)} of {_shown(owner)} is no region's value."
            )
            return
        found = result.get("value")
        texts = found.get("text") if isinstance(found, dict) else None
        lines = [texts] if isinstance(texts, str) else texts
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            self.task.note("malformed", f"the value of region {owner} is {_shown(texts)}; it is left out.")
            return
        written = [line.strip() for line in lines if line.strip()]
        if len(written) != 1 or str(owner) in self.values:
            self.task.note(
                "malformed",
                f"region {owner} has {len(written) or 'no'} text as its value; one is read at most.",
            )
        if written:
            self.values.setdefault(str(owner), written[0])

    def link(self, result: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
        """(label, source, target) of each label and direction of a relation."""
        ends = [result.get("from_id"), result.get("to_id")]
        labels, direction = result.get("labels"), result.get("direction") or "right"
        shown = f"the relation of {_shown(ends[0])} and {_shown(ends[1])}"
        known = [isinstance(end, (str, int)) and str(end) in self.regions for end in ends]
        if not all(known):
            missing = _shown(ends[known.index(False)])
            self.task.note(
                "malformed", f"{shown} points at {missing}, which is no region read; it is left out."
            )
            return
        if labels is None or labels == []:
            self.task.note("skipped", f"{shown} has no label; it is left out.")
            return
        right = isinstance(labels, list) and all(isinstance(label, str) and label for label in labels)
        if not right or direction not in ("right", "left", "bi"):
            message = f"{shown} has the labels {_shown(labels)} and the direction {_shown(direction)}"
            self.task.note("malformed", f"{message}; it is left out.")
            return
        source, target = (self.regions[str(end)][0].id for end in ends)
        several = [str(end) for end in ends if len(self.regions[str(end)]) > 1]
        if several:
            self.task.note(
                "skipped",
                f"{shown} is read for the first label only of {', '.join(several)}, which has several.",
            )
        for label in labels:
            if direction in ("right", "bi"):
                yield label, source, target
            if direction == "left" or (direction == "bi" and source != target):
                yield label, target, source


def _annotator(found: object) -> str:
    if isinstance(found, dict):
        found = found.get("email") or found.get("id")
    return str(found) if isinstance(found, (str, int)) and found != "" else "unknown"


def _plain(surface: str) -> str:
    """A surface as exports write it: line breaks and runs of spaces are one space."""
    return SPACE.sub(" ", surface).strip()


def _shown(value: object) -> str:
    try:
        return repr(value)[:60]
    except RecursionError:
        return "something deeply nested"
