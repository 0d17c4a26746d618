# Dormouse: what a person and the CI call. What runs guests (demo, tests, measurements) needs root, and says so first.

SWIFT ?= swift
# A target that imports another of the package's which Package.swift does not name is no target of ours.
CHECKED = --explicit-target-dependency-import-check error
PREFIX ?= /usr/local
DESTDIR ?=
bindir = $(DESTDIR)$(PREFIX)/bin
sbindir = $(DESTDIR)$(PREFIX)/sbin
unitdir = $(DESTDIR)$(PREFIX)/lib/systemd/system
docdir = $(DESTDIR)$(PREFIX)/share/doc/dormouse
mandir = $(DESTDIR)$(PREFIX)/share/man

# Debian packages: to build, to run the demo besides, to run the tests besides.
BUILD_NEEDS = libc6-dev libsystemd-dev libmnl-dev libseccomp-dev pkg-config
DEMO_NEEDS = $(BUILD_NEEDS) systemd dbus python3
TEST_NEEDS = $(DEMO_NEEDS) gcc systemd-container mmdebstrap debian-archive-keyring iproute2 nftables util-linux strace \
  openssh-client curl groff passwd libnss-systemd

GUESTS = bookworm trixie sid trixie-ssh trixie-users host

FUZZERS = FuzzUnitFile FuzzNotify FuzzNetlink FuzzVarlink

.PHONY: all build demo test vm-test guests storm faults bench interface-report fuzz format format-check size-check import-check install clean

all: build

# What `install` installs, with the Swift runtime inside. It is put aside: the release builds for `storm` and `bench` are without.
build:
	@.ci/need $(BUILD_NEEDS)
	$(SWIFT) build -c release --static-swift-stdlib $(CHECKED)
	@install -D -t .build/programs .build/release/dormouse .build/release/dormoused

# Only the guest needs root: who is not root builds as himself. KEEP=1 leaves the daemon running for curl.
demo:
	@.ci/need $(DEMO_NEEDS)
	$(SWIFT) build
	@$(if $(filter 0,$(shell id -u)),,sudo )examples/hello/demo --bin "$$($(SWIFT) build --show-bin-path)" $(if $(KEEP),--keep)

# The test runner comes last: the closing line is its own.
test: format-check size-check import-check guests
	@.ci/suite $(SWIFT) test --disable-xctest $(CHECKED)

# What needs cgroup 2 with all its controllers, or Debian's kernel: on a virtual machine, by software emulation, one line for each check.
vm-test:
	@.ci/need --root $(TEST_NEEDS) qemu-system-x86 cpio kmod
	$(SWIFT) build
	@Tests/vm/run --bin "$$($(SWIFT) build --show-bin-path)"

# The Debian guests of the tests, kept in /var/cache/dormouse/guests (or $$DORMOUSE_GUESTS).
guests:
	@.ci/need --root $(TEST_NEEDS)
	@Tests/guests/make-guest $(GUESTS)

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

# Every requirement of systemd's Container Interface on every guest; the table is kept in Tests/interface/REPORT.md.
interface-report: guests
	$(SWIFT) build --build-tests
	@SWIFT="$(SWIFT)" Tests/interface/report --bin "$$($(SWIFT) build --show-bin-path)" --out Tests/interface/REPORT.md

# libFuzzer on each decoder of what others send, FUZZ_SECONDS=60 each. What it finds is kept in .build-fuzz/findings.
fuzz:
	@.ci/need $(BUILD_NEEDS)
	@SWIFT="$(SWIFT)" FUZZ_SECONDS="$(FUZZ_SECONDS)" Tests/Fuzz/fuzz $(FUZZERS)

format:
	$(SWIFT) format --in-place -r Package.swift Sources Tests

format-check:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests

# A file that outgrows a screenful or five is two things in one file.
size-check:
	@.ci/sizes

# ARCHITECTURE.md's table against what the sources import.
import-check:
	@.ci/imports

# What `build` built; root need not have Swift.
install:
	@if command -v $(SWIFT) >/dev/null; then $(MAKE) --no-print-directory build; fi
	@[ -x .build/programs/dormoused ] && [ -x .build/programs/dormouse ] || { echo 'dormouse: run make first, with Swift' >&2; exit 1; }
	install -d $(bindir) $(sbindir) $(unitdir) $(docdir)/docs $(docdir)/examples $(mandir)/man1 $(mandir)/man5 $(mandir)/man8
	install -s .build/programs/dormouse $(bindir)/dormouse
	install -s .build/programs/dormoused $(sbindir)/dormoused
	install -m 644 units/dormouse.service units/dormouse@.service $(unitdir)
	install -m 644 man/dormouse.1 $(mandir)/man1
	install -m 644 man/dormouse.guest.5 $(mandir)/man5
	install -m 644 man/dormoused.8 $(mandir)/man8
	install -m 644 README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE $(docdir)
	install -m 644 docs/* $(docdir)/docs
	cp -R examples/. $(docdir)/examples

clean:
	rm -rf .build
