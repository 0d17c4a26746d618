import Foundation
import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("systemd as PID 1")
struct BootTests {
  /// The roots to boot: this host's own /usr, and the Debian images if they have been made.
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
    "systemd boots as PID 1 without a failed unit, becomes ready, and shuts down at SIGRTMIN+3", arguments: roots,
    [false, true])
  func boots(root: String, isPrivate: Bool) throws {
    let guest = try TestGuest()
    let booted = try BootedGuest(guest, spec(guest, root: root, isPrivate: isPrivate))
    #expect(try booted.run { $0.isReady }, "\(booted.console) \(booted.messages)")
    #expect(try booted.run("systemctl is-system-running --wait; systemctl --failed --no-legend --plain") == "running")
    // The kernel features that sandboxed services need are available in the guest.
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

  @Test("systemd obeys a stop signal that was sent before it was executed", arguments: roots)
  func earlyStop(root: String) throws {
    let guest = try TestGuest()
    let booted = try BootedGuest(guest, spec(guest, root: root, isPrivate: false))
    try booted.process.signal(.realtime(3))
    #expect(try booted.ending() == .killed(signal: SIGINT), "\(booted.console)")
  }
}
