# `make study` runs a study; `make test` is for while you work, `make check` for before you land:
# that and `make slow`.
# Each makes .venv itself.
PYTHON ?= python3
VENV ?= .venv
STUDY ?= studies/mode_collapse.yaml
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: study test slow check lint docs bench clean

study: $(VENV)/.installed
	$(VENV)/bin/ganstudy run $(STUDY)

test: $(VENV)/.installed-test lint
	$(VENV)/bin/python -m pytest -m "not slow"

slow: $(VENV)/.installed-test
	$(VENV)/bin/python -m pytest -m slow

check: test slow

lint: $(VENV)/.installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable ".[test]"
	touch $@ $(VENV)/.installed

docs: $(VENV)/.installed-docs
	$(VENV)/bin/python -m sphinx --quiet --fail-on-warning docs build/docs
	@echo build/docs/index.html

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) --editable ".[docs]"
	touch $@

bench: $(VENV)/.installed-bench
	$(VENV)/bin/python -m benchmarks

$(VENV)/.installed-bench: $(VENV)/.installed
	$(PIP) --editable ".[bench]"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
