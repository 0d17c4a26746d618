import Glibc
import GuestSpec
import Linux
import Planning

@testable import Launching

/// A guest for one test, with a cgroup of its own. Both are ended when the value is deinitialized.
final class TestGuest {
  let name: String
  let directory: String
  let cgroup: GuestCgroup
  private(set) var process: GuestProcess?

  init() throws {
    var template = Array("/tmp/dormouse-launch-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno: errno) }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    name = String(directory.dropFirst("/tmp/".count)).replacing("dormouse-launch-", with: "test-")
    mkdir(directory + "/staging", 0o755)
    cgroup = try GuestCgroup(making: InstanceName(name, 1), in: CgroupBase.find().path)
  }

  deinit {
    end()
    system("rm -rf --one-file-system '\(directory)'")
  }

  /// Kills all processes and removes the cgroup. May be called more than once.
  func end() {
    try? cgroup.kill()
    while let populated = try? cgroup.isPopulated(), populated {
      if let process { _ = TestGuest.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000) }
      _ = try? process?.reap()
      waitUntilEmpty()
    }
    try? cgroup.remove()
  }

  private func waitUntilEmpty() {
    guard (try? cgroup.isPopulated()) == true else { return }
    _ = TestGuest.wait(cgroup.changes.raw, POLLPRI, milliseconds: 60_000)
  }

  /// A guest that runs `command` in a shell of this host's /usr, in a root that is a tmpfs.
  func shell(_ command: String) -> Guest {
    var guest = Guest(name: name)
    guest.exec.boot = false
    guest.exec.parameters = ["/bin/sh", "-c", command]
    guest.files.volatile = .yes
    guest.policy.directory = "/"
    return guest
  }

  func facts(for guest: Guest) throws -> StartFacts {
    try StartFacts.gather(
      for: guest, staging: directory + "/staging", fallbackMachineID: "0123456789abcdef0123456789abcdef")
  }

  @discardableResult
  func launch(
    _ plan: LaunchPlan, listeners: DescriptorList = DescriptorList(), handed: HandedMounts = HandedMounts(),
    hold: (GuestProcess) throws(SystemError) -> Void = { _ in }
  ) throws -> GuestProcess {
    let namespaces = try GuestNamespaces(users: plan.users, network: plan.network)
    let process = try start(
      plan, listeners: listeners, namespaces: namespaces, handed: handed, cgroup: cgroup, hold: hold)
    self.process = process
    return process
  }

  /// Runs a shell command as PID 1, waits for its end, and returns its console output.
  func output(of command: String, change: (inout Guest) -> Void = { _ in }) throws -> String {
    var guest = shell(command)
    change(&guest)
    return try output(of: plan(guest, facts(for: guest)))
  }

  func output(
    of plan: LaunchPlan, listeners: DescriptorList = DescriptorList(), handed: HandedMounts = HandedMounts()
  ) throws -> String {
    let process = try launch(plan, listeners: listeners, handed: handed)
    let text = try Self.drain(process)
    while try process.reap() == nil { _ = Self.wait(process.pidfd.raw, POLLIN, milliseconds: 60_000) }
    return text
  }

  /// Reads the console until the process has ended.
  static func drain(_ process: GuestProcess) throws -> String {
    guard let console = process.console else { return "" }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      var polled = [
        pollfd(fd: console, events: Int16(POLLIN), revents: 0),
        pollfd(fd: process.pidfd.raw, events: Int16(POLLIN), revents: 0),
      ]
      try retrying("poll") { poll(&polled, 2, 60_000) }
      let count = read(console, &chunk, chunk.count)
      if count > 0 {
        bytes += chunk[..<count]
      } else if polled[1].revents != 0 || polled[0].revents == 0 {
        return String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n")
      }
    }
  }

  @discardableResult
  static func wait(_ descriptor: Int32, _ events: Int32, milliseconds: Int32) -> Bool {
    var polled = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return poll(&polled, 1, milliseconds) > 0
  }
}

extension GuestProcess {
  /// The descriptor number of its console's master; nil after `takeConsole()`.
  var console: Int32? {
    switch master {
    case .some(let master): master.raw
    case .none: nil
    }
  }
}

/// Executes a plan whose process stays in the cgroup that it is made in.
func start(
  _ plan: LaunchPlan, listeners: DescriptorList, namespaces: GuestNamespaces, handed: HandedMounts,
  cgroup: GuestCgroup, hold: (GuestProcess) throws(SystemError) -> Void = { _ in }
) throws(LaunchError) -> GuestProcess {
  try cgroup.restrictDevices(of: plan)
  let waiting = try WaitingLaunch(
    plan, listeners: listeners, namespaces: namespaces, handed: handed, cgroup: cgroup)
  try waiting.execute(in: cgroup, hold)
  return waiting.process
}
