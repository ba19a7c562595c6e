# make demo   builds everything and shows it      make test   every test
# make wheel  the wheel, in dist/                 make bench  the measurements
# make lint   style and types                     make clean  forget all products (and the build cache)
#
# Variables: PYTHON (3.11 or newer), JOBS, PIPELINE (more options for python3 -m toolchain, such as --pgo).

PYTHON ?= python3
JOBS ?= $(shell nproc)
PIPELINE ?=
VENV := .venv/bin
TOOLCHAIN := $(PYTHON) -m toolchain --jobs $(JOBS) $(PIPELINE)
CMAKE_BUILD := cmake --build

.PHONY: demo test wheel bench lint clean setup guest install test-c test-sanitize test-python

demo: install
	$(VENV)/eryx -c "print('hello from inside')"
	$(VENV)/python examples/python/quickstart.py

setup:
	@$(PYTHON) -m toolchain.setup

guest: setup
	$(TOOLCHAIN)

wheel: guest
	$(VENV)/python tools/build_wheel.py dist

install: wheel
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall dist/eryx-*.whl

test: lint test-c test-sanitize test-python

test-c: guest
	cmake -S . -B build/test -DCMAKE_BUILD_TYPE=Release -DERYX_PYTHON=OFF
	$(CMAKE_BUILD) build/test --parallel $(JOBS)
	cd build/test && ctest --output-on-failure

test-sanitize: guest
	cmake -S . -B build/sanitize -DCMAKE_BUILD_TYPE=Debug -DERYX_PYTHON=OFF -DERYX_EXAMPLES=OFF -DERYX_SANITIZE=ON
	$(CMAKE_BUILD) build/sanitize --parallel $(JOBS)
	cd build/sanitize && ctest --output-on-failure

test-python: install
	$(VENV)/python -m pytest -q

lint: setup
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/mypy --strict --exclude toolchain/training toolchain

bench: install
	$(VENV)/python bench/run.py

clean:
	-$(TOOLCHAIN) --forget
	rm -rf build dist
