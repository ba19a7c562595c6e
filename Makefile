# `make help` says what there is. Variables: PYTHON (3.11 or newer), JOBS, PIPELINE (more options for
# python3 -m toolchain; --pgo, which makes the guest a sixth faster, is the default where its compiler, clang-19,
# is there or can be installed; `PIPELINE=` builds without it, in half the time).

PYTHON ?= python3
JOBS ?= $(shell nproc)
PIPELINE ?= $(shell { command -v clang-19 || { command -v apt-get && test "$$(id -u)" = 0; }; } >/dev/null 2>&1 && echo --pgo)
MAKEFLAGS += --no-print-directory
VENV := .venv/bin
TOOLCHAIN := $(PYTHON) -m toolchain --jobs $(JOBS) $(PIPELINE)
CMAKE_BUILD := cmake --build
C_FILES := $(wildcard include/eryx/*.h src/*/*.[ch] guest/*.[ch] protocol/*.h python/_eryx/*.[ch] tools/*.c tests/c/*.[ch] tests/fuzz/*.[ch] tests/hosts/*.c* examples/c/*.c bench/*.c)

# What `make check T=word` means: tests whose file has the word in its name.
C_CHECKED = $(basename $(notdir $(wildcard tests/c/test_*$(T)*.c tests/c/live_*$(T)*.c tests/fuzz/fuzz_*$(T)*.c)))
PYTHON_CHECKED = $(wildcard tests/python/test_*$(T)*.py)
EMPTY :=
SPACE := $(EMPTY) $(EMPTY)

.PHONY: help demo test wheel bench lint format clean distclean dev check setup setup-development guest install \
	test-c test-sanitize test-tsan test-python test-workers test-agents test-jupyter test-server test-cluster test-cluster-sample science test-science test-science-sample

help:
	@echo 'make demo        build everything, install the wheel into .venv, show it'
	@echo 'make test        every test, as continuous integration runs them'
	@echo 'make test-agents the adapters for frameworks of agents and Jupyter, with these (a part of `make test`)'
	@echo 'make test-cluster clusters of Ray and Dask, with processes and nodes that are killed (`make test` has a sample)'
	@echo 'make test-jupyter the kernel in a real JupyterLab and browser'
	@echo 'make wheel       the wheel, in dist/'
	@echo 'make science     eryx-science, the wheel with numpy and others, in dist/ (PACKAGES=scipy: with that as well)'
	@echo 'make bench       the measurements'
	@echo
	@echo 'make dev         a build to work on, in build/dev (CONTRIBUTING.md)'
	@echo 'make check T=vfs only the C and Python tests with that word in the name of their file'
	@echo 'make test-science  all tests of what make science makes, with the own tests of the packages'
	@echo 'make lint        style and types'
	@echo 'make format      C and Python, as `make lint` wants them'
	@echo
	@echo 'make clean       remove build/ and dist/; the cache of the build stays'
	@echo 'make distclean   remove .venv and the cache of the build as well'

demo: install
	$(VENV)/eryx -c "print('hello from inside')"
	$(VENV)/python examples/python/quickstart.py

setup:
	@$(PYTHON) -m toolchain.setup

setup-development:
	@$(PYTHON) -m toolchain.setup --development

guest: setup
	$(TOOLCHAIN)

wheel: guest
	$(VENV)/python tools/build_wheel.py dist

install: wheel
	$(VENV)/python -m pip uninstall -qq --yes eryx
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall dist/eryx_sandbox-*.whl

test: lint test-c test-sanitize test-python test-science-sample test-agents test-server test-cluster-sample

test-c: guest
	cmake -S . -B build/test -DCMAKE_BUILD_TYPE=Release -DERYX_PYTHON=OFF -DERYX_ASSERTIONS=ON
	$(CMAKE_BUILD) build/test --parallel $(JOBS)
	cd build/test && ctest --output-on-failure

test-sanitize: guest
	cmake -S . -B build/sanitize -DCMAKE_BUILD_TYPE=Debug -DERYX_PYTHON=OFF -DERYX_EXAMPLES=OFF -DERYX_SANITIZE=ON -DERYX_ASSERTIONS=ON
	$(CMAKE_BUILD) build/sanitize --parallel $(JOBS)
	cd build/sanitize && ctest --output-on-failure

# Needs addresses that are not random, so it is not a part of `make test`.
test-tsan: guest
	cmake -S . -B build/tsan -DCMAKE_BUILD_TYPE=Debug -DERYX_PYTHON=OFF -DERYX_EXAMPLES=OFF -DERYX_SANITIZE_THREADS=ON -DERYX_ASSERTIONS=ON
	$(CMAKE_BUILD) build/tsan --parallel $(JOBS) --target live_thread_hosts
	cd build/tsan && setarch -R ctest --output-on-failure -R live_thread_hosts

test-python: install setup-development
	$(VENV)/python -m pytest -q -n $(JOBS) --dist loadfile -m "not alone" tests/python
	$(VENV)/python -m pytest -q -m alone tests/python
	$(VENV)/python -m pytest -q tests/cpython

# Ten thousand ends of worker processes, of which `make test-python` tries a sample.
test-workers: install setup-development
	ERYX_WORKER_CRASHES=10000 $(VENV)/python -m pytest -q tests/python/test_workers.py -k test_at_any_moment

science: install
	$(VENV)/python -m native --output dist --unpack build/science $(addprefix --also ,$(PACKAGES))

test-science: science
	$(VENV)/python -m pytest -q tests/science

# numpy is built from nothing, the other packages are taken as well if the cache has them.
test-science-sample: install setup-development
	$(VENV)/python -m native --cached --output build --unpack build/science numpy
	$(VENV)/python -m pytest -q -m sample tests/science

# The wheel as a user has it, and the frameworks of agents and Jupyter in environments of their own;
# with plots if eryx-science was built for this eryx and has matplotlib.
test-agents: wheel
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --upgrade --target build/installed dist/eryx_sandbox-*.whl
	python=$$($(PYTHON) -m toolchain.environments agents) && \
	PYTHONPATH=$(CURDIR)/build/installed:$(CURDIR)/build/science $$python -m pytest -q -n $(JOBS) --dist loadfile tests/agents
	python=$$($(PYTHON) -m toolchain.environments jupyter) && \
	PYTHONPATH=$(CURDIR)/build/installed:$(CURDIR)/build/science $$python -m pytest -q -m "not browser" tests/jupyter

# With a browser, which is installed as root.
test-jupyter: wheel
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --upgrade --target build/installed dist/eryx_sandbox-*.whl
	python=$$($(PYTHON) -m toolchain.environments jupyter --browser) && \
	PYTHONPATH=$(CURDIR)/build/installed:$(CURDIR)/build/science $$python -m pytest -q tests/jupyter

# The same for the HTTP service: real clients, Redis, the protocol of S3, and deploy/'s container.
test-server: wheel
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --upgrade --target build/installed dist/eryx_sandbox-*.whl
	python=$$($(PYTHON) -m toolchain.environments server) && \
	container=$$($(PYTHON) -m toolchain.container) && \
	PYTHONPATH=$(CURDIR)/build/installed ERYX_CONTAINER=$$container $$python -m pytest -q -p no:cacheprovider tests/server

# The same for clusters of Ray and Dask, of which processes and nodes are killed. The sample is of the smaller one.
test-cluster test-cluster-sample: wheel
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --upgrade --target build/installed dist/eryx_sandbox-*.whl
	python=$$($(PYTHON) -m toolchain.environments cluster) && \
	PYTHONPATH=$(CURDIR)/build/installed $$python -m pytest -q -p no:cacheprovider -p no:logging $(if $(findstring sample,$@),-m sample -k "not ray") tests/cluster

# The guest is left as it is: `make guest` when something in guest/ or toolchain/ has changed.
build/guest/image.bin:
	$(MAKE) guest

build/dev/CMakeCache.txt: | setup-development build/guest/image.bin
	cmake -S . -B build/dev -DCMAKE_BUILD_TYPE=Release -DERYX_ASSERTIONS=ON -DPython_EXECUTABLE=$(CURDIR)/$(VENV)/python

dev: build/dev/CMakeCache.txt
	$(CMAKE_BUILD) build/dev --parallel $(JOBS)

check: build/dev/CMakeCache.txt
	$(if $(T),,$(error say what to check, as in make check T=vfs))
	$(if $(C_CHECKED)$(PYTHON_CHECKED),,$(error no file of a test has $(T) in its name))
	$(CMAKE_BUILD) build/dev --parallel $(JOBS) --target $(C_CHECKED) $(if $(PYTHON_CHECKED),eryx_package)
	$(if $(C_CHECKED),ctest --test-dir build/dev --output-on-failure -R '\.($(subst $(SPACE),|,$(C_CHECKED)))$$')
	$(if $(PYTHON_CHECKED),PYTHONPATH=$(CURDIR)/build/dev/python $(VENV)/python -m pytest -q $(PYTHON_CHECKED))

lint: setup-development
	$(VENV)/clang-format --dry-run -Werror $(C_FILES)
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/mypy --strict --exclude toolchain/training toolchain

format: setup-development
	$(VENV)/clang-format -i $(C_FILES)
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

bench: install
	$(VENV)/python bench/run.py

clean:
	rm -rf build dist

distclean: clean
	-$(TOOLCHAIN) --forget
	rm -rf .venv
