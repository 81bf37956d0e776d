# The commands of everyday work. Each makes the virtual environment first if it is not there.
PYTHON ?= python3
BIN := .venv/bin

# Where this is set, as in many containers, each of the many processes below would compile all that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test steady soak check format bench site clean

run: .venv/run
	$(BIN)/python app.py serve --open

# one thread in each of the processes: two in every one would only wait for each other; how many processes, and the order of
# the files, is said in tests/conftest.py
test: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# attacks and faults in their long form: 100,000 inputs, 200 kills
SOAK := $(wildcard tests/security tests/faults)

soak: .venv/dev
	$(BIN)/python -m pytest $(SOAK) --long

# One file ten times, beside a process that eats a core: make steady FILE=tests/browser/test_library.py
# A journey that fails then has found a race in the page: mend the page, not the journey.
steady: .venv/dev
	@$(BIN)/python -c "while True: pass" & eater=$$!; trap "kill $$eater" EXIT; \
	for run in 1 2 3 4 5 6 7 8 9 10; do echo "run $$run"; OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(FILE) || exit 1; done

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev
	$(BIN)/python -m benchmarks all --quick

# The site of the docs, and a walk through it: links, foreign requests, accessibility
site: .venv/dev
	$(BIN)/python -m pip install --quiet -r requirements-docs.txt
	$(BIN)/python -m docs.site
	$(BIN)/python -m docs.site.walk

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache

.venv/run: requirements.txt install.py
	$(PYTHON) install.py
	touch $@

# Then what every test process imports is compiled once, and not by all of them at the same time.
.venv/dev: requirements.txt requirements-dev.txt install.py
	$(PYTHON) install.py --dev
	$(BIN)/python -m tests.support.preloaded
	touch .venv/run $@
