# Every target does its own set-up; `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
PY := .venv/bin/python
PIP_INSTALL := .venv/bin/pip install --quiet --disable-pip-version-check --no-compile --require-hashes
PIP_COMPILE := pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --strip-extras --allow-unsafe
MARKS := .venv/.installed .venv/.production
WORKERS ?= 4# test files at a time: most of them wait for servers
# Each worker takes the next test when it is done with one. (Groups have no effect with pytest 9.2 and pytest-xdist 3.8.)
DIST := --dist loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup setup-production policy sandbox sandbox-down test e2e e2e-node compat mutants bench drills heartbeat lint docs new-alert tools render lock clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  bin/ops --help       the verbs"

setup: .venv/.installed ## Make .venv with all packages; every target does it by itself

setup-production: .venv/.production ## Make .venv with what `pulumi up` and the verbs need, without tests and sandbox

policy: policy/.venv/.installed ## Make policy/.venv with what the policy pack needs (policy/README.md)

sandbox: .venv/.installed ## Start real servers and a Kubernetes API on loopback, deploy by `pulumi up`, verify (ENGINE=no: without Pulumi)
	@$(PY) -m ops sandbox up $(if $(filter no,$(ENGINE)),--no-engine)

sandbox-down: .venv/.installed ## Stop the sandbox; nothing is left running
	@$(PY) -m ops sandbox down

test: .venv/.installed lint tools $(if $(filter no,$(ENGINE)),,policy) ## Run lint, types, and every test that this machine can run (ENGINE=no: without the end-to-end tests)
	@$(PY) -m pytest $(if $(filter no,$(ENGINE)),-m "not e2e") -n $(WORKERS) $(DIST)

e2e: .venv/.installed tools policy ## Run every test on the real engine and a real API server, several sandboxes at a time
	@if command -v go >/dev/null; then $(PY) -m ops.build_tools prometheus-operator cortex; fi
	@$(PY) -m pytest tests/e2e -m e2e -n $(WORKERS) $(DIST)

e2e-node: .venv/.installed tools ## Run the tests on a real node: kubelet, containerd, pods; skipped where root or a program is missing
	@$(PY) -m tests.support.node
	@$(PY) -m pytest tests/node -m e2e

compat: .venv/.installed tools ## Try a sandbox, from start to destroy, with each version of the servers; writes docs/compatibility.md
	@$(PY) -m tests.compat

mutants: .venv/.installed ## Change one thing at a time in the rules; says which changes no scenario sees (about seven minutes)
	@$(PY) -m tests.mutants

bench: .venv/.installed tools ## Measure times, each beside what it is compared with (ONLY=rule_evaluation: one part); writes docs/benchmarks.md
	@$(PY) -m tests.bench $(ONLY)

drills: .venv/.installed tools ## Let everything go wrong on real servers, one thing after the other, for half an hour; writes docs/drills.md
	@$(PY) -m ops.faults

heartbeat: .venv/.installed tools ## Kill Prometheus, Alertmanager and the mail relay, to see who notices, for two minutes; writes docs/heartbeat.md
	@$(PY) -m ops.faults heartbeat

lint: .venv/.installed ## Check style, strict types, and the workflows with the shell in them
	@.venv/bin/ruff check -q . && .venv/bin/ruff format -q --check . && .venv/bin/mypy --no-error-summary .
	@.venv/bin/shellcheck bin/ops $(filter-out %.py,$(wildcard .ci/*))
	@$(PY) -m ops.build_tools.run_tool actionlint -shellcheck "$(CURDIR)/.venv/bin/shellcheck" .github/workflows/*.yml
	@said=$$(.venv/bin/zizmor --offline --quiet --no-progress --strict-collection .github) || { echo "$$said"; exit 1; }

tools: .venv/.installed ## Find or build the servers, the Kubernetes API and the Pulumi engine, once a machine
	@$(PY) -m ops.build_tools

docs: .venv/.installed ## Write the pages of docs/ that follow from the code: commands, settings, the rooms, the layouts
	@$(PY) -m ops.reference
	@$(PY) -m tests.compat page

new-alert: .venv/.installed ## Write the files of a new alert (NAME=WebhookQueueTimeHigh), and say what to replace in each
	@$(PY) -m ops.repo.new_alert '$(subst ','\'',$(NAME))'

render: .venv/.installed ## Write what the program declares, as manifests, to rendered/
	@$(PY) -m ops render --target prod --out rendered

lock: ## Pin the requirements*.in with hashes in requirements*.txt (needs pip-tools)
	$(PIP_COMPILE) -o requirements.txt requirements.in
	$(PIP_COMPILE) -o requirements-dev.txt requirements-dev.in
	$(PIP_COMPILE) -o requirements-uv.txt requirements-uv.in
	$(PIP_COMPILE) -o policy/requirements.txt policy/requirements.in

clean: ## Remove the virtual environment and the sandbox's folder; what was built stays in the cache
	@if [ -x $(PY) ]; then $(PY) -m ops sandbox down || true; fi
	rm -rf .venv policy/.venv .sandbox .mypy_cache .pytest_cache .ruff_cache .hypothesis

# .venv is always made anew, so that neither a package that is no longer listed nor an interrupted set-up stays behind. Its
# marks go first, as `rm` can be interrupted too; a .venv that is a link is another checkout's: the link alone goes.
# `venv` makes it, as Pulumi needs a pip in there. The rest is uv's: the one on PATH, else the pinned one, which gets the index
# that pip is configured with. Where there is none for this machine, or it fails, pip does the same. Measured on two busy
# processors, 2026-11-25: by uv 9 s, and 7 s when its cache has all; by pip 33 s.
define set_up
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not on PATH; install Python 3.11 or later."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) does not run, or is older than 3.11; set PYTHON=… to a newer one."; exit 2; }
	@echo "Setting up .venv from $(1): about 10 seconds, a minute where uv cannot be had …"
	@test -L .venv || rm -f $(MARKS)
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@uv=$$(command -v uv) || { uv=.venv/bin/uv; $(PIP_INSTALL) --only-binary :all: -r requirements-uv.txt 2>/dev/null; }; \
	  index=$${UV_DEFAULT_INDEX-$${PIP_INDEX_URL-$$(.venv/bin/pip config get global.index-url 2>/dev/null)}}; \
	  { test -x $$uv && UV_DEFAULT_INDEX=$$index $$uv pip install --quiet --python $(PY) --require-hashes $(1:%=-r %); } || \
	  { echo "Without uv, as it cannot be had or failed: pip takes about a minute …"; $(PIP_INSTALL) $(1:%=-r %); }
endef

.venv/.installed: requirements-dev.txt requirements.txt requirements-uv.txt
	$(call set_up,requirements.txt requirements-dev.txt)
	@touch $(MARKS) # whoever has all has what production needs

.venv/.production: requirements.txt requirements-uv.txt
	$(call set_up,requirements.txt)
	@touch $@

# The policy pack's own: Pulumi's library and what it brings. By pip alone: it takes ten seconds.
policy/.venv/.installed: policy/requirements.txt
	@echo "Setting up policy/.venv: about 10 seconds …"
	@rm -rf policy/.venv && $(PYTHON) -m venv policy/.venv
	@$(PIP_INSTALL:.venv/%=policy/.venv/%) -r policy/requirements.txt
	@touch $@
