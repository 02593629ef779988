# Each target works as the only command on a machine with Python 3.11, 3.12 or 3.13, git and make.
# PYTHON=… names the interpreter, VENV=… where the environment is kept.
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: sample test interpreters soak fuzz audit bench consumers lint format fixtures lock clean
.DEFAULT_GOAL := sample

SAMPLE ?= out/sample
sample: $(INSTALLED) ## migrate the sample registry into out/sample, or where SAMPLE names
	$(BIN)/python scripts/run_sample.py $(SAMPLE)

test: $(INSTALLED) ## run all tests
	$(BIN)/pytest

interpreters: $(INSTALLED) ## run the sample and the quick tests on each Python found here; writes docs/platforms.md
	$(BIN)/python scripts/interpreters.py

soak: $(INSTALLED) ## run the long forms of the tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[mlflow]'
	$(BIN)/pytest -m soak --timeout 3600

FUZZ_SECONDS ?= 60
fuzz: $(INSTALLED) ## fuzz the reader, the config parser and the Lambdas, each for FUZZ_SECONDS
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[fuzz]'
	$(BIN)/python scripts/fuzz.py config --seconds $(FUZZ_SECONDS)
	$(BIN)/python scripts/fuzz.py lambda --seconds $(FUZZ_SECONDS)
	$(BIN)/python scripts/fuzz.py reader --seconds $(FUZZ_SECONDS)

audit: $(INSTALLED) ## look the locked dependencies up among known vulnerabilities; needs an index that tells them
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -e '.[audit]'
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

BENCH ?=
bench: $(INSTALLED) ## measure beside the peers, and write docs/benchmark.* (BENCH=--quick: a shorter form)
	$(BIN)/python scripts/benchmark.py $(BENCH)

CONSUMERS ?=
consumers: $(INSTALLED) ## have other runtimes load twenty models, and write docs/consumers.md (CONSUMERS="--only TITLE": some)
	$(BIN)/python scripts/consumers/run.py $(CONSUMERS)

lint: $(INSTALLED) ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED) ## put the code into its style
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

fixtures: $(INSTALLED) ## write tests/fixtures anew under genuine legacy runtimes
	$(BIN)/python scripts/make_fixtures.py --out tests/fixtures
	$(BIN)/python scripts/keras_3_fixtures.py --out tests/fixtures

LOCK ?=
lock: $(INSTALLED) ## write requirements.lock anew from pyproject.toml (LOCK=--upgrade: with the newest versions)
	UV="$$(command -v uv || echo $(BIN)/uv)" scripts/compile_lock.sh $(LOCK)

clean: ## remove the environment and what was written
	rm -rf $(VENV) out build *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(INSTALLED): requirements.lock pyproject.toml scripts/set_up.sh
	PYTHON="$(PYTHON)" scripts/set_up.sh $(VENV)
	touch $@
