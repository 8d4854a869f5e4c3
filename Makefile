# make demo | test | check: each works as the only command on a fresh clone.
PYTHON ?= python3
BIN := .venv/bin
EN := Barack Obama visited Berlin on 24 July 2008.
ZH := 张伟去年在上海加入了华为公司。

.PHONY: help install demo test fuzz check format docs pages clean

help:
	@echo "make demo    train the sample taggers (English and Chinese) and tag a sentence with each, one exported"
	@echo "make test    run the test suite"
	@echo "make fuzz    ten minutes of odd files and strings; FUZZ='--seconds 3600 --seed 2' for others"
	@echo "make check   ruff (lint and format), mypy, and the floors of the house"
	@echo "make format  let ruff rewrite what it can"
	@echo "make docs    build the course and the reference, English and Chinese, into site/; notebooks too"
	@echo "make pages   nightly: run all code of the pages, trainings too, and write what it prints, some minutes"

# The stamp is the proof that the install finished; it is redone when the declared packages change.
.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

install: .venv/.installed

demo: install
	$(BIN)/rnnlp fit --config ner --output runs/demo-en --overwrite
	$(BIN)/rnnlp fit --config ner --data.sample chinese --data.level character --output runs/demo-zh --overwrite
	@echo
	$(BIN)/rnnlp predict runs/demo-en "$(EN)"
	@echo
	$(BIN)/rnnlp predict runs/demo-zh "$(ZH)"
	@echo
	$(BIN)/rnnlp export runs/demo-zh --output runs/demo-zh-int8 --int8 --overwrite
	$(BIN)/rnnlp predict runs/demo-zh-int8 "$(ZH)"

# A worker for each core, and one thread in each: threads of several workers only wait for each other.
test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

fuzz: install
	$(BIN)/python benchmarks/fuzz.py $(FUZZ)

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p .venv/types && ln -sfn ../.. .venv/types/rnnlp # mypy finds packages by their folder's name
	MYPYPATH=.venv/types $(BIN)/mypy
	$(BIN)/lint-imports --no-cache

pages: install
	$(BIN)/python docs/pages.py docs/en/course/*.md docs/en/howto/*.md README.md

# The theme's words about MkDocs 2, which pyproject.toml keeps out, are switched off.
docs: install
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python docs/check_site.py site

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build site *.egg-info .pytest_cache .mypy_cache .ruff_cache
