# kubectl-batchrollout
#
#   make            builds build/kubectl-batchrollout
#   make install    copies it to $(DESTDIR)$(PREFIX)/bin
#   make test       everything: unit tests, simulation, both with sanitizers, krew, functional tests on a cluster
#   make check      the quick part of it: unit tests and simulation
#   make sim        random releases in a simulated cluster: SEEDS of them (20000), from SEED on (1)
#   make fuzz       each parser for FUZZ_SECONDS (20) with inputs that a fuzzer makes up
#   make lint       compilers, formatters and checkers with all warnings as errors
#   make format     lays out the C files as .clang-format says
#   make demo       a release on the embedded cluster, shown step by step
#   make krew       the archive for this platform and its krew manifest, in build/krew
#   make krew-test  the real krew installs them
#   make picture    docs/release.svg, from a real release
#   make clean      removes what was compiled; distclean also the embedded cluster and the tools
#
# Each of them first installs what it needs and the machine lacks (tools/install-dependencies). Every output is below
# build/. VARIANT=asan builds with ASan and UBSan in build/asan, VARIANT=clang with clang in build/clang.

VERSION := 0.1.0
HOMEPAGE := https://github.com/kubectl-batchrollout/kubectl-batchrollout
PREFIX ?= /usr/local

CC = gcc
PKG_CONFIG ?= pkg-config
PACKAGES := libcurl libcjson yaml-0.1 libpcre2-8

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wformat=2
# For compilers that warn of more than ours: make WERROR=
WERROR ?= -Werror
CFLAGS ?= -O2 -g
VARIANT ?=
BUILD := build$(if $(VARIANT),/$(VARIANT))
ifeq ($(VARIANT),asan)
CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
else ifeq ($(VARIANT),clang)
CC = clang
else ifeq ($(VARIANT),fuzz)
CC = clang
CFLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=fuzzer,address,undefined
endif
FUZZ_SECONDS ?= 20
SEEDS ?= 20000
SEED ?= 1

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DBATCHROLLOUT_VERSION='"v$(VERSION)"' -Isrc $(WARNINGS) $(WERROR) \
	-fstack-protector-strong -fPIE $(CFLAGS) $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,--as-needed $(LDFLAGS)
LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES))

