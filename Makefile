# Dormouse: what a person and the CI call. What runs guests (demo, most tests, measurements) needs root, and says so first.

SWIFT ?= swift
# A target that imports another of the package's which Package.swift does not name is no target of ours.
CHECKED = --explicit-target-dependency-import-check error
# All relocations are done and made read-only at the start, C functions check the size of their buffers, and no directory of ours is
# searched for libraries.
HARDENED = -Xcc -D_FORTIFY_SOURCE=3 -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now \
  --disable-local-rpath -Xswiftc -no-toolchain-stdlib-rpath
PREFIX ?= /usr/local
DESTDIR ?=
bindir = $(DESTDIR)$(PREFIX)/bin
sbindir = $(DESTDIR)$(PREFIX)/sbin
unitdir = $(DESTDIR)$(PREFIX)/lib/systemd/system
catalogdir = $(DESTDIR)$(PREFIX)/lib/systemd/catalog
docdir = $(DESTDIR)$(PREFIX)/share/doc/dormouse
mandir = $(DESTDIR)$(PREFIX)/share/man

# Debian packages: to build, for unit tests besides, to run the demo besides, to run the tests besides.
# g++ has the C++ library, against which Swift's runtime is linked.
BUILD_NEEDS = g++ libc6-dev libsystemd-dev libmnl-dev libseccomp-dev pkg-config
UNIT_NEEDS = $(BUILD_NEEDS) groff-base
DEMO_NEEDS = $(BUILD_NEEDS) systemd dbus python3
TEST_NEEDS = $(DEMO_NEEDS) gcc groff-base systemd-container mmdebstrap debian-archive-keyring iproute2 nftables util-linux strace \
  openssh-client curl passwd libnss-systemd

GUESTS = bookworm trixie sid trixie-ssh trixie-users trixie-inits host

FUZZERS = FuzzUnitFile FuzzNotify FuzzNetlink FuzzVarlink

# What tests need, by test targets and suites. A test target that is named in neither list is a unit test: it needs neither root nor a
# package beyond those of UNIT_NEEDS.
# What works on the kernel, as root:
KERNEL_TESTS = LinuxTests SystemdTests LaunchingTests
# Whole guests, as root, with the roots of `guests`:
GUEST_TESTS = GuestTests SupervisionTests.ControlVarlinkctlTests

# Where each phase of a run records its seconds, for the table at the end of the tests. `.ci/run` sets it, for several calls of make.
ifndef CI_TIMES
export CI_TIMES := $(CURDIR)/.build/times
$(shell rm -f $(CI_TIMES) 2>/dev/null)
endif

# What is built, and what is installed, is one at a time.
.NOTPARALLEL:

.PHONY: all build demo test test-unit test-kernel test-guests vm-test guests hosts long storm faults bench hostile interface-report fuzz format \
  format-check size-check import-check report-check trap-check word-check ci-check install clean

all: build

# What `install` installs, with the Swift runtime inside. It is put aside: the release builds for `storm` and `bench` are without.
build:
	@.ci/need $(BUILD_NEEDS)
	$(SWIFT) build -c release --static-swift-stdlib $(CHECKED) $(HARDENED)
	@.ci/hardened .build/release/dormouse .build/release/dormoused .build/release/dormouse-ask
	@install -D -t .build/programs .build/release/dormouse .build/release/dormoused .build/release/dormouse-ask

# Only the guest needs root: who is not root builds as himself. KEEP=1 leaves the daemon running for curl.
demo:
	@.ci/need $(DEMO_NEEDS)
	@.ci/phase building $(SWIFT) build
	@.ci/phase demo $(if $(filter 0,$(shell id -u)),,sudo )examples/hello/demo --bin "$$($(SWIFT) build --show-bin-path)" $(if $(KEEP),--keep)

# All tests in one run of the test runner, which comes last: the closing line is its own.
test: format-check size-check import-check trap-check word-check report-check ci-check guests
	$(run-tests)

# What needs neither root nor many packages: less than two minutes, once it is built.
test-unit:
	@.ci/need $(UNIT_NEEDS)
	$(run-tests) --skip '$(call tests,$(KERNEL_TESTS) $(GUEST_TESTS))'

# What works on the kernel. It boots this host's own /usr, and the roots of `guests` where they have been made.
test-kernel:
	@.ci/need --root $(TEST_NEEDS)
	$(run-tests) --filter '$(call tests,$(KERNEL_TESTS))'

# Whole guests under a whole daemon.
test-guests: guests
	$(run-tests) --filter '$(call tests,$(GUEST_TESTS))'

# Building is a phase of its own, so that the minutes of testing are those of the tests.
define run-tests
@.ci/phase building $(SWIFT) build --build-tests $(CHECKED)
@.ci/suite $(SWIFT) test --skip-build --disable-xctest
endef

# The regular expression of those tests whose targets or suites are named.
space := $() $()
tests = ^($(subst $(space),|,$(strip $(1))))([./]|$$)

# What needs cgroup 2 with all its controllers, or Debian's kernel: on a virtual machine, by software emulation, one line for each check.
# The lines are kept in Tests/vm/REPORT.md, and those of the hostile tests there in Tests/vm/HOSTILE.md.
vm-test:
	@.ci/need --root $(TEST_NEEDS) qemu-system-x86 cpio kmod
	$(SWIFT) build --build-tests
	@bin="$$($(SWIFT) build --show-bin-path)"; status=0; Tests/vm/run --bin "$$bin" --out Tests/vm/REPORT.md || status=1; \
	  Tests/vm/run --hostile --bin "$$bin" --out Tests/vm/HOSTILE.md || status=1; exit $$status

