"""From a recipe and documents to an extractor."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dragoman import extract
from dragoman import schema as schemas
from dragoman.errors import RecipeError
from dragoman.schema import Schema
from dragoman.types import Document, Given, text_hash
from dragoman.validate import refuse_errors

log = logging.getLogger(__name__)


def read_recipe(path: Path) -> dict[str, Any]:
    """The recipe's content; RecipeError if it is no recipe."""
    try:
        recipe = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: the recipe can't be read ({error.strerror})") from error
    except RecursionError as error:
        raise RecipeError(f"{path}: not a recipe in TOML: nested too deeply") from error
    except ValueError as error:  # not UTF-8, not TOML, a number beyond bounds
        raise RecipeError(f"{path}: not a recipe in TOML: {error}") from error
    if not isinstance(recipe.get("extractor"), str):
        raise RecipeError(
            f'{path}: a recipe begins with `extractor = "..."`; there are {", ".join(extract.KINDS)}'
        )
    return recipe


def fit(
    recipe: Path, documents: Sequence[Document], *, seed: int, schema: Schema | None = None
) -> extract.Extractor:
    """Fit the recipe's extractor on documents.

    schema: the nearest one above the recipe if None. The same recipe, documents and seed
    give the same extractor, whatever the order of the documents.

    Raises RecipeError for a wrong recipe, DragomanError for a document with an error.
    """
    content = read_recipe(recipe)
    used = schema or schemas.read(schemas.find(recipe))
    if len({document.id for document in documents}) < len(documents):
        raise RecipeError(f"{recipe}: two training documents share an id. Rename one.")
    refuse_errors({document.id: document for document in documents}, used)
    if not documents:
        raise RecipeError(f"{recipe}: no document to train on")
    try:
        return extract.fitter(content["extractor"])(content, recipe.parent, used, documents, seed)
    except RecipeError as error:
        raise RecipeError(f"{recipe}: {error}") from error


def out_of_fold(
    recipe: Path,
    documents: Sequence[Document],
    schema: Schema,
    *,
    folds: int,
    seed: int,
    settings: Sequence[Given],
) -> Iterator[tuple[Given, Document]]:
    """Predictions for training documents in some settings, each by a model that never saw it.

    folds: how many models are fitted; documents are dealt out in order of the SHA-256 of their id.
    Raises RecipeError for fewer than two folds, or more folds than documents.
    """
    if not 2 <= folds <= len(documents):
        raise RecipeError(f"{folds} folds: expected from 2 to {len(documents)}, the number of documents")
    ranked = sorted(documents, key=lambda document: text_hash(document.id))
    for fold in range(folds):
        log.info("fold %d of %d", fold + 1, folds)
        held_out = ranked[fold::folds]
        names = {document.id for document in held_out}
        known = [document for document in ranked if document.id not in names]
        extractor = fit(recipe, known, seed=seed, schema=schema)
        for given in settings:
            for document in held_out:
                shown = document.bare() if given == "nothing" else document
                yield given, extractor.extract(shown, given=given)
