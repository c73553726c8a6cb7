# Two commands matter: `make run` and `make test`. Both bring what they need.
.DEFAULT_GOAL := help
.PHONY: help setup run test slow bench look lint lock chromium messages

PORT = 8000
ARGS =
UV = .tools/bin/uv
PYTHON = .venv/bin/python

help:
	@echo "make run    start everything on this machine (PORT=8000)"
	@echo "make test   run every test (ARGS=\"tests/members -k csv\" for some)"
	@echo "make slow   run the tests that take long: every fault, 100,000 rows"
	@echo "make bench  measure what things cost, as ratios (SCALE=1, ARGS=\"imports\" for some)"
	@echo "make look   photograph every page, into build/look/"
	@echo "make lint   check style, types, imports, settings and migrations"
	@echo "make setup  install what development needs into .venv"
	@echo "make lock   resolve the dependencies of pyproject.toml anew"
	@echo "make messages  collect the texts to be translated"

setup: .venv/.development

run: .venv/.runtime
	@exec $(PYTHON) manage.py up --port $(PORT)

test: .venv/.development chromium
	$(PYTHON) manage.py compile_translations
	$(PYTHON) -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

slow: .venv/.development chromium
	$(PYTHON) manage.py compile_translations
	$(PYTHON) -m pytest -m slow $(ARGS)

bench: .venv/.development
	$(PYTHON) manage.py compile_translations
	$(PYTHON) -m bench $(ARGS)

look: .venv/.development chromium
	$(PYTHON) -m pytest tests/look.py

# Each line fails when its check could not run, as it does when the check says no.
lint: export DATABASE_URL = postgresql://nobody@127.0.0.1:1/none
lint: export REDIS_URL = redis://127.0.0.1:1/0
lint: .venv/.development
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djlint --lint --quiet templates
	.venv/bin/lint-imports
	.venv/bin/mypy
	SKYPEMGR_ENV=production SECRET_KEY="$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	  BASE_URL=https://skypemgr.example.com ALLOWED_HOSTS=skypemgr.example.com SMTP_URL=smtp://127.0.0.1:1 \
	  $(PYTHON) manage.py check --deploy --fail-level WARNING
	$(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@grep -nE '://|--(extra-)?index-url|--find-links' requirements*.txt; \
	  test $$? -eq 1 || { echo "A lock file names a host, or could not be read."; exit 1; }

lock: $(UV)
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.13 --generate-hashes --no-header \
	  --group dev -o requirements-dev.txt pyproject.toml
	$(UV) pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-header \
	  -c requirements-dev.txt --group local -o requirements-run.txt pyproject.toml
	$(UV) pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-header \
	  -c requirements-dev.txt -o requirements.txt pyproject.toml

$(UV): requirements-uv.txt
	@python3 -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target .tools -r $<
	@touch $@

# A Python 3.13 of this machine if one really runs (a shim of pyenv may not), else one that uv brings.
.venv/bin/python: | $(UV)
	@for python in python3.13 "$$(pyenv root 2>/dev/null || echo "$$HOME/.pyenv")"/versions/3.13*/bin/python3.13 3.13; do \
	  if test "$$python" = 3.13 || "$$python" -c 'import ssl, sqlite3, venv' 2>/dev/null; then break; fi; \
	done; \
	$(UV) venv --quiet --allow-existing --python "$$python" .venv

.venv/.runtime: requirements-run.txt | .venv/bin/python
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --require-hashes -r $<
	@touch $@

.venv/.development: requirements-dev.txt | .venv/bin/python
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes $<
	@touch $@ .venv/.runtime

chromium:
	@command -v chromium >/dev/null && command -v xgettext >/dev/null && exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium gettext; \
	else \
	  echo "The tests need Chromium and gettext: install the packages chromium and gettext, then run make test again."; \
	  exit 1; \
	fi

# Needs Debian's gettext. New and changed texts come into locale/*/LC_MESSAGES/django.po, to be translated there.
messages: .venv/.development
	$(PYTHON) manage.py makemessages --locale fr --locale sv --no-location --no-wrap --ignore ".venv/*" --ignore "tests/*" --ignore "var/*"
