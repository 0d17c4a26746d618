import Foundation
import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("A whole systemd")
struct BootTests {
  /// Roots to boot: this host's own /usr, and the Debian images where they have been made.
  static let roots: [String] =
    ["/"]
    + ["bookworm", "trixie", "sid"].map { "\(images)/\($0)" }
    .filter { access($0 + "/usr/lib/systemd/systemd", X_OK) == 0 }

  private static let images = ProcessInfo.processInfo.environment["DORMOUSE_GUESTS"] ?? "/var/cache/dormouse/guests"

  private func spec(_ guest: TestGuest, root: String, isPrivate: Bool) -> Guest {
    var spec = Guest(name: guest.name)
    spec.policy.directory = root
    spec.files.volatile = root == "/" ? .yes : .overlay
    spec.network.isPrivate = isPrivate
    return spec
  }

  @Test(
    "boots until it is ready, has no failed unit, and SIGRTMIN+3 shuts it down", arguments: roots,
    [false, true])
  func boots(root: String, isPrivate: Bool) throws {
    let guest = try TestGuest()
    let booted = try BootedGuest(guest, spec(guest, root: root, isPrivate: isPrivate))
    #expect(try booted.run { $0.isReady }, "\(booted.console) \(booted.messages)")
    #expect(try booted.run("systemctl is-system-running --wait; systemctl --failed --no-legend --plain") == "running")
    // What services ask of the kernel in their sandboxes is there.
    let sandbox = "PrivateDevices=yes PrivateTmp=yes ProtectSystem=strict InaccessiblePaths=/etc/passwd"
    let options = sandbox.split(separator: " ").map { "-p \($0)" }.joined(separator: " ")
    #expect(try booted.run("systemd-run --quiet --wait \(options) test -c /dev/null && echo done") == "done")
    #expect(
      try booted.run("systemctl is-active systemd-udevd.service getty@tty1.service; ls -d /dev/kmsg /dev/tty?*")
        .hasPrefix("inactive\ninactive\nls: cannot"))
    #expect(try booted.run("cat /run/systemd/container; echo hi >/dev/console && echo printed") == "dormouse\nprinted")
    try booted.process.signal(.realtime(3))
    #expect(try booted.ending() == .killed(signal: SIGINT), "\(booted.console)")
  }

  @Test("a stop that is asked for before systemd has begun is honoured", arguments: roots)
  func earlyStop(root: String) throws {
    let guest = try TestGuest()
    let booted = try BootedGuest(guest, spec(guest, root: root, isPrivate: false))
    try booted.process.signal(.realtime(3))
    #expect(try booted.ending() == .killed(signal: SIGINT), "\(booted.console)")
  }
}
