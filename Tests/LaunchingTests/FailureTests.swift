import Glibc
import GuestSpec
import Launching
import Linux
import Planning
import Testing

@Suite("A failing launch step")
struct FailureTests {
  /// Steps of which the last fails, and the text of the error. Before the switch of the root their paths are the host's; they change
  /// no file of it.
  static let failures: [([Step], String)] = [
    ([.newSession, .newSession], "starting a session: Operation not permitted"),
    ([.keepCapabilities([]), .newCgroupNamespace], "making a cgroup namespace: Operation not permitted"),
    ([.actAsRoot(user: .max, group: 0)], "making files as the guest's root, user 4294967295: Operation not permitted"),
    ([.unpin], "unmounting the host's proc: No such process"),
    (
      [open("/usr"), .map(slot: 1, users: 0, source: "/usr", recursive: false)],
      "mapping the owners of the files in /usr to the guest's users: Bad file descriptor"
    ),
    ([.enter(.network, slot: 0)], "entering the guest's network namespace: Bad file descriptor"),
    (
      [.propagate(.slave, path: "/none")],
      "separating the mounts below /none from the host's: No such file or directory"
    ),
    ([open("/none")], "opening /none to bind it: No such file or directory"),
    (
      [open("/usr"), .attach(slot: 1, source: "/usr", target: "/proc/version/x")],
      "binding /usr to /proc/version/x: Not a directory"
    ),
    ([.attachTerminals(target: "/proc/version/pts")], "mounting devpts on /proc/version/pts: Not a directory"),
    (
      [.mount(type: "nonefs", target: "/", flags: [], data: "", optional: false)],
      "mounting nonefs on /: No such device"
    ),
    (
      [.propagate(.slave, path: "/"), .keepCapabilities([]), tmpfs("/dev")],
      "mounting tmpfs on /dev: Operation not permitted"
    ),
    ([.change(path: "/usr/bin", set: .readOnly, recursive: false)], "making /usr/bin read-only: Invalid argument"),
    (
      [.rebind(path: "/none", set: .readOnly, clear: [], optional: false)],
      "making /none read-only: No such file or directory"
    ),
    (
      [.bindOwn(source: "/none", target: "/usr", attributes: [], recursive: false, optional: false)],
      "binding /none of the guest to /usr: No such file or directory"
    ),
    ([.detach(path: "/usr/bin")], "unmounting /usr/bin: Invalid argument"),
    ([.mask(path: "/none", optional: false)], "hiding /none: No such file or directory"),
    ([.switchRoot(staging: "/usr/bin")], "switching the root to /usr/bin: Device or resource busy"),
    (
      [.makeDirectory(path: "/proc/version/x", mode: 0)],
      "making the directory /proc/version/x: Not a directory"
    ),
    ([.makeLink(path: "/none/x", target: "x")], "linking /none/x to x: No such file or directory"),
    ([.makeNode(.file, path: "/usr", mode: 0)], "making the node /usr: File exists"),
    ([.writeFile(path: "/none/x", mode: 0, contents: "")], "writing /none/x: No such file or directory"),
    (
      [.replaceFile(path: "/none/x", mode: 0, contents: [0], keepsLink: false, lenient: false)],
      "writing /none/x: No such file or directory"
    ),
    ([.replaceLink(path: "/none/x", target: "y", lenient: false)], "linking /none/x to y: No such file or directory"),
    ([.remove(path: "/usr")], "removing /usr: Is a directory"),
    (
      [.setHostname(String(repeating: "x", count: 65))],
      "setting the host name \(String(repeating: "x", count: 65)): Invalid argument"
    ),
    ([.keepCapabilities([]), .bringUpLoopback], "bringing up the loopback interface: Operation not permitted"),
    ([.limit(.core, soft: 2, hard: 1)], "setting RLIMIT_CORE: Invalid argument"),
    ([.pivotRoot(new: "/usr/bin", old: nil)], "switching the root to /usr/bin: Device or resource busy"),
    ([.pivotRoot(new: "/usr/bin", old: "/none")], "switching the root to /usr/bin: No such file or directory"),
    ([.setAffinity([8000...8191])], "setting the CPU affinity: Invalid argument"),
    ([.changeDirectory("/none")], "changing to the directory /none: No such file or directory"),
    (
      [.keepCapabilities([]), .becomeUser(account)],
      "becoming the user web: Operation not permitted"
    ),
    (
      [.keepCapabilities([]), .raiseCapabilities(.sysAdmin)], "making capabilities ambient: Operation not permitted"
    ),
    (
      [.keepCapabilities([]), .filterSystemCalls(SystemCallFilter(otherwise: .allow))],
      "filtering system calls: Permission denied"
    ),
    ([.openConsole(path: "/none")], "opening the console /none: No such file or directory"),
    (
      [.keepCapabilities(Capabilities(rawValue: 1)), .keepCapabilities([])],
      "dropping capabilities: Operation not permitted"
    ),
    ([small(slot: 0)], "executing the small init: Permission denied"),
    ([small(slot: 1, arguments: 33)], "executing the small init: Argument list too long"),
    (
      [small(slot: 1), .execute(candidates: ["/none"], namesItself: false)],
      "executing /none: No such file or directory"
    ),
    (
      [.execute(candidates: ["/none/a", "/proc/version/b", "/none/c"], namesItself: true)],
      "executing /none/a, /proc/version/b or /none/c: No such file or directory"
    ),
    ([.execute(candidates: ["/none/a", "/etc"], namesItself: true)], "executing /none/a or /etc: Permission denied"),
    ([], "ending the plan: Exec format error"),
  ]

