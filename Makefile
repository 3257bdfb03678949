# SPDX-License-Identifier: 0BSD
# lifeboat: how it is built, tested and measured. `make help` lists the rest.

VERSION := 0.1.0
BOARD ?= qemu-arm64
SECONDS ?= 600

# V is what one run of make compiles: a board, host (this machine, static), or
# one of the ways the tests are built. All that it makes lies in build/$V.
V ?= $(BOARD)
B := build/$V
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc) --no-print-directory
endif
export LC_ALL := C
ifndef SOURCE_DATE_EPOCH
export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
endif

WARN := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wundef \
	-Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wconversion \
	-Wsign-conversion -Wimplicit-fallthrough -Wswitch-enum -fno-common
WERROR ?= -Werror
# -DOPT_X=0 leaves an option of src/options.h out.
OPTS ?=
SANE := -g1 $(if $(filter check-gcc,$V),-Og,-O1) -fuse-ld=lld -Wno-unused-command-line-argument \
	-fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all

ifneq ($(filter check-gcc check-clang fuzz,$V),)
CC := $(if $(filter check-gcc,$V),gcc,clang)
DEPS := $(CC)
MODE := $(SANE) $(if $(filter fuzz,$V),-fsanitize=fuzzer-no-link)
else
# A board may be built in several ways: qemu-arm64@small.
include $(if $(filter-out host,$V),board/$(firstword $(subst @, ,$V))/board.mk)
ARCH ?= $(shell dpkg --print-architecture)
DEPS := $(ARCH)
CC := build/deps/$(ARCH)/cc
MODE := -Oz -flto -Wframe-larger-than=4096 -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident \
	-fno-stack-protector -fomit-frame-pointer
endif
# Not position-independent: that would cost 12 KiB, 6 %. The
# rest is what makes the code smaller when all is compiled as one: no
# scheduling, no moving out of loops, common function entries.
LLVM := inline-threshold=-50 consthoist-gep enable-misched=false \
	enable-post-misched=false homogeneous-prolog-epilog \
	disable-machine-licm disable-block-placement machine-outliner-reruns=2
ifeq ($(ARCH),arm64)
# All but what is FAR lies within 1 MiB; a link that says "out of range" needs
# one more FAR.
LLVM += code-model=tiny
# No smaller, but 2 % less once compressed: more instructions look alike.
LLVM += regalloc=basic disable-lsr enable-gvn-hoist tail-merge-size=2
endif
LINK := -Wl,-T,src/far.ld -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,norelro \
	-Wl,--build-id=none -Wl,--no-eh-frame-hdr -Wl,-O2 $(if $(filter armhf,$(ARCH)),,-Wl,--icf=all) \
	'-Wl,--lto-newpm-passes=default<Oz>' $(LLVM:%=-Wl,-mllvm,-%)

D := build/deps
LIBDEPS := $D/$(DEPS)/libdeps.a
INC := -Isrc -I. -isystem $D/src/bearssl/inc -isystem $D/src/libdeflate \
	-isystem $D/src/libzstd/lib -isystem $D/src/lz4/lib -isystem $D/src/xz
CFLAGS = $(WARN) $(WERROR) $(MODE) $(INC) $(OPTS) -ffile-prefix-map=$(CURDIR)=.

MAIN := init/main.c
SRC := $(sort $(wildcard src/*/*.c init/*.c))
LIBOBJ := $(patsubst %.c,$B/%.o,$(filter-out $(MAIN),$(SRC))) $B/embedded.o
OBJ := $(LIBOBJ) $(patsubst %.c,$B/%.o,$(filter $(MAIN),$(SRC)))
TESTSRC := $(sort $(wildcard tests/unit/*.c tests/sim/*.c))
HELPERS := $(patsubst %.c,$B/%.o,$(filter-out %_test.c,$(TESTSRC)))
TESTS := $(patsubst %.c,$B/%,$(filter %_test.c,$(TESTSRC)))
FUZZERS := $(patsubst %.c,$B/%,$(sort $(wildcard tests/fuzz/*_fuzz.c)))
BOARDS := $(patsubst board/%/board.mk,%,$(sort $(wildcard board/*/board.mk)))
BOOTED := $(foreach b,$(BOARDS),$(shell sed -n s/^KERNEL_SLOT.*/$b/p board/$b/board.mk))

