# Two verbs matter: `make lab` opens the course, `make test` runs its tests. Both set up what they need first.
# Two more for whoever changes something: `make format`, and `make check`, which pre-commit calls, too.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Small messages from a kernel reach the page at once, see sbd_utils/explorer/server.py.
PROMPT := kernel_websocket_connection_class=sbd_utils.explorer.server.PromptConnection
BIOME := @biomejs/biome@2.6.8

.PHONY: lab explore test javascript benchmark notebooks assignments grade totals wrong-answers book clean

lab: $(VENV)/.ready
	$(BIN)/jupyter lab --ServerApp.root_dir=. --ServerApp.$(PROMPT) notebooks/00_start_here.ipynb $(ARGS)

# The latent explorer alone, on a page of its own.
explore: $(VENV)/.ready
	$(BIN)/python -m sbd_utils.explorer.app $(ARGS)

.PHONY: test-all check format

# In seconds what would else be said in minutes: style, types, who imports whom.
check: $(VENV)/.ready
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest -q --durations=0 --durations-min=5 tests/test_layers.py $(ARGS)

format: $(VENV)/.ready
	$(BIN)/python -m ruff check --fix --exit-zero --quiet .
	$(BIN)/python -m ruff format .

# Two processes side by side, each with one thread and one notebook at a time. `make test` leaves out what
# tests/selection.py lists; continuous integration runs `make test-all`.
test: SELECTED := -m "not slow"
test-all: $(VENV)/.book
test test-all: $(VENV)/.ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope --no-loadscope-reorder $(SELECTED) $(ARGS)

# The explorer's JavaScript and CSS, checked by a pinned Biome where there is Node.js.
javascript:
	@if command -v npx >/dev/null; then npx --yes $(BIOME) ci --error-on-warnings; \
	else echo "There is no npx: the explorer's JavaScript is not checked" >&2; fi

# What the hardware does: rendering rates, import time, training speed.
benchmark: $(VENV)/.ready
	$(BIN)/python -m tools.benchmarks $(ARGS)

# Write each notebook anew from its text file and execute it: `make notebooks ARGS=notebooks/01_data.py` for one.
notebooks: $(VENV)/.ready
	$(BIN)/python -m tools.notebooks $(ARGS)

# What students get, into student/, from the sources in notebooks/assignments.
assignments: $(VENV)/.ready
	$(BIN)/python -m grading release $(ARGS)

# Grade the folder SUBMITTED, which holds a folder for each student; marks and feedback go into graded/.
grade: $(VENV)/.ready
	@[ -d "$(SUBMITTED)" ] || { echo "Say which folder: make grade SUBMITTED=folder" >&2; exit 1; }
	$(BIN)/python -m grading grade "$(SUBMITTED)" $(ARGS)

# Marks by hand, from graded/hand_marks.csv, into the tables and pages; nothing is run.
totals: $(VENV)/.ready
	$(BIN)/python -m grading totals $(ARGS)

# Wrong answers and right ones to every task, and what each is told: in this process, in seconds.
wrong-answers: $(VENV)/.ready
	$(BIN)/python -m tests.grading.wrong_answers

# The course as a site, into build/book/html. npm is called once for what docs/package-lock.json names.
book: $(VENV)/.book
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.book $(ARGS)

# CPU=1 takes PyTorch's own CPU build; without it, Linux gets the one for CUDA (several GB).
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not. Try: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV): some minutes the first time, nothing later"
	$(PYTHON) -m venv $(VENV)
	$(if $(CPU),$(BIN)/python -m pip install --quiet -c constraints.txt torch --index-url https://download.pytorch.org/whl/cpu)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

# What only the book needs, a quarter of a gigabyte: npm and what writes networks for the browser.
$(VENV)/.book: $(VENV)/.ready
	@echo "Setting up what the book needs"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[book]'
	touch $@

clean:
	rm -rf $(VENV) student build *.egg-info
