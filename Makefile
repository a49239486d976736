# `make run` starts the whole service on this machine; `make test` runs every test. Both install what is missing.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
# npm and what it runs must find the Node of this environment, whatever the machine has.
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
NPM := cd widget && $(WITH_NODE) npm --loglevel=error

.PHONY: run test check docs lock format clean install install-dev widget compose-test

run: install
	@exec $(BIN)/python -m stack

test: install-dev
	@$(NPM) run --silent test
	$(BIN)/python -m pytest

check: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(NPM) run --silent check

format: install-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install-dev
	$(BIN)/python -m docs.draw
	$(BIN)/python -m docs.openapi

lock: install-dev
	$(COMPILE) --upgrade requirements.in --output-file requirements.txt
	$(COMPILE) --upgrade --constraint requirements.txt requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) --upgrade requirements-build.in --output-file requirements-build.txt

compose-test: install-dev
	tests/compose/run.sh

# Everything that was made here: the environment, the state of `make run`, caches.
clean:
	@if [ -e .run/lock ] && ! flock --nonblock .run/lock true; then \
		echo "greenroom: a stack is running from .run; stop it first" >&2; exit 1; fi
	rm -rf .run .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	rm -rf widget/dist widget/node_modules tests/oidc/node_modules
	find service stack tests client examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

install: .venv/.installed .venv/.client widget
	@stack/install.sh run

install-dev: .venv/.installed-dev .venv/.client widget tests/oidc/node_modules/.installed
	@stack/install.sh test

# The upload widget, as the service hands it out.
widget: widget/dist/.built

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

.venv/.installed-build: requirements-build.txt | .venv/bin/python
	@echo "greenroom: installing the Python packages of requirements-build.txt"
	$(PIP_INSTALL) --requirement requirements-build.txt
	@touch $@

widget/node_modules/.installed: widget/package-lock.json widget/package.json widget/.npmrc | .venv/.installed-build
	@echo "greenroom: installing the npm packages of widget/package-lock.json"
	@$(NPM) ci --ignore-scripts >/dev/null
	@touch $@

# The OpenID provider that the tests sign in at.
tests/oidc/node_modules/.installed: tests/oidc/package-lock.json tests/oidc/package.json tests/oidc/.npmrc | .venv/.installed-build
	@echo "greenroom: installing the npm packages of tests/oidc/package-lock.json"
	@cd tests/oidc && $(WITH_NODE) npm --loglevel=error ci --ignore-scripts >/dev/null
	@touch $@

# The folders are among what it is made of, so that a file which goes is noticed.
widget/dist/.built: widget/build.mjs widget/tsconfig.json $(shell find widget/src) widget/node_modules/.installed
	@$(NPM) run --silent build
	@touch $@
