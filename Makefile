# make demo   builds everything and shows it      make test   every test
# make wheel  the wheel, in dist/                 make bench  the measurements
# make lint   style and types                     make clean  forget all products (and the build cache)
#
# Variables: PYTHON (3.11 or newer), JOBS, PIPELINE (more options for python3 -m toolchain; --pgo, which makes the guest a
# sixth faster, is the default where its compiler, clang-19, is there or can be installed).

PYTHON ?= python3
JOBS ?= $(shell nproc)
PIPELINE ?= $(shell { command -v clang-19 || { command -v apt-get && test "$$(id -u)" = 0; }; } >/dev/null 2>&1 && echo --pgo)
VENV := .venv/bin
TOOLCHAIN := $(PYTHON) -m toolchain --jobs $(JOBS) $(PIPELINE)
CMAKE_BUILD := cmake --build
C_FILES := $(wildcard include/eryx/*.h src/*.[ch] guest/*.[ch] python/_eryx/*.[ch] tools/*.c tests/c/*.[ch] tests/fuzz/*.[ch] examples/c/*.c)

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
	$(VENV)/python -m pytest -q tests/python tests/regress

lint: setup
	$(VENV)/clang-format --dry-run -Werror $(C_FILES)
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/mypy --strict --exclude toolchain/training toolchain

bench: install
	$(VENV)/python bench/run.py

clean:
	-$(TOOLCHAIN) --forget
	rm -rf build dist
