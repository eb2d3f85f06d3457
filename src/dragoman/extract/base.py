"""What every extractor can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec

from dragoman.corpus import digest
from dragoman.schema import Schema
from dragoman.types import Document, Given


class TrainedOn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model learnt from: the number of documents, their digest, and which texts.

    texts: the beginnings of their SHA-256, as ``mark`` gives them.
    """

    documents: Annotated[int, msgspec.Meta(ge=1)]
    sha256: str
    texts: tuple[str, ...]

    @classmethod
    def of(cls, documents: Sequence[Document]) -> TrainedOn:
        """Of these documents."""
        return cls(len(documents), digest(documents), tuple(sorted(map(mark, documents))))

    def knows(self, document: Document) -> bool:
        """Whether a document of this text was among them."""
        return mark(document) in self.texts


def mark(document: Document) -> str:
    """The first 16 digits of the hash of a document's text."""
    return document.sha256[:16]


class Extractor(Protocol):
    """Turns articles into predicted documents.

    name: of the extractor's kind, as in its recipe. schema: the labels it predicts.
    sha256: of the model folder it was loaded from; empty for one that was just fitted.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def schema(self) -> Schema: ...  # noqa: D102
    @property
    def trained_on(self) -> TrainedOn: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102

    def extract(self, document: Document, *, given: Given = "nothing") -> Document:
        """Predict the annotations of one article.

        given: what of the document's own annotations to keep and build on; with
        ``nothing`` they are never looked at.
        """
        ...

    def save(self, folder: Path) -> str:
        """Write the model folder, whole or not at all; returns its SHA-256."""
        ...


class Fitter(Protocol):
    """Makes an extractor from a recipe and documents, the same ones from the same seed."""

    def __call__(
        self, recipe: dict[str, Any], folder: Path, schema: Schema, documents: Sequence[Document], seed: int
    ) -> Extractor:
        """recipe: its TOML content; folder: the recipe's, for the files that it names."""
        ...