.DELETE_ON_ERROR .SECONDARY:
.PHONY: all host lifeboat initramfs initramfs-net boards check unit sim lint lint-deep test coverage demo fuzz \
	fuzz-all fmt size prices reproducible deps setup keyring test-programs \
	test-fuzzers campaign-diff campaign-e2e campaign-powercut notices clean distclean help FORCE

all: lifeboat $(if $(KERNEL_RECOVERY),initramfs $(if $(NETWORK),initramfs-net)) ## all: build/BOARD/{lifeboat,initramfs.cpio.gz}
lifeboat: $B/lifeboat
initramfs: $B/initramfs.cpio.gz
initramfs-net: $B/initramfs-net.cpio.gz

host: ; +@$(MAKE) V=host lifeboat ## host: build/host/lifeboat, the same code for this machine, static
boards: host ; +@for b in $(BOARDS); do $(MAKE) V=$$b all || exit 1; done ## boards: host and every board (BOARD is one of them)

# ---- objects and programs

say = @$(if $(QUIET),,echo "  $1 $@";)

$B/flags: FORCE
	@mkdir -p $(@D)
	@n=$@.$$$$; echo "$(CC) $(CFLAGS) $(LINK)" >$$n; cmp -s $$n $@ && rm $$n || mv $$n $@

$B/%.o: %.c $B/flags | $(LIBDEPS)
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CFLAGS) $(if $(findstring tests/,$<),-Itests) \
		$(if $(findstring fuzz/,$<),-Wno-unused-result) -MMD -MP -c -o $@ $<

$B/embedded.o: $B/embedded.c $B/flags
	@$(CC) $(CFLAGS) -c -o $@ $<

$B/lifeboat.elf: $(OBJ) $(LIBDEPS) $B/flags src/far.ld
	$(call say,LD) $(CC) $(LINK) -Wl,-Map=$B/lifeboat.map -o $@ $(OBJ) $(LIBDEPS)

$B/lifeboat: $B/lifeboat.elf tests/lint/binary.sh
	@tests/lint/binary.sh $< $B/lifeboat.map
	@llvm-strip --strip-all --strip-sections -o $@ $<

$B/lib.a: $(LIBOBJ) $(HELPERS)
	@rm -f $@ && ar rcsD $@ $^

$B/tests/fuzz/%_fuzz: $B/tests/fuzz/%_fuzz.o $B/lib.a $(LIBDEPS) \
		$(if $(filter-out fuzz,$V),$B/tests/fuzz/replay.o)
	$(call say,LD) $(CC) $(MODE) $(if $(filter fuzz,$V),-fsanitize=fuzzer) \
		-o $@ $(filter %.o,$^) $B/lib.a $(LIBDEPS) $B/lib.a

$B/tests/%_test: $B/tests/%_test.o $B/lib.a $(LIBDEPS)
	$(call say,LD) $(CC) $(MODE) -o $@ $< $B/lib.a $(LIBDEPS) $B/lib.a

$D/%/libdeps.a: src/build-deps.sh src/deps.mk src/libc.c
	$(call say,DEPS) src/build-deps.sh $*

$D/%/busybox: src/build-busybox.sh src/deps.mk | $D/%/libdeps.a
	$(call say,DEPS) src/build-busybox.sh $*

# What is compiled in: the keyring (make KEYRING=FILE, else the development
# one of this machine), and what the binary was made of.
KEYRING ?=
PEM := $(or $(KEYRING),build/pki/keyring.pem)
keyring: $(PEM)
build/pki/keyring.pem: keys/mkpki.sh
	@mkdir -p build && keys/mkpki.sh build/pki >build/pki.log 2>&1 || { cat build/pki.log; exit 1; }
	@touch $@
# Always made, taken when it is another: an old file may be a new choice.
$B/embedded.c: $(PEM) $(LIBDEPS) $B/flags FORCE
	@n=$@.$$$$; src/embed.sh $(PEM) $(if $(KEYRING),false,true) $(VERSION) \
		$D/$(DEPS)/versions >$$n && { cmp -s $$n $@ && rm $$n || mv $$n $@; }