SOURCES := $(wildcard src/*/*.c)
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
ARCHIVE := $(BUILD)/libbatchrollout.a
PROGRAM := $(BUILD)/kubectl-batchrollout

# tests/unit/traffic/merge.c is the program build/test/unit/traffic/merge
UNIT_SOURCES := $(wildcard tests/unit/*/*.c)
UNIT_PROGRAMS := $(UNIT_SOURCES:tests/%.c=$(BUILD)/test/%)
SIM_SOURCES := $(wildcard tests/sim/*.c)
SIM_PROGRAM := $(BUILD)/test/sim
FUZZ_SOURCES := $(wildcard tests/fuzz/*.c)
FUZZ_PROGRAMS := $(FUZZ_SOURCES:tests/%.c=build/fuzz/test/%)
TEST_PROGRAMS := $(UNIT_PROGRAMS) $(if $(SIM_SOURCES),$(SIM_PROGRAM))

# One stamp for each clean file: build/clang/tidy/src/base/buf, build/clang/tidy/tests/unit/base/base64
TIDY := $(patsubst %.c,$(BUILD)/tidy/%,src/main.c $(SOURCES) $(UNIT_SOURCES) $(SIM_SOURCES) $(FUZZ_SOURCES))

# What brings cmocka: as much as the goal at hand needs.
TEST_TOOLS := build/installed/test

# The steps of a long goal, each on all processors unless make was told how many.
STEP = @$(MAKE) --silent --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,--jobs=$(shell nproc))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all install check test test-programs sim fuzz fuzz-programs lint tidy format demo picture krew krew-test clean distclean

all: $(PROGRAM)

# The results of pkg-config are asked for by the recipes, that is, after this.
build/installed/%: tools/install-dependencies $(wildcard tests/requirements*.txt)
	@tools/install-dependencies $*
	@mkdir -p $(@D)
	@touch $@

$(PROGRAM): $(BUILD)/obj/main.o $(ARCHIVE)
	@echo "  LINK $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(ARCHIVE): $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/obj/%.o: src/%.c Makefile | build/installed/build
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/test/obj/%.o: tests/%.c Makefile | $(TEST_TOOLS)
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(BUILD)/test/unit/%: $(BUILD)/test/obj/unit/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(SIM_PROGRAM): $(SIM_SOURCES:tests/%.c=$(BUILD)/test/obj/%.o) $(ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

test-programs: $(TEST_PROGRAMS) $(FUZZ_SOURCES:tests/%.c=$(BUILD)/test/obj/%.o)

check: $(TEST_PROGRAMS)
	@set -e; for program in $^; do echo "== $$program"; $$program; done

# A seed that fails is named, with what plays it again; SIM_TRACE=1 tells what happens in it.
sim: $(SIM_PROGRAM)
	@$(SIM_PROGRAM) chance $(SEED) $(SEEDS)

$(BUILD)/test/fuzz/%: $(BUILD)/test/obj/fuzz/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

fuzz-programs: $(FUZZ_PROGRAMS)

# What is found new is kept in build/fuzz/corpus, and tried again next time.
fuzz: build/installed/lint
	$(STEP) TEST_TOOLS=$< VARIANT=fuzz fuzz-programs
	@set -e; for program in $(FUZZ_PROGRAMS); do \
		name=$$(basename $$program); log=build/fuzz/$$name.log; mkdir -p build/fuzz/corpus/$$name; \
		$$program -max_total_time=$(FUZZ_SECONDS) -timeout=10 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/ build/fuzz/corpus/$$name >$$log 2>&1 || { cat $$log; exit 1; }; \
		echo "== fuzz $$name: $$(sed -n 's/^stat::number_of_executed_units: *//p' $$log) inputs"; \
	done

# The functional tests come last, so that the summary of pytest does.
test: build/installed/test
	$(STEP) all check
	$(STEP) sim SEEDS=216000
	$(STEP) VARIANT=asan check
	$(STEP) fuzz FUZZ_SECONDS=5
	@tests/cluster/build
	$(STEP) krew-test
	@echo "== functional tests"
	@tests/e2e/run

lint: build/installed/lint
	$(STEP) --keep-going TEST_TOOLS=$< all test-programs
	$(STEP) --keep-going TEST_TOOLS=$< VARIANT=clang all test-programs tidy
	@tools/lint

tidy: $(TIDY)

# A file is looked at again when it, or a header that it includes, was compiled again.
$(BUILD)/tidy/src/%: $(BUILD)/obj/%.o .clang-tidy build/installed/lint
	@mkdir -p $(@D)
	@echo "  TIDY src/$*.c"
	@build/venv/bin/clang-tidy --quiet src/$*.c -- $(ALL_CFLAGS)
	@touch $@

$(BUILD)/tidy/tests/%: $(BUILD)/test/obj/%.o .clang-tidy tests/.clang-tidy build/installed/lint
	@mkdir -p $(@D)
	@echo "  TIDY tests/$*.c"
	@build/venv/bin/clang-tidy --quiet tests/$*.c -- $(ALL_CFLAGS) -Itests
	@touch $@

format: build/installed/lint
	@git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 build/venv/bin/clang-format -i

# Like the functional tests: on the cluster that is up, or on one that lasts as long as the demo.
demo: build/installed/test all
	@set -e; tests/cluster/status >/dev/null || { trap tests/cluster/down EXIT; tests/cluster/up; }; \
	tests/cluster/in examples/demo

picture: build/installed/test all
	@set -e; tests/cluster/status >/dev/null || { trap tests/cluster/down EXIT; tests/cluster/up; }; \
	build/venv/bin/pip install --quiet --requirement docs/requirements.txt; \
	tests/cluster/in build/venv/bin/python docs/picture

krew: $(PROGRAM)
	@krew/package $(PROGRAM) v$(VERSION) $(HOMEPAGE)

krew-test: krew build/installed/test
	@tests/cluster/build
	@krew/test v$(VERSION)

install: $(PROGRAM)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/kubectl-batchrollout

clean:
	rm -rf build/obj build/test build/asan build/clang build/fuzz build/krew build/libbatchrollout.a build/kubectl-batchrollout

distclean:
	if [ -e build/cluster/run/supervisor ]; then tests/cluster/down; fi
	rm -rf build

-include $(OBJECTS:.o=.d) $(BUILD)/obj/main.d \
	$(patsubst tests/%.c,$(BUILD)/test/obj/%.d,$(UNIT_SOURCES) $(SIM_SOURCES) $(FUZZ_SOURCES))
