# `make help` prints the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
SEED ?= 11

ifneq ($(UV),)
NEW_VENV = $(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
NEW_VENV = $(PYTHON) -m venv .venv
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.PHONY: help run test lint lock lock-check config lexicons baselines clean

help:  ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/run: pyproject.toml requirements.txt
	@echo "installing what extraction and scoring need into .venv" >&2
	@$(NEW_VENV)
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	@echo "installing what the tests need into .venv (about 2 GB)" >&2
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

run: .venv/run  ## validate the corpus, train the default extractor, score it, write build/report/index.html
	@$(BIN)/dragoman validate corpus seeds
	@$(BIN)/python models/train_linear.py
	@$(BIN)/python eval/write_report.py

test: .venv/dev lint  ## check the code and run the tests (slow ones only with SLOW=1)
	@$(BIN)/pytest -n auto --dist loadgroup $(if $(SLOW),,-m "not slow")

lint: .venv/dev
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports --no-logo

baselines: .venv/run  ## train again and record the scores in eval/baselines
	@$(BIN)/python models/train_linear.py
	@$(BIN)/python eval/record_baselines.py

config: .venv/run  ## write annotation/label-studio.xml from the schema
	@$(BIN)/dragoman annotate config -o annotation/label-studio.xml

lexicons: .venv/dev  ## write models/lexicons from the libraries that they come from
	@$(BIN)/python models/build_lexicons.py

LOCK = $(BIN)/uv pip compile --quiet pyproject.toml --group build --generate-hashes --universal \
	--no-header --no-annotate --python-version 3.11
LOCK_DEV = $(LOCK) --extra all --group dev

lock: .venv/dev  ## pin every package with its hashes (requirements.txt, requirements-dev.txt)
	@$(LOCK_DEV) --output-file requirements-dev.txt
	@$(LOCK) --constraints requirements-dev.txt --output-file requirements.txt

lock-check: .venv/dev  ## fail if the pins do not fit pyproject.toml
	@mkdir -p build && cp requirements.txt requirements-dev.txt build/
	@$(LOCK_DEV) --output-file build/requirements-dev.txt && cmp requirements-dev.txt build/requirements-dev.txt
	@$(LOCK) --constraints requirements-dev.txt --output-file build/requirements.txt
	@cmp requirements.txt build/requirements.txt

clean:  ## remove build/ and .venv/
	rm -rf build .venv