# ---- initramfs

build/tools/mkcpio: rootfs-skel/mkcpio.c
	@mkdir -p $(@D) && gcc $(WARN) $(WERROR) -O1 -o $@ $<

$B/kernel/recovery/version $B/kernel/slot/version: \
		board/$V/board.mk rootfs-skel/kernel.sh
	$(call say,KERNEL) rootfs-skel/kernel.sh $(notdir $(@D)) $V $(@D)

CPIO_FROM := $B/lifeboat build/tools/mkcpio rootfs-skel/initramfs.sh \
	rootfs-skel/initramfs.list $B/kernel/recovery/version $(wildcard board/$V/*)
$B/initramfs.cpio.gz: $(CPIO_FROM)
	$(call say,CPIO) rootfs-skel/initramfs.sh $V $B initramfs $(MODULES)

# The same with the network: a DHCP client, and the modules of its hardware.
$B/initramfs-net.cpio.gz: $(CPIO_FROM) $D/$(ARCH)/busybox
	$(call say,CPIO) UDHCPC=$D/$(ARCH)/busybox rootfs-skel/initramfs.sh $V $B \
		initramfs-net $(MODULES) $(NETWORK)

# ---- tests

check: ; +@tests/check.sh lint gcc clang ## check: lint, unit tests, simulation, corpora; gcc and clang; no root
unit sim: ; +@tests/check.sh gcc:$@ ## unit, sim: only these, with gcc
test-programs: $(TESTS) $(FUZZERS)
test-fuzzers: $(FUZZERS)

test: ; +@tests/test.sh $(BOOTED) ## test: setup, check, the oracles, process 1, every board in QEMU
coverage: ; +@tests/coverage.sh ## coverage: lines that the tests reach of what reads signed bytes
demo: setup ; +@tests/e2e/demo.sh ## demo: a dead device is rescued from a USB stick
campaign-diff campaign-e2e campaign-powercut: ; +@tests/$(subst powercut,sim,$(@:campaign-%=%))/campaign.sh ## campaign-diff, campaign-e2e, campaign-powercut: trust at length, all cases in QEMU, power cuts by the million
fuzz fuzz-all: ## fuzz T=name, fuzz-all: SECONDS (default 600) each, and totals
	+@tests/fuzz/run.sh $(SECONDS) $(if $(filter fuzz,$@),$(T))

reproducible: ; +@tests/reproducible.sh ## reproducible: two builds in two folders, byte by byte
lint: ; @tests/lint/lint.sh ## lint: layers, forbidden functions, format, spelling, keys, reasons
lint-deep: ; +@tests/lint/deep.sh ## lint-deep: gcc -fanalyzer and clang-tidy

size: ## size: bytes of each module on arm64, and what the budget leaves
	+@$(MAKE) V=qemu-arm64 all
	@tests/lint/size.sh build/qemu-arm64
prices: ; +@tests/lint/prices.sh ## prices: what each option of src/options.h costs in bytes

fmt: ; @clang-format -i $$(find src init tests rootfs-skel -name '*.[ch]') ## fmt: clang-format on every C file
setup: ; @tests/setup.sh ## setup: installs what is needed (root), or says what is missing
deps: $(LIBDEPS) ## deps: only fetches and builds what BOARD links
clean: ## clean: removes what was built, keeps downloads and libraries
	@find build -mindepth 1 -maxdepth 1 ! -name cache ! -name deps \
		-exec rm -rf {} +
distclean: ; @rm -rf build ## distclean: removes build/
notices: host ; @src/notices.sh >build/NOTICES ## notices: build/NOTICES, the licences to ship
help: ## help: this list
	@sed -n 's/.*## \([a-z0-9T=, -]*: .*\)/  \1/p' Makefile

-include $(patsubst %.o,%.d,$(OBJ) $(HELPERS)) \
	$(addsuffix .d,$(TESTS) $(FUZZERS)) $B/tests/fuzz/replay.d
