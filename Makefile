# make setup  install everything into .venv; the other targets do it by themselves
# make demo   the whole study, small, on this machine, ending in figures and a report
# make view   serve the demo's interactive maps (VIEWER=folder for another study's, PORT=8123)
# make doctor CONFIG=config/local.yaml     can this study run here? what is wrong, and its cure
# make plan CONFIG=config/local.yaml       jobs, hours, memory and disk of a study, before it is run
# make describe HUB=Qwen/Qwen2.5-VL-7B-Instruct   (or a folder; or MODEL=key CONFIG=..) entries and needs of a model
# make report CONFIG=config/local.yaml     the report of a study, finished or not, beside its results
# make fetch_nsd CONFIG=config/local.yaml  get what it reads of the NSD (ARGS=--dry-run lists it)
# make pack MODEL=instructblip PACK=file.tar CONFIG=..   a model's embeddings in one file, for others
# make take PACK=file.tar CONFIG=..         theirs, checked, into your embeddings_store
# make costs  the table of config/README.md that says what a change costs
# make test   what every change must pass (as root on Debian it installs Chromium and SLURM)
# make test-full   what takes too long for every change: mutants of the costly stages, all of the ledger (make mutants besides)
# make lint   style and types only
# make test-slurm-demo   the demo on a SLURM cluster brought up for it (as root, on Debian)
# make faults a study killed three hundred times, and run again each time (half an hour)
# make fresh-clone  follow the documents in a fresh clone, command by command (ARGS=--quick)
# make determinism  the demo twice, compared byte by byte (20 minutes)
# make soak   the demo under random kills for twenty minutes, then compared (an hour)
# make conformance-vectors  write down what costly stages compute, once a number rose (ARGS=--inputs-changed)
# make conformance-mutants  change constants of every costly stage; its vector must notice (ten minutes)
# make mutants  150 small changes anywhere in the library; its tests must notice (MUTANTS="--seed 2"; an hour)
# make simulations  all simulations with known truth at full size, and their table for docs/statistics.md
# make bench  benchmarks: ratios against the peers
# make rehearsal  one subject at the NSD's true size through the workflow: time, memory, disk (ARGS="--scale other"; hours, 5 GB)
# make environments   every environment of envs, made from nothing, runs what it is for
# make locks  ask PyPI for all versions and hashes, after a change of envs/pins.toml
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES ?= $(shell nproc)
STUDIES ?= $(shell echo $$(( $(CORES) > 4 ? 4 : $(CORES) )))
DEMO := --configfile config/demo.yaml
REPORT := results/demo/report.html
VIEWER ?= results/demo/viewer
PORT ?= 8123
# A name that may hold blanks and quotes, as the shell takes it.
one_word = '$(subst ','\'',$(1))'
export PYTHONDONTWRITEBYTECODE := 1
export HF_HUB_OFFLINE := 1

.PHONY: help setup demo view doctor plan describe report fetch_nsd test test-full test-slurm-demo lint faults determinism soak fresh-clone conformance-vectors conformance-mutants mutants simulations bench rehearsal environments locks envs picture schema tour costs pack take clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# Versions as locked; without hashes, which belong to one kind of machine.
$(VENV)/ready: envs/requirements.txt envs/locks/requirements.txt
	@echo "==> Setting up $(VENV) with $$($(PYTHON) --version) (a few minutes, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@sed 's/ --hash=.*//' envs/locks/requirements.txt > $(VENV)/constraints.txt
	$(BIN)/python -m pip install --quiet --requirement envs/requirements.txt --constraint $(VENV)/constraints.txt
	@touch $@

setup: $(VENV)/ready

demo: setup
	@echo "==> The demo study, on $(CORES) core(s)"
	$(BIN)/snakemake $(DEMO) --cores $(CORES) --quiet rules
	@echo "==> The report"
	$(BIN)/snakemake $(DEMO) --report $(REPORT) --quiet
	@echo "==> Done. Report: $(REPORT)   Figures: results/demo/figures"
	@echo "    Interactive maps: make view, then http://localhost:$(PORT)/"

view:
	@test -f $(call one_word,$(VIEWER)/index.html) || { echo $(call one_word,$(VIEWER)) "holds no interactive maps: run make demo, or set VIEWER"; exit 1; }
	@echo "==> Interactive maps: http://localhost:$(PORT)/   (Ctrl-C ends)"
	@$(PYTHON) -m http.server --bind 127.0.0.1 --directory $(call one_word,$(VIEWER)) $(PORT)

CONFIG ?=
STUDY = $(if $(CONFIG),--configfile $(call one_word,$(CONFIG))) $(ARGS)

doctor: setup
	@$(BIN)/python workflow_scripts/doctor.py $(STUDY)

plan: setup
	@PYTHONPATH=workflow_scripts $(BIN)/python -m brainstruct.config.check $(STUDY)
	@$(BIN)/snakemake plan --cores 1 $(STUDY) --quiet all

# It asks the hub for small files, where neither the study nor the hub's cache has them.
describe: setup
	@HF_HUB_OFFLINE=0 PYTHONPATH=workflow_scripts $(BIN)/python -m brainstruct.planning.describe $(if $(HUB),--checkpoint $(call one_word,$(HUB))) $(if $(MODEL),--model $(call one_word,$(MODEL))) $(STUDY)

report: setup
	@PYTHONPATH=workflow_scripts $(BIN)/python -m brainstruct.planning.reporting $(STUDY)

fetch_nsd: setup
	@$(BIN)/python workflow_scripts/fetch_nsd.py $(STUDY)

pack: setup
	@PYTHONPATH=workflow_scripts $(BIN)/python -m brainstruct.planning.sharing pack $(call one_word,$(MODEL)) $(call one_word,$(PACK)) $(STUDY)

take: setup
	@PYTHONPATH=workflow_scripts $(BIN)/python -m brainstruct.planning.sharing take $(call one_word,$(PACK)) $(STUDY)

lint: setup
	@echo "==> Style, types, and the workflow's own linters"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=workflow_scripts $(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/python envs/write_envs.py --check
	@lines=$$(find workflow_scripts -name '*.py' -print0 | xargs -0 cat | wc -l); \
	echo "$$lines lines in workflow_scripts, 36,000 at most"; test $$lines -le 36000

test: lint
	@echo "==> Tests of functions, $(CORES) at once"
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(CORES) -m "not study"
	@echo "==> Tests that run studies, $(STUDIES) at once"
	$(BIN)/python -m pytest --numprocesses $(STUDIES) --dist loadfile --no-loadscope-reorder --durations 15 -m study

test-full: setup conformance-mutants
	BRAINSTRUCT_LEDGER_FULL=1 $(BIN)/python -m pytest tests/workflow/test_moved_results.py
	BRAINSTRUCT_SLURM_FULL=1 $(BIN)/python -m pytest tests/slurm/test_slurm.py
	BRAINSTRUCT_FAULTS_FULL=1 $(BIN)/python -m pytest -s tests/faults/test_random_signals.py
	BRAINSTRUCT_RECOVERY_FULL=1 $(BIN)/python -m pytest tests/workflow/test_recovery.py
	BRAINSTRUCT_TEXTS_FULL=1 $(BIN)/python -m pytest tests/workflow/test_hostile_texts.py
	BRAINSTRUCT_TYPES_FULL=1 $(BIN)/python -m pytest tests/models/test_models_auto.py tests/models/test_models_types.py
	BRAINSTRUCT_REHEARSAL_FULL=1 $(BIN)/python -m pytest tests/rehearsal

test-slurm-demo: setup
	BRAINSTRUCT_SLURM_STUDY=config/demo.yaml $(BIN)/python -m pytest tests/slurm/test_slurm_demo.py

ANY_CONTENT := $(wildcard tests/test_*_any_content.py tests/*/test_*_any_content.py)

faults: setup
	BRAINSTRUCT_FAULTS_FULL=1 $(BIN)/python -m pytest -s tests/faults $(ANY_CONTENT)

RELIABILITY := results/reliability
SOAK ?= --minutes 20 --seed 1

determinism: setup
	$(BIN)/python tests/faults/undisturbed.py $(RELIABILITY)

soak: setup
	$(BIN)/python tests/faults/soak.py $(RELIABILITY) $(SOAK)

fresh-clone:
	$(PYTHON) tests/fresh_clone/run.py $(ARGS)

conformance-vectors: setup
	OMP_NUM_THREADS=1 $(BIN)/python tests/conformance/vectors.py --write $(ARGS)

conformance-mutants: setup
	OMP_NUM_THREADS=1 BRAINSTRUCT_MUTANTS=all $(BIN)/python -m pytest tests/conformance/test_mutants.py

MUTANTS ?= --seed 1 --count 150

mutants: setup
	$(BIN)/python -W ignore tests/mutants/mutate.py $(MUTANTS)

simulations: setup
	BRAINSTRUCT_SIMULATIONS=full $(BIN)/python -m pytest tests/simulations

bench: setup
	$(BIN)/python -m pytest tests/benchmarks --override-ini=python_files='bench_*.py' -s

rehearsal: setup
	$(BIN)/python tests/rehearsal/rehearse.py $(ARGS)

environments: setup
	BRAINSTRUCT_ENVIRONMENTS=all $(BIN)/python -m pytest tests/environments -s --durations=0

locks: setup
	$(BIN)/python envs/write_locks.py

envs:
	$(PYTHON) envs/write_envs.py

picture: setup
	$(BIN)/python docs/pictures/shrink.py results/demo/figures/planted_recovered/subj01_instructblip.png docs/pictures/planted_recovered.png

schema: setup
	PYTHONPATH=workflow_scripts $(BIN)/python -m brainstruct.config.schema > config/schema.json

costs: setup
	$(BIN)/python tests/costs.py

tour: setup
	$(BIN)/python tests/tour.py

clean:
	rm -rf results/demo resources/demo $(RELIABILITY)
