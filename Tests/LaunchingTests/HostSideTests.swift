import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("The files that a start makes on the host")
struct HostSideTests {
  /// Runs a shell command as PID 1 of a guest with a host side, and returns what it printed.
  private func output(_ guest: TestGuest, of command: String, change: (inout Guest) -> Void = { _ in }) throws -> String
  {
    var spec = guest.shell(command)
    change(&spec)
    var facts = try guest.facts(for: spec)
    let host = try HostSide(making: spec, runtime: guest.directory, facts: facts)
    host.complete(&facts)
    return try guest.output(of: plan(spec, facts), handed: host.mounts)
  }

  @Test(
    "the host sees the guest's sockets in unix-export, cannot write there, and the directory is removed with the instance"
  )
  func unixExport() throws {
    let guest = try TestGuest()
    let place = "\(guest.directory)/unix-export/\(guest.name)"
    let command = "echo exported >/run/host/unix-export/a && touch /run/host/x; grep unix-export /proc/self/mountinfo"
    let spec = guest.shell(command)
    var facts = try guest.facts(for: spec)
    var host: HostSide? = try HostSide(making: spec, runtime: guest.directory, facts: facts)
    host?.complete(&facts)
    let text = try guest.output(of: plan(spec, facts), handed: #require(host?.mounts))
    #expect(text.contains("touch: cannot touch '/run/host/x': Read-only file system"), "\(text)")
    #expect(text.contains("rw,nosuid,nodev,noexec,relatime,nosymfollow"), "\(text)")
    #expect(try readFile(place + "/a", limit: 100) == Array("exported\n".utf8))
    #expect(mkdir(place + "/b", 0o700) == -1 && errno == EROFS)
    host = nil
    #expect(access(place, F_OK) == -1)
    #expect(try MountInfo.read().contains { $0.target == place } == false)
    #expect(access("\(guest.directory)/\(guest.name).kmsg", F_OK) == -1)
  }

  @Test("the files that a killed daemon left on the host do not hinder a start, and the next daemon removes them")
  func leftOver() throws {
    let guest = try TestGuest()
    let place = "\(guest.directory)/unix-export/\(guest.name)"
    let spec = guest.shell("")
    let facts = try guest.facts(for: spec)
    // Leaks the value, as if its daemon had been killed: deinit never runs.
    _ = Unmanaged.passRetained(try HostSide(making: spec, runtime: guest.directory, facts: facts))
    #expect(try MountInfo.read().count { $0.target == place } == 1)
    do {
      let again = try HostSide(making: spec, runtime: guest.directory, facts: facts)
      #expect(try MountInfo.read().count { $0.target == place } == 1)
      withExtendedLifetime(again) {}
    }
    _ = Unmanaged.passRetained(try HostSide(making: spec, runtime: guest.directory, facts: facts))
    _ = HostSide(adopting: guest.name, runtime: guest.directory)
    #expect(try MountInfo.read().contains { $0.target == place } == false)
  }

  @Test("only the guest's root user can read the credentials, and nobody can change them")
  func credentials() throws {
    let guest = try TestGuest()
    let command = """
      echo $CREDENTIALS_DIRECTORY; cd $CREDENTIALS_DIRECTORY && ls -lAn . | tail -n +2 | cut -c1-10; od -An -c id
      touch x; grep credentials /proc/self/mountinfo
      """
    let text = try output(guest, of: command) {
      $0.policy.credentials = [Credential("id", .value(Secret([0, 255, 10])))]
    }
    #expect(text.hasPrefix("/run/host/credentials\n-r--------\n  \\0 377  \\n\n"), "\(text)")
    #expect(text.contains("touch: cannot touch 'x': Read-only file system"), "\(text)")
    #expect(text.contains("ro,nosuid,nodev,noexec,relatime,nosymfollow") && text.contains("- ramfs"), "\(text)")
  }

  @Test("a guest without credentials has no directory for them")
  func noCredentials() throws {
    let text = try output(TestGuest(), of: "ls -d /run/host/credentials; echo [$CREDENTIALS_DIRECTORY]")
    #expect(text.hasSuffix("[]\n") && text.contains("No such file"), "\(text)")
  }

  @Test(
    "a guest has a boot ID of its own, reading kernel messages blocks, and mounts on the host propagate to /run/host/incoming"
  )
  func covered() throws {
    let guest = try TestGuest()
    let command = """
      cat /proc/sys/kernel/random/boot_id; timeout 1 cat /proc/kmsg; echo $?; test -e /dev/kmsg || echo none
      grep incoming /proc/self/mountinfo
      """
    let text = try output(guest, of: command)
    let host = String(decoding: try readFile("/proc/sys/kernel/random/boot_id", limit: 100), as: UTF8.self)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.first?.count == 36 && lines.first.map { $0 + "\n" } != host, "\(text)")
    // timeout(1) ended it: it read neither end of file nor an error.
    #expect(lines.dropFirst().prefix(2) == ["124", "none"], "\(text)")
    #expect(try output(guest2(), of: "cat /proc/sys/kernel/random/boot_id") != (lines.first ?? "") + "\n")
    let isShared = try MountInfo.read().last { guest.directory.hasPrefix($0.target) }?.propagation.isEmpty == false
    #expect(!isShared || lines.last?.contains("master:") == true, "\(text)")
  }

  private func guest2() throws -> TestGuest { try TestGuest() }
}