  private static let account = Account(name: "web", uid: 33, gid: 33, groups: [33], home: "/", shell: nil)

  private static func small(slot: Int, arguments: Int = 1) -> Step {
    .leaveInit(slot: slot, arguments: .init(repeating: "1", count: arguments), environment: [])
  }

  private static func open(_ source: String) -> Step {
    .open(slot: 1, source: source, attributes: [], recursive: false, optional: false)
  }

  private static func tmpfs(_ target: String) -> Step {
    .mount(type: "tmpfs", target: target, flags: [], data: "", optional: false)
  }

  @Test("a launch step that fails is named with the kernel's reason, and leaves no process behind", arguments: failures)
  func named(steps: [Step], words: String) throws {
    let guest = try TestGuest()
    var plan = LaunchPlan()
    plan.steps = steps
    plan.arguments = ["x"]
    plan.slotCount = 2
    if case .leaveInit = steps.first { plan.preloaded.append(.smallInit) }
    let error = try #require(throws: LaunchError.self) { try guest.launch(plan) }
    #expect(error.description == words)
    #expect(try guest.cgroup.isPopulated() == false)
    #expect(try guest.cgroup.processes() == [])
  }

  @Test("a launch into a cgroup that has been removed fails with an error that names the cgroup")
  func noCgroup() throws {
    let guest = try TestGuest()
    try guest.cgroup.remove()
    let error = try #require(throws: LaunchError.self) { try guest.launch(LaunchPlan()) }
    let words = "preparing the guest's cgroup (open \(guest.cgroup.path)/payload): No such file or directory"
    #expect(error.description == words)
  }

  @Test("the daemon's signal mask is the same after a launch as before, whether the launch fails or not")
  func mask() throws {
    let guest = try TestGuest()
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &before)
    #expect(throws: LaunchError.self) { try guest.launch(LaunchPlan()) }
    _ = try guest.output(of: "true")
    var after = sigset_t()
    pthread_sigmask(SIG_BLOCK, nil, &after)
    for signal in Int32(1)...64 { #expect(sigismember(&before, signal) == sigismember(&after, signal)) }
  }
}