# The Debian guests of the tests, kept in /var/cache/dormouse/guests (or $$DORMOUSE_GUESTS).
guests:
	@.ci/need --root $(TEST_NEEDS)
	@.ci/phase 'making roots' Tests/guests/make-guest $(GUESTS)

# What takes longer than `test`: an hour, on a quiet machine. Each part writes a report that is headed by the commit and the date, and the
# reports are kept in the repository; `report-check` holds each to the one before. interface-report runs vm-test as a part of it.
# All parts are run, also after one that fails.
long:
	@failed=; for part in interface-report hosts storm faults bench hostile; do $(MAKE) $$part || failed="$$failed $$part"; done; \
	  .ci/reports || failed="$$failed report-check"; [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

# Guests under the installed units, on hosts with systemd 252, 257 and 262; the table is kept in Tests/hosts/REPORT.md.
hosts:
	@.ci/need --root $(TEST_NEEDS) python3
	@.ci/phase 'making roots' Tests/guests/make-guest trixie host host-bookworm host-sid
	$(SWIFT) build
	@Tests/hosts/hosts --bin "$$($(SWIFT) build --show-bin-path)" --out Tests/hosts/REPORT.md

# Clients that connect without pause while guests are frozen, stopped, killed: what is lost, by edge, here and with what there is
# today; kept in Benchmarks/results/storm.txt. STORM="--subjects tiny --edges 50" and the like for a part of it, which is not kept.
STORM ?= --results storm.txt
storm: guests
	$(SWIFT) build -c release
	@Tests/storm/storm --bin "$$($(SWIFT) build -c release --show-bin-path)" $(STORM)

# The same while the kernel refuses the daemon memory, descriptors, processes, room: each third call of each kind, in turn, and
# once more for each while the guest or the daemon ends. Kept in Benchmarks/results/faults.txt.
faults:
	@$(MAKE) --no-print-directory storm \
	  STORM="--subjects tiny:faults,tiny:passed:faults,host:faults --edges 100 --results faults.txt"

# Kept under Benchmarks/results: a cold start, a frozen guest against a warm one, Dormouse against nspawn.
bench: guests
	$(SWIFT) build -c release
	@for what in wake frozen peer; do Benchmarks/$$what --bin "$$($(SWIFT) build -c release --show-bin-path)" || exit; done

# Each attack of Tests/hostile/attacks beside a neighbour: what the neighbour's clients and the daemon's control socket feel of it.
# HOSTILE="--only words" for one of them, which is not kept. Kept in Benchmarks/results/hostile.txt.
hostile:
	@.ci/need --root $(BUILD_NEEDS) gcc python3
	$(SWIFT) build -c release
	@Benchmarks/hostile --bin "$$($(SWIFT) build -c release --show-bin-path)" $(HOSTILE)

# Every requirement of systemd's Container Interface on every guest; the table is kept in Tests/interface/REPORT.md.
interface-report: guests
	$(SWIFT) build --build-tests
	@SWIFT="$(SWIFT)" Tests/interface/report --bin "$$($(SWIFT) build --show-bin-path)" --out Tests/interface/REPORT.md

# libFuzzer on each decoder of what others send: four minutes in all, or FUZZ_TOTAL= seconds, or FUZZ_SECONDS= for each of them. What it
# finds is kept in .build-fuzz/findings.
fuzz:
	@.ci/need $(BUILD_NEEDS)
	@SWIFT="$(SWIFT)" FUZZ_TOTAL="$(FUZZ_TOTAL)" FUZZ_SECONDS="$(FUZZ_SECONDS)" Tests/Fuzz/fuzz $(FUZZERS)

format:
	$(SWIFT) format --in-place -r Package.swift Sources Tests

format-check:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests

# A file that outgrows a screenful or five is two things in one file. A type with many properties, or over many files, is two in one type.
size-check:
	@.ci/sizes
	@.ci/types

# ARCHITECTURE.md's table against what the sources import.
import-check:
	@.ci/imports

# The reports that are kept: none has lost a row, says no, or is of a commit that is not in this one's past.
report-check:
	@.ci/reports

# What can stop the daemon has its reason beside it.
trap-check:
	@.ci/traps

# What the checks say of good and of bad examples.
ci-check:
	@for check in .ci/*-test; do $$check || exit; done

# No name that docs/glossary.md calls old is used.
word-check:
	@.ci/words

# What `build` built; root need not have Swift.
install:
	@if command -v $(SWIFT) >/dev/null; then $(MAKE) --no-print-directory build; fi
	@[ -x .build/programs/dormoused ] && [ -x .build/programs/dormouse ] || { echo 'dormouse: run make first, with Swift' >&2; exit 1; }
	install -d $(bindir) $(sbindir) $(unitdir) $(catalogdir) $(docdir)/docs $(docdir)/examples $(mandir)/man1 $(mandir)/man5 $(mandir)/man8
	install -s .build/programs/dormouse $(bindir)/dormouse
	install -s .build/programs/dormoused $(sbindir)/dormoused
	install -s .build/programs/dormouse-ask $(sbindir)/dormouse-ask
	install -m 644 units/dormouse.service units/dormouse@.service $(unitdir)
	install -m 644 units/dormouse.catalog $(catalogdir)
	install -m 644 man/dormouse.1 $(mandir)/man1
	install -m 644 man/dormouse.guest.5 man/dormoused.conf.5 $(mandir)/man5
	install -m 644 man/dormoused.8 $(mandir)/man8
	install -m 644 README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE $(docdir)
	install -m 644 docs/* $(docdir)/docs
	cp -R examples/. $(docdir)/examples

clean:
	rm -rf .build
