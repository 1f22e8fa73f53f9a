# Two commands matter: `make run` and `make test`. Both begin with `make setup`, which is quick when nothing changed.
# PYTHON may name another interpreter (3.11 or newer).
SHELL := /bin/sh
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3 python,$(shell command -v $(name) 2>/dev/null)))
BIN := .venv/bin
# A production-like environment, for the checks that Django makes before a deployment.
PRODUCTION := TRAINING=False DEBUG=False SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
  ALLOWED_HOSTS=hilum.invalid DATABASE_URL=postgres://nobody@127.0.0.1:1/none MIGRATION_DATABASE_URL=none \
  REDIS_URL=redis://127.0.0.1:1/0

.PHONY: run test setup lint format pins clean

run: setup
	@exec $(BIN)/python -m config.run

test: setup lint
	@$(BIN)/python scripts/test.py $(ARGS)

setup:
	@test -n "$(PYTHON)" || { echo "Hilum needs Python 3.11 or newer on the PATH."; exit 1; }
	@$(PYTHON) scripts/setup.py

lint: setup
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

format: setup
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

# Compile the hand-written lists to pins with digests. UPGRADE=--upgrade takes newer versions.
PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-options \
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(UPGRADE)
pins:
	CUSTOM_COMPILE_COMMAND="make pins" $(PIP_COMPILE) --output-file requirements.txt requirements.in
	CUSTOM_COMPILE_COMMAND="make pins" $(PIP_COMPILE) --output-file requirements-dev.txt requirements-dev.in

clean:
	rm -rf .venv .cache staticfiles frontend/dist frontend/node_modules .mypy_cache .ruff_cache .pytest_cache
