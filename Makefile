# `make study` runs a study; `make test` is for while you work, `make check` for before you land:
# that and `make slow`.
# Each makes .venv itself.
PYTHON ?= python3
VENV ?= .venv
STUDY ?= studies/mode_collapse.yaml
# Modules are compiled once they are imported: all that is installed took half a minute. The pip of
# Python 3.11 takes twice as long as today's to find what is to be installed.
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile \
	--constraint constraints.txt

# They change the machine's network, by which the tests beside them would go.
ALONE = tests/faults/test_two_hosts.py tests/faults/test_slurm.py

KERNELS = tests/reference/test_fixed_tiles.py

.PHONY: study test slow check lint notebooks docs examples bench gpu-check kernels wheels clean

study: $(VENV)/.installed
	$(VENV)/bin/ganstudy run $(STUDY)

test: $(VENV)/.installed-test lint
	$(VENV)/bin/python -m pytest -m "not slow"

# Three on two cores: many wait for processes that they have started, stopped or killed.
slow: $(VENV)/.installed-test
	$(VENV)/bin/python -m pytest --numprocesses=3 -m slow
	$(VENV)/bin/python -m pytest -n0 -m slow $(ALONE)

check: test slow

lint: $(VENV)/.installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable ".[test]"
	touch $@ $(VENV)/.installed

# In a browser, from the folder in which they lie.
notebooks: $(VENV)/.installed-notebooks
	cd analysis && $(abspath $(VENV))/bin/jupyter lab $(LAB)

$(VENV)/.installed-notebooks: $(VENV)/.installed
	$(PIP) --editable ".[notebooks]"
	touch $@

docs: $(VENV)/.installed-docs
	$(VENV)/bin/python -m sphinx --quiet --fail-on-warning docs build/docs
	@echo build/docs/index.html

# The commands of docs/examples.md; one that was stopped continues.
examples: $(VENV)/.installed
	sed -n 's/^    ganstudy run /run /p' docs/examples.md | xargs -L 1 $(VENV)/bin/ganstudy

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) --editable ".[docs]"
	touch $@

bench: $(VENV)/.installed-bench
	$(VENV)/bin/python -m benchmarks

$(VENV)/.installed-bench: $(VENV)/.installed
	$(PIP) --editable ".[bench]"
	touch $@

# On a machine that has a GPU and PyTorch for it, and perhaps no network: no environment is made.
# `make gpu-check ARGS="--out results throughput"`; all arguments by `ARGS=--help`.
gpu-check:
	$(if $(WHEELS),$(PYTHON) -m pip install --quiet --no-index --no-deps --upgrade --target build/gpu-packages $(WHEELS)/*.whl)
	PYTHONPATH=.:build/gpu-packages:$$PYTHONPATH $(PYTHON) -m benchmarks.gpu $(ARGS)

# A GPU's kernels without one: compiled for several, and computed by Triton's interpreter. 1 GB.
kernels: $(VENV)/.installed-test build/triton
	PYTHONPATH=build/triton $(VENV)/bin/python -m pytest -n0 $(KERNELS)
	PYTHONPATH=build/triton TRITON_INTERPRET=1 $(VENV)/bin/python -m pytest --numprocesses=2 $(KERNELS)

build/triton:
	rm -rf $@.partial
	$(PIP) --no-deps --target $@.partial triton==3.9.0
	mv $@.partial $@

# What such a machine is likely to lack, for Python 3.12 on x86-64 Linux: 50 MB.
wheels:
	$(PYTHON) -m benchmarks.gpu.wheels build/wheels

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
