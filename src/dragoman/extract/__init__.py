"""Extractors: the protocol, and one module per kind."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from dragoman.errors import ModelError, RecipeError
from dragoman.extract import store
from dragoman.extract.base import Extractor, Fitter

KINDS = {"linear": "dragoman.extract.linear"}


def fitter(kind: str) -> Fitter:
    """The function that fits this kind of extractor; RecipeError if there is none."""
    if kind not in KINDS:
        raise RecipeError(f"no extractor is named {kind!r}; there are {', '.join(KINDS)}")
    found: Fitter = _module(kind).fit
    return found


def load(folder: Path) -> Extractor:
    """Load a model folder; ModelError if it is damaged or of an unknown kind."""
    stored = store.read(folder)
    kind = stored.manifest.extractor
    if kind not in KINDS:
        raise ModelError(f"{folder}: made by the extractor {kind!r}; this version has {', '.join(KINDS)}")
    try:
        extractor: Extractor = _module(kind).load(stored)
    except ModelError as error:
        raise ModelError(f"{folder}: {error}") from error
    return extractor


def _module(kind: str) -> ModuleType:
    return importlib.import_module(KINDS[kind])


__all__ = ["KINDS", "Extractor", "Fitter", "fitter", "load"]
