# SPDX-License-Identifier: GPL-3.0-or-later
# The front door. Everything behind it is meson; see HACKING.md.

BUILD    ?= build
SUITE    ?= lint unit scenario system
SECONDS  ?= 60
FIRMWARE ?= uefi-secureboot
PREFIX   ?= /usr/local

.PHONY: all bootstrap demo check check-x86 check-sanitized install x86-root bench fuzz schema format clean

all: $(BUILD)/build.ninja
	@$(set_prefix)
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@command -v meson >/dev/null || { echo "make: meson is missing: run tools/bootstrap first" >&2; exit 1; }
	$$(command -v mold >/dev/null && echo env CC_LD=mold) meson setup $(BUILD) --prefix=$(PREFIX) || \
	  { echo "make: if something is missing (see above): tools/bootstrap installs it" >&2; exit 1; }

# A build folder keeps its prefix until another one is asked for.
set_prefix = :
ifneq ($(origin PREFIX),file)
set_prefix = test "$$(cat $(BUILD)/prefix 2>/dev/null)" = "$(PREFIX)" || \
  { meson configure $(BUILD) --prefix=$(PREFIX) && echo "$(PREFIX)" >$(BUILD)/prefix; }
endif

bootstrap:
	tools/bootstrap

# From power-on to a running operating system, in a private network on this machine.
demo: bootstrap
	@$(MAKE) --no-print-directory all
	tools/lab/demo --build $(BUILD) --firmware $(FIRMWARE)

# Every test suite, or those named: make check SUITE="lint unit".
check: bootstrap
	@$(MAKE) --no-print-directory all
	tools/run_tests $(BUILD) $(SUITE)

# The unit tests of the agent and of the layers below it as programs of 32 bits.
check-x86: bootstrap
	tools/make-x86-root --test

# The quick suites again, with clang, AddressSanitizer and UndefinedBehaviorSanitizer.
check-sanitized: bootstrap
	test -f $(BUILD)-san/build.ninja || CC=clang meson setup $(BUILD)-san \
	  -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link
	ninja -C $(BUILD)-san
	tools/run_tests $(BUILD)-san unit scenario

# Each fuzzer for SECONDS, from its corpus in tests/corpus; what it finds new stays in the build folder. With RUNS: see tools/run_fuzzers.
fuzz: bootstrap
	test -f $(BUILD)-san/build.ninja || CC=clang meson setup $(BUILD)-san \
	  -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link
	tools/run_fuzzers $(BUILD)-san $(SECONDS) $(RUNS)

bench: bootstrap
	@$(MAKE) --no-print-directory all
	tools/run_benches $(BUILD)

install: all
	$(if $(filter file default undefined,$(origin PREFIX)),,meson configure $(BUILD) -Dprefix=$(PREFIX))
	meson install -C $(BUILD)

# What the boot image for 32-bit computers is built from: Debian's packages for i386, and the agent compiled for it. Again after
# an upgrade; slipwayd then builds the boot image anew.
x86-root: bootstrap
	tools/make-x86-root --fresh $(DESTDIR)$(if $(filter file default undefined,$(origin PREFIX)),$(or $(shell cat $(BUILD)/prefix 2>/dev/null),$(PREFIX)),$(PREFIX))/lib/slipway/x86-root

# Writes down what the migrations make; db/schema compares it.
schema: all
	SLIPWAY_WRITE_SCHEMA=tests/schema $(BUILD)/tests/test_db_schema
	SLIPWAY_WRITE_SCHEMA=tests/schema tools/with_postgresql $(BUILD)/tests/test_db_schema

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD) $(BUILD)-san .cache
