import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("A guest in a user namespace")
struct UserTests {
  private static let base: UInt32 = 0x3000_0000

  /// Runs a shell command as PID 1 of a guest with a user namespace of 65536 IDs, and returns its output.
  private func output(of command: String, change: (inout Guest) -> Void = { _ in }) throws -> String {
    let guest = try TestGuest()
    var spec = guest.shell(command)
    change(&spec)
    return try guest.output(of: plan(spec, facts(guest, spec)))
  }

  private func facts(_ guest: TestGuest, _ spec: Guest) throws -> StartFacts {
    var facts = try guest.facts(for: spec)
    facts.users = GuestUsers(IDMap(base: Self.base, count: 65536), root: .tree)
    return facts
  }

  @Test("PID 1 in a user namespace is root inside, and an unprivileged user outside")
  func ids() throws {
    let text = try output(
      of: "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u:%g / /usr /dev/console")
    let row = "         0  805306368      65536\n"
    #expect(text == "0\n0\n" + row + row + "0:0\n0:0\n0:0\n")
  }

  /// The mount points that PID 1 sees, with type, flags, and whether they are shared.
  private static func table(_ mountinfo: String) -> [String: String] {
    var table: [String: String] = [:]
    for mount in MountInfo.parse(mountinfo) {
      let flags = ["ro", "nosuid", "nodev", "noexec"].filter(mount.options.contains)
      let shared = mount.propagation.contains { $0.hasPrefix("shared:") } ? "shared" : "not shared"
      table[mount.target] = ([mount.type] + flags + [shared]).joined(separator: " ")
    }
    return table
  }

  @Test(
    "a guest in a user namespace has the mounts of any guest, and none of the host's proc", arguments: [false, true])
  func mounts(isPrivate: Bool) throws {
    let text = try output(of: "cat /proc/self/mountinfo; ls -A /run >&2") { $0.network.isPrivate = isPrivate }
    var any = ""
    let guest = try TestGuest()
    any = try guest.output(of: "cat /proc/self/mountinfo; ls -A /run >&2") { $0.network.isPrivate = isPrivate }
    #expect(Self.table(text) == Self.table(any))
    #expect(text.hasSuffix("\nhost\n"), "\(text)")
    #expect(!text.contains("master:"), "\(text)")
  }

  @Test("every file that a launch makes belongs to the guest's root user")
  func owners() throws {
    let text = try output(
      of:
        "stat -c '%u:%g %n' /* /run/host /run/host/* /run/host/inaccessible/* /dev/* /etc/machine-id /tmp/x /proc/1/fd"
    ) {
      $0.exec.boot = true
      $0.exec.parameters = $0.exec.parameters
      $0.exec.boot = false
      $0.files.mounts = [.temporaryFileSystem(path: "/tmp/x", options: "uid=3,gid=4")]
    }
    let foreign = text.split(separator: "\n").filter { !$0.hasPrefix("0:0 ") }
    #expect(
      foreign.sorted() == [
        "3:4 /tmp/x", "65534:65534 /proc", "65534:65534 /run/host/os-release",
      ], "\(text)")
  }

  @Test(
    "a guest in a user namespace can neither remount its read-only mounts, nor unmount them, nor find the host's proc")
  func locked() throws {
    let text = try output(
      of: """
        for m in /usr /sys /run/host; do mount -o remount,rw,bind $m 2>/dev/null && echo $m writable; done
        for m in /usr /sys /run /dev; do umount -l $m 2>/dev/null && echo $m gone; done
        umount -l /proc && ls -A /proc; echo end
        """)
    #expect(text == "end\n")
  }

  @Test("a guest in a user namespace can configure its private network, and cannot configure the host's")
  func network() throws {
    let own = try output(
      of: "ip address add 10.9.8.7/32 dev lo && ls /sys/class/net; echo 1 >/proc/sys/net/ipv4/ip_forward && echo set"
    ) { $0.network.isPrivate = true }
    #expect(own.contains("set\n"), "\(own)")
    #expect(own.contains("lo"), "\(own)")
    let shared = try output(
      of: "ls /sys/class/net | grep -c . ; echo 1 >/proc/sys/net/ipv4/ip_forward; ip address add 10.9.8.7/32 dev lo")
    #expect(!shared.hasPrefix("0\n"))
    #expect(shared.contains("Read-only file system"), "\(shared)")
    #expect(shared.contains("Operation not permitted"), "\(shared)")
  }

  @Test("PID 1 in a user namespace has the capabilities, groups, session and signal masks of any guest's PID 1")
  func status() throws {
    // Not by a shell, which changes its own signal mask.
    let change: (inout Guest) -> Void = {
      $0.exec.parameters = [
        "/bin/grep", "-E", "^(Cap(Inh|Prm|Eff|Bnd|Amb)|Groups|NSpid|NSsid|Sig(Blk|Ign)):", "/proc/self/status",
      ]
      $0.network.isPrivate = true
    }
    let any = try TestGuest().output(of: "", change: change)
    // Without SYS_RESOURCE, which the daemon may lack itself.
    let without = { (text: String) in text.replacing("9decbfff", with: "9cecbfff") }
    #expect(try without(output(of: "", change: change)) == without(any))
  }

  @Test(
    "a launch step that fails before or after the user namespace is entered is named, and leaves no process behind",
    arguments: 0..<3)
  func failures(place: Int) throws {
    let guest = try TestGuest()
    let spec = guest.shell("true")
    var plan = try plan(spec, facts(guest, spec))
    let crossing = try #require(plan.steps.firstIndex { if case .cross = $0 { true } else { false } })
    let unpinning = try #require(plan.steps.firstIndex(of: .unpin))
    plan.steps.insert(.makeLink(path: "/none/x", target: "x"), at: [crossing, crossing + 1, unpinning + 1][place])
    let error = try #require(throws: LaunchError.self) { try guest.launch(plan) }
    #expect(error.description == "linking /none/x to x: No such file or directory")
    #expect(try guest.cgroup.isPopulated() == false)
    #expect(try guest.cgroup.processes() == [])
  }

  @Test("an error names what the entry into the user namespace lacked")
  func crossing() throws {
    let guest = try TestGuest()
    let spec = guest.shell("true")
    let good = try plan(spec, facts(guest, spec))
    let crossing = try #require(good.steps.firstIndex { if case .cross = $0 { true } else { false } })
    // The first slot is no user namespace, and the second pin is no mount point.
    for step in [Step.cross(slot: 0, pin: "/run/.proc"), .cross(slot: 1, pin: "/etc")] {
      var plan = good
      plan.steps[crossing] = step
      let error = try #require(throws: LaunchError.self) { try guest.launch(plan) }
      #expect(error.step == "making PID 1 in the guest's user namespace")
      #expect(try guest.cgroup.processes() == [])
    }
    var plan = good
    plan.steps.insert(.mount(type: "tmpfs", target: "/run/.proc", flags: [], data: "", optional: false), at: crossing)
    let error = try #require(throws: LaunchError.self) { try guest.launch(plan) }
    #expect(error.description == "mounting proc on /proc: Operation not permitted")
    #expect(try guest.cgroup.processes() == [])
  }
}
