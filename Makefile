# Two commands on a fresh machine with Python 3.10-3.14, g++ and make:  make demo   make test
# While you work, `make check` gives a first answer in about three minutes.
# Each makes the virtual environment it needs the first time; afterwards that step does nothing.
#
# Options, on the command line:
#   TORCH_INDEX=https://download.pytorch.org/whl/cpu
#                      take torch from this index. On Linux the default index has the GPU build,
#                      some GB; this one has the CPU build, which is all that demo and tests need.
#                      It counts when the environment is made: `make distclean` first to switch.
#   PIP_ARGS=...       more arguments for every pip install, such as --index-url or --no-index
#   PYTHON=...         the Python to make the environment with
#   JOBS=N             test processes
#   PYTEST_ARGS=...    more arguments for pytest, such as "-k packaging"

VENV ?= .venv
PYTHON ?=
PIP_ARGS ?=
TORCH_INDEX ?=
JOBS ?= 2
PYTEST_ARGS ?=
LOCK_ARGS ?=
PARALLEL = -n $(JOBS) --dist loadfile --no-loadscope-reorder

PY := $(VENV)/bin/python
# The two that take longest go first.
LONGEST = notebooks/05_cosimulate.ipynb notebooks/01_quantize.ipynb
NOTEBOOKS = $(LONGEST) $(filter-out $(LONGEST),$(wildcard notebooks/*.ipynb))
# Not those that write into the package: it makes the table that cost models are fitted to.
BENCHMARKS = $(filter-out benchmarks/_% benchmarks/characterize.py,$(wildcard benchmarks/*.py))

.DEFAULT_GOAL := help
.PHONY: help env runtime-env need-cxx demo notebooks check test browser stranger coverage mutants golden lint style format docs train bench lock clean distclean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# The usual case first: the environment's own Python finds it current. Otherwise look for a Python.
# A name on PATH may be a stub that does not start, so each candidate is tried. The first with a
# fitting version and the venv module wins; one without that module is only good for the message.
define make_env
@$(PY) -IS requirements/env.py $(1) '$(VENV)' --check 2>/dev/null && exit 0; \
unfit=; \
for python in $(or $(PYTHON),python3.12 python3.11 python3.10 python3.13 python3.14 python3); do \
    $$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' \
        2>/dev/null || continue; \
    if $$python -c 'import venv, ensurepip' 2>/dev/null; then \
        exec $$python requirements/env.py $(1) '$(VENV)' --torch-index='$(TORCH_INDEX)' \
            --pip-args='$(PIP_ARGS)'; \
    fi; \
    unfit=$$python; \
done; \
if [ -n "$$unfit" ]; then \
    echo "error: $$unfit has no venv module; install it (Debian, Ubuntu: apt install" \
        "python3-venv), or name another Python with PYTHON=..." >&2; \
else \
    echo "error: no Python 3.10 to 3.14 found (tried:" \
        "$(or $(PYTHON),python3.12 python3.11 python3.10 python3.13 python3.14 python3));" \
        "install one, or name it with PYTHON=..." >&2; \
fi; \
exit 1
endef

env:  ## make or update the virtual environment for development
	$(call make_env,dev)

runtime-env:
	$(call make_env,runtime)

need-cxx:
	@command -v g++ >/dev/null || { echo "error: g++ not found; it compiles the generated C++." \
	    "Install it (Debian, Ubuntu: apt install g++)" >&2; exit 1; }

demo: need-cxx runtime-env  ## quantize a small hybrid, generate its HLS C++ and verify it
	$(PY) -m hyq_hls.cli.demo

# Not in the lock of the environment: which editor opens the notebooks is people's own choice.
notebooks: need-cxx env  ## open the notebooks in JupyterLab
	@$(PY) -c 'import jupyterlab' 2>/dev/null || \
	    $(PY) -m pip install --disable-pip-version-check 'jupyterlab>=4' $(PIP_ARGS)
	$(PY) -m jupyterlab --notebook-dir=notebooks

# One thread per process: the tests run side by side already. The tests of a file share what they
# build, so they share a process too. What takes long goes first, or one process would run the last
# of it alone: notebooks here, files with slow tests in tests/conftest.py.
check test coverage: export OMP_NUM_THREADS = 1
# pytest rewrites the asserts of 260 files; it shall find them rewritten the next time.
check test coverage: export PYTHONDONTWRITEBYTECODE =

# The check of types takes minutes on one core, so it runs beside the tests.
define types_and_tests
@mkdir -p build; $(PY) -m mypy > build/mypy.log 2>&1 & types=$$!; \
$(PY) -m pytest $(PARALLEL) $(1) $(PYTEST_ARGS); \
tests=$$?; wait $$types; types=$$?; cat build/mypy.log; exit $$((tests || types))
endef

# The plugin for notebooks loads for seconds, in every process.
check: need-cxx style  ## first answer: style, types, the quick tests of every room
	$(call types_and_tests,-p no:nbmake -m "smoke or not slow" tests)

test: need-cxx style  ## all checks: style, types, tests, notebooks
	$(call types_and_tests,--nbmake --nbmake-timeout=900 $(NOTEBOOKS) tests)

# Apart from `make test`: before Python 3.12 a measurement slows all Python by two thirds.
coverage: need-cxx env  ## lines of the package that the tests run, at least 90 %
	$(PY) -m pytest $(PARALLEL) --cov tests $(PYTEST_ARGS)

mutants: need-cxx env  ## put known faults into a copy, one by one; the nearest tests must find each
	OMP_NUM_THREADS=1 $(PY) -m tests.mutants

browser: need-cxx env  ## run a notebook in JupyterLab, in a Chromium that is on PATH
	@command -v chromium chromium-browser google-chrome | grep -q . || { echo "error: no Chromium" \
	    "on PATH. Install it (Debian: apt install chromium)" >&2; exit 1; }
	$(PY) -m pip install --disable-pip-version-check --quiet -r requirements/browser.txt $(PIP_ARGS)
	$(PY) -m pytest -n 0 tests/test_jupyterlab.py $(PYTEST_ARGS)

stranger: need-cxx env  ## install the wheel into an empty environment elsewhere and use it; half an hour
	$(PY) -m tests.stranger --torch-index='$(TORCH_INDEX)' --pip-args='$(PIP_ARGS)'

golden: env  ## write tests/golden/text again, after a wanted change of a generator
	$(PY) -m pytest -q --update-golden tests/golden

lint: style  ## check style and types
	$(PY) -m mypy

style: env  ## check style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: env  ## repair style where that is safe
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: env  ## build the documentation site into build/docs; a warning is an error
	$(PY) -m sphinx -W --keep-going -E -q -b html docs build/docs

train: runtime-env  ## train the default model again
	$(PY) -m hyq_hls.models.train

bench: need-cxx env  ## run every script in benchmarks/
	@test -n '$(BENCHMARKS)' || { echo "error: no scripts in benchmarks/" >&2; exit 1; }
	@for name in $(BENCHMARKS:benchmarks/%.py=%); do echo "== $$name"; \
	    $(PY) -m benchmarks.$$name || exit 1; done

lock:  ## remake requirements/*.txt from *.in (LOCK_ARGS=--upgrade moves the pins)
	$(or $(PYTHON),python3) requirements/lock.py $(LOCK_ARGS)

clean:  ## remove what builds and checks leave
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis htmlcov
	rm -f .coverage .coverage.*
	find hyq_hls tests benchmarks requirements -name __pycache__ -prune -exec rm -rf {} + \
	    2>/dev/null || true

distclean: clean  ## remove the virtual environment too
	rm -rf '$(VENV)'
