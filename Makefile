# kubectl-batchrollout
#
#   make            builds build/kubectl-batchrollout
#   make install    copies it to $(DESTDIR)$(PREFIX)/bin
#   make test       everything: unit tests, simulation, functional tests on an embedded cluster
#   make check      the quick part of it: unit tests and simulation
#   make lint       compilers, formatters and checkers with all warnings as errors
#   make demo       a release on the embedded cluster, shown step by step
#
# Every output is below build/. VARIANT=asan builds all of it with ASan and UBSan in build/asan.

VERSION := 0.1.0
PREFIX ?= /usr/local

CC = gcc
PKG_CONFIG ?= pkg-config
PACKAGES := libcurl libcjson yaml-0.1 libpcre2-8

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wformat=2 -Werror
CFLAGS ?= -O2 -g
VARIANT ?=
BUILD := build$(if $(VARIANT),/$(VARIANT))
ifeq ($(VARIANT),asan)
CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS += -fsanitize=address,undefined
endif

ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -DBATCHROLLOUT_VERSION='"v$(VERSION)"' -Isrc $(WARNINGS) \
	-fstack-protector-strong -fPIE $(CFLAGS) $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS)
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

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all install check

all: $(PROGRAM)

ifneq ($(wildcard src/main.c),)
$(PROGRAM): $(BUILD)/obj/main.o $(ARCHIVE)
	@echo "  LINK $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)
endif

$(ARCHIVE): $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/test/obj/%.o: tests/%.c
	@mkdir -p $(@D)
	@echo "  CC $<"
	@$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

$(BUILD)/test/unit/%: $(BUILD)/test/obj/unit/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(SIM_PROGRAM): $(SIM_SOURCES:tests/%.c=$(BUILD)/test/obj/%.o) $(ARCHIVE)
	@mkdir -p $(@D)
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

check: $(UNIT_PROGRAMS) $(if $(SIM_SOURCES),$(SIM_PROGRAM))
	@set -e; for program in $^; do echo "== $$program"; $$program; done

install: $(PROGRAM)
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/kubectl-batchrollout

-include $(OBJECTS:.o=.d) $(BUILD)/obj/main.d \
	$(UNIT_SOURCES:tests/%.c=$(BUILD)/test/obj/%.d) $(SIM_SOURCES:tests/%.c=$(BUILD)/test/obj/%.d)
