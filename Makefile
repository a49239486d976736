# `make run` starts the whole service on this machine; `make test` runs every test. Both install what is missing.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.PHONY: run test check docs lock format clean install install-dev compose-test

run: install
	@exec $(BIN)/python -m stack

test: install-dev
	$(BIN)/python -m pytest

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install-dev
	$(BIN)/python -m docs.draw
	$(BIN)/python -m docs.openapi

lock: install-dev
	$(COMPILE) --upgrade requirements.in --output-file requirements.txt
	$(COMPILE) --upgrade --constraint requirements.txt requirements-dev.in --output-file requirements-dev.txt

compose-test: install-dev
	tests/compose/run.sh

# Everything that was made here: the environment, the state of `make run`, caches.
clean:
	@if [ -e .run/lock ] && ! flock --nonblock .run/lock true; then \
		echo "greenroom: a stack is running from .run; stop it first" >&2; exit 1; fi
	rm -rf .run .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	find service stack tests client examples -name __pycache__ -type d -prune -exec rm -rf {} +

install: .venv/.installed .venv/.client
	@stack/install.sh run

install-dev: .venv/.installed-dev .venv/.client
	@stack/install.sh test

.venv/bin/python:
	@PYTHON="$(PYTHON)" stack/install.sh venv
	$(PYTHON) -m venv .venv

# A stamp older than its lock file means that the environment is stale.
.venv/.installed: requirements.txt | .venv/bin/python
	@echo "greenroom: installing the Python packages of requirements.txt"
	$(PIP_INSTALL) --requirement requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt requirements.txt | .venv/bin/python
	@echo "greenroom: installing the Python packages of requirements-dev.txt"
	$(PIP_INSTALL) --requirement requirements-dev.txt
	@touch $@ .venv/.installed

# The client is not installed but found in client/, by everything that this environment runs.
.venv/.client: | .venv/bin/python
	@echo "$(CURDIR)/client" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/greenroom_client.pth"
	@touch $@
