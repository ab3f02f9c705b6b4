# The front door. Everything behind it is CMake (CMakePresets.json) and scripts/; each preset
# builds into build/PRESET.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
# Tests wait for one another's processes and for windows of time more than they compute.
export CTEST_PARALLEL_LEVEL ?= $(shell expr $(JOBS) + 2)
# A log is read by people too: without a terminal only what goes wrong is printed.
QUIET = $(if $(CI),-- --quiet)
FILES = $(wildcard $(addsuffix /*.[ch],src src/* sandbox tests/* bench))

.PHONY: help build install run test test-postgres sanitize tsan check bench campaign format clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

build: build/release/build.ninja ## build/release/assay and build/release/assay-sandbox
	@cmake --build --preset release -j $(JOBS) $(QUIET)

install: build ## program, manual, completions and documents below PREFIX (/usr/local)
	@cmake --install build/release --prefix $(PREFIX) --strip

run: ## first light: install what is missing, build, connect a demo, collect, score
	@scripts/demo

test: build/debug/build.ninja ## install what is missing and run every test
	@cmake --build --preset debug -j $(JOBS) $(QUIET)
	@ctest --preset debug --output-junit tests.xml

test-postgres: build/debug/build.ninja ## the tests that keep a database, on PostgreSQL and beside Redis
	@cmake --build --preset debug -j $(JOBS) $(QUIET)
	@ASSAY_TEST_DATABASE=postgres scripts/with-postgres scripts/with-redis ctest --preset debug -L database --output-junit postgres.xml

sanitize: build/asan/build.ninja ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake --build --preset asan -j $(JOBS) $(QUIET)
	@ctest --preset asan --output-junit tests.xml

tsan: build/tsan/build.ninja ## the tests under ThreadSanitizer
	@cmake --build --preset tsan -j $(JOBS) $(QUIET)
	@ctest --preset tsan --output-junit tests.xml

check: build/debug/build.ninja ## format, clang-tidy, cppcheck, include law, sizes, banned calls, tests
	@scripts/check

bench: build/release/build.ninja packages-bench ## the benchmarks, with their bars
	@cmake --build --preset bench -j $(JOBS) $(QUIET)
	@bench/run

campaign: build/debug/build.ninja ## 1,000 times kill -9 while many jobs run
	@cmake --build --preset debug -j $(JOBS) $(QUIET)
	@scripts/campaign --kills 1000

format: ## clang-format over all C files
	@clang-format -i $(FILES)

clean: ## remove everything built
	rm -rf build/release build/debug build/asan build/tsan build/demo

# Configured once; afterwards Ninja runs CMake again by itself when it has to.
build/%/build.ninja: CMakePresets.json | packages-%
	@cmake --preset $* --log-level=WARNING >/dev/null

.PHONY: packages-release packages-debug packages-asan packages-tsan
packages-release:
	@scripts/install-packages build
packages-debug packages-asan packages-tsan:
	@scripts/install-packages test
	@scripts/install-node-modules
	@scripts/install-node-modules tests/system/oidc
	@scripts/install-node-modules tests/contract/prism
check: packages-check
.PHONY: packages-check packages-bench
packages-check:
	@scripts/install-packages check
packages-bench:
	@scripts/install-packages bench
	@scripts/install-node-modules bench/sdk
