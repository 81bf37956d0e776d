# The commands of everyday work. Each makes the virtual environment first if it is not there.
PYTHON ?= python3
BIN := .venv/bin

# Where this is set, as in many containers, each of the many processes below would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test soak check format bench clean

run: .venv/run
	$(BIN)/python app.py serve

# a process for each core, and one thread in each: two threads in every process would only wait for each other; the files in
# the order of tests/conftest.py, not by the number of their tests
test: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# attacks and faults in their long form: 100,000 inputs, 200 kills
SOAK := $(wildcard tests/security tests/faults)

soak: .venv/dev
	$(BIN)/python -m pytest $(SOAK) --long

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev
	$(BIN)/python -m benchmarks all --quick

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache

# --no-compile: Python compiles what it imports, which is a small part of what there is
.venv/run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt .venv/run
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check -r requirements-dev.txt
	touch $@
