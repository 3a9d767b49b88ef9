# The two commands of the README are `make demo` and `make test`; `make check` is the contributor's loop.
PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
export PYTHONSAFEPATH := 1

.PHONY: demo serve test chaos check bench format clean

.venv: .venv/installed

.venv/installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Journeyman needs Python 3.11 or newer; run make PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv module; install it (Debian and Ubuntu: apt install python3-venv) and run make again."; exit 1; }
	@command -v git >/dev/null || { echo "Journeyman needs git; install it (Debian and Ubuntu: apt install git) and run make again."; exit 1; }
	@echo "Bringing .venv up to date ..."
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'
	@$(BIN)/uv sync --quiet --frozen
	@touch $@

demo: .venv
	@$(BIN)/journeyman demo

serve: .venv
	@$(BIN)/journeyman serve

test: .venv
	$(BIN)/pytest -n 2 --dist loadgroup $(TESTS)

chaos: .venv
	CHAOS=all $(BIN)/pytest -n 2 tests/chaos

check: .venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/ty check
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 -m fast tests

bench: .venv
	$(BIN)/journeyman bench

format: .venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache
