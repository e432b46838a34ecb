# Every target does its own set-up. `make help` lists them.
#
# Two virtual environments: one with the runtime install alone (what a user gets, no torch) for the demo, one with the extras for
# everything else. Each is stamped with a hash of what pyproject.toml says about dependencies, so that a second run starts at once.
# VENV_ROOT=DIR keeps them in DIR, named by that hash, for several checkouts to share (the CI does).

PYTHON ?= python3
EXTRAS := arrays,bench,dev,docs,fsspec,ray,report,train,zarr

HASH_OF_DEPENDENCIES := import hashlib, json, sys, tomllib; \
  p = tomllib.load(open("pyproject.toml", "rb")); q = p["project"]; \
  what = [sys.version_info[:2], p["build-system"], q["requires-python"], q["dependencies"], q["optional-dependencies"]]; \
  print(hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12])
HASH := $(shell $(PYTHON) -c '$(HASH_OF_DEPENDENCIES)')
ifeq ($(HASH),)
$(error vaecodec needs Python 3.11 to 3.14, and $(PYTHON) is not one: make PYTHON=/path/to/python3.11)
endif

ifdef VENV_ROOT
VENV := $(abspath $(VENV_ROOT))/test-$(HASH)
DEMO_VENV := $(abspath $(VENV_ROOT))/demo-$(HASH)
else
VENV := $(CURDIR)/.venv
DEMO_VENV := $(CURDIR)/.venv-demo
endif
PY := $(VENV)/bin/python
DEMO_PY := $(DEMO_VENV)/bin/python
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet --progress-bar off

.DEFAULT_GOAL := help
.PHONY: help venv venv-demo demo check format test test-all coverage golden fuzz bench portability reliability lock build docs image man clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: venv-demo  ## compress and decompress the images in examples/ with the runtime install; pictures in demo-output/
	$(DEMO_PY) examples/demo.py

check: venv docs  ## ruff, mypy --strict, import-linter, the links of the docs
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

format: venv  ## let ruff sort imports and lay out the code
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

# Everything is installed here: a test that would be skipped for want of a package fails.
test test-all: export VAECODEC_REQUIRE_EXTRAS := 1

test: venv  ## the fast tests
	$(PY) -m pytest -m "not slow"

test-all: venv  ## every test, the slow ones too
	$(PY) -m pytest

WHOLE := vaecodec.bitstream vaecodec.modelfile vaecodec.errors
coverage: venv  ## branch coverage of bitstream/, modelfile/ and errors.py by their own tests: all of it, or an error
	$(PY) -m pytest tests/bitstream tests/modelfile $(WHOLE:%=--cov=%) --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100

golden: venv  ## write golden files that are not there, and compare the others, which are frozen
	$(PY) tests/golden/make.py
	$(PY) tests/golden/make_archives.py
	$(PY) tests/golden/frozen.py

fuzz: venv  ## ten minutes of coverage-guided fuzzing (SECONDS=600); what it finds lies in runs/fuzz/findings
	$(PY) -m tests.fuzz.run --seconds $(or $(SECONDS),600)

bench: venv  ## the numbers of README and docs/results.md that two cores make in an hour; AGAIN=1 makes what is there again
	$(PY) -m benchmarks.everything $(if $(AGAIN),--again)

portability: venv  ## the goldens by other numpys, kernels, coders and an emulated aarch64 (environments in .venv-portability)
	$(PY) -m benchmarks.portability

reliability: venv  ## kills, signals, full disks, shared codecs, other engines, installs: docs/reliability.md anew (as root, quarter of an hour)
	$(PY) -m benchmarks.kills
	$(PY) -m benchmarks.endings
	$(PY) -m benchmarks.faults
	$(PY) -m benchmarks.sharing
	$(PY) -m benchmarks.portability
	$(PY) -m benchmarks.installs
	$(PY) -m benchmarks.reliability

lock: venv  ## requirements-dev.txt: what a development environment holds, to the version (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --no-annotate --custom-compile-command "make lock" \
	  --quiet --upgrade --output-file requirements-dev.txt

build: venv  ## sdist and wheel in dist/
	$(PY) -m build --outdir dist .

docs: export NO_MKDOCS_2_WARNING := 1
docs: venv  ## the site of docs/ in build/site; a link that leads nowhere is an error
	$(PY) -m mkdocs build --quiet --strict

image:  ## a container image that runs the command line (needs docker)
	docker build --tag vaecodec .

man: venv  ## man pages of all commands in build/man/man1
	$(PY) -m cli.manual build/man/man1

clean:  ## remove the environments, caches and build outputs of this checkout
	rm -rf .venv .venv-demo .venv-portability build dist demo-output *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call editable,ENVIRONMENT): a shared environment may still point at another checkout, or at an older pyproject.toml. Its
# folder's time says when it was used last.
define editable
	@state="$(CURDIR) $$(cksum < pyproject.toml)"; \
	if [ "$$(cat $(1)/.checkout 2>/dev/null)" != "$$state" ]; then \
	  $(1)/bin/python $(PIP_INSTALL) --no-deps --editable . && echo "$$state" > $(1)/.checkout; \
	fi
	@touch $(1)
endef

venv: $(VENV)/.installed-$(HASH)  ## only the environment with the extras; LOCKED=1 takes the versions of requirements-dev.txt
	$(call editable,$(VENV))

venv-demo: $(DEMO_VENV)/.installed-$(HASH)  ## only the environment with the runtime install
	$(call editable,$(DEMO_VENV))

$(VENV)/.installed-$(HASH):
	@echo "installing vaecodec[$(EXTRAS)] into $(VENV) (torch is large: minutes on the first run)"
	$(PYTHON) -m venv $(VENV)
	$(PY) $(PIP_INSTALL) $(if $(LOCKED),--constraint requirements-dev.txt) --editable ".[$(EXTRAS)]"
	@touch $@

$(DEMO_VENV)/.installed-$(HASH):
	@echo "installing the runtime into $(DEMO_VENV)"
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_PY) $(PIP_INSTALL) --editable .
	@touch $@
