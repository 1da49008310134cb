# Every target does its own set-up; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
PY := .venv/bin/python
WORKERS ?= 3# test files at a time: most of them wait for servers
DIST := --dist loadgroup --no-loadscope-reorder# what shares servers stays together, the longest begins first

.DEFAULT_GOAL := help
.PHONY: help sandbox sandbox-down test e2e bench lint check tools render lock clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  python -m ops --help   the verbs (after 'make sandbox': .venv/bin/python -m ops …)"

sandbox: .venv/.installed ## Start real servers and a Kubernetes API on loopback, deploy by `pulumi up`, verify (ENGINE=no: without Pulumi)
	@$(PY) -m ops sandbox up $(if $(filter no,$(ENGINE)),--no-engine)

sandbox-down: .venv/.installed ## Stop the sandbox; nothing is left running
	@$(PY) -m ops sandbox down

test: .venv/.installed lint tools ## Lint, types, and every test that this machine can run
	@$(PY) -m pytest -n $(WORKERS) $(DIST)

e2e: .venv/.installed tools ## Every test on the real engine and a real API server, several sandboxes side by side
	@if command -v go >/dev/null; then $(PY) -m ops.build_tools prometheus-operator; fi
	@$(PY) -m pytest tests/e2e -m e2e -rs -n $(WORKERS) $(DIST)

bench: .venv/.installed tools ## Figures, each measured side by side with its yardstick in one run
	@$(PY) -m tests.bench

lint: .venv/.installed ## Style and strict types
	@.venv/bin/ruff check -q . && .venv/bin/ruff format -q --check . && .venv/bin/mypy --no-error-summary .

tools: .venv/.installed ## Find or build the servers, the Kubernetes API and the Pulumi engine, once a machine
	@$(PY) -m ops.build_tools

render: .venv/.installed ## Write what the program declares, as manifests, to rendered/
	@$(PY) -m ops render --target prod --out rendered

lock: ## Pin requirements.in with hashes in requirements.txt (needs pip-tools)
	pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --strip-extras --allow-unsafe \
	  -o requirements.txt requirements.in

clean: ## Remove the virtual environment, the built tools and the sandbox's folder
	@if [ -x $(PY) ]; then $(PY) -m ops sandbox down || true; fi
	rm -rf .venv .sandbox .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/.installed: requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on PATH; install Python 3.11 or later."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; set PYTHON=… to a newer one."; exit 2; }
	@echo "Setting up .venv (about a minute the first time) …"
	@$(PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@
