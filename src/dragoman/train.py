"""From a recipe and documents to an extractor."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dragoman import extract
from dragoman import schema as schemas
from dragoman.errors import RecipeError
from dragoman.schema import Schema
from dragoman.types import Document
from dragoman.validate import refuse_errors


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
