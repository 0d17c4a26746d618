import Foundation
import Glibc

extension World {
  /// Writes `config/NAME.guest`.
  func addGuest(_ name: String, _ text: String) throws {
    try text.write(toFile: "\(config)/\(name).guest", atomically: true, encoding: .utf8)
  }

  func removeGuest(_ name: String) throws {
    try FileManager.default.removeItem(atPath: "\(config)/\(name).guest")
  }

  /// A guest whose PID 1 is tiny-init with `arguments`, with a root of its own: starts in milliseconds. `sockets` are the
  /// lines of one `[Socket]` section, `settings` more lines with section headers of their own; what they set counts.
  func addTiny(
    _ name: String, _ sockets: String..., arguments: [String] = ["--ready"], settings: String = ""
  ) throws {
    let root = try makeTinyRoot(name)
    try addGuest(
      name,
      """
      [Exec]
      Boot=no
      NotifyReady=yes
      Parameters=/sbin/init \(arguments.map { "\"\($0)\"" }.joined(separator: " "))
      [Socket]
      \(sockets.joined(separator: "\n"))
      [Guest]
      Directory=\(root)
      IdleStopSec=infinity
      TimeoutStartSec=30s
      TimeoutStopSec=30s
      \(settings)
      """)
  }

  /// A Debian guest from its cached image (a name that `make-guest` knows), which stays as it is. The directory `units` is
  /// its `/etc/systemd/system`: by default the one with `hello.socket`; `writeUnits` makes others, and nil leaves the image's.
  func addDebian(
    _ name: String, image: String, units: String? = Payload.units("hello"), _ sockets: String..., settings: String = ""
  ) throws {
    try addGuest(
      name,
      """
      [Exec]
      Boot=yes
      [Files]
      Volatile=overlay
      \(units.map { "BindReadOnly=\($0):/etc/systemd/system" } ?? "")
      BindReadOnly=\(try Payload.directory()):/usr/local/bin
      [Socket]
      \(sockets.joined(separator: "\n"))
      [Guest]
      Directory=\(try Payload.image(image))
      IdleStopSec=infinity
      \(settings)
      """)
  }

  /// Writes unit files to a directory of the world, enables each `.socket` among them and what is `wanted` before the guest is ready;
  /// returns the directory.
  func writeUnits(_ units: [String: String], wanted: [String: String] = [:]) throws -> String {
    let directory = "\(self.directory)/units-\(names(in: self.directory).count)"
    let wants = (sockets: directory + "/sockets.target.wants", others: directory + "/multi-user.target.wants")
    for path in [wants.sockets, wants.others] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    for (name, text) in units.merging(wanted, uniquingKeysWith: { own, _ in own }) {
      try text.write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8)
      if name.hasSuffix(".socket") { symlink("../\(name)", "\(wants.sockets)/\(name)") }
    }
    for name in wanted.keys { symlink("../\(name)", "\(wants.others)/\(name)") }
    return directory
  }

  /// The root of a tiny guest: the mount points that a container needs, and tiny-init as `/sbin/init`.
  func makeTinyRoot(_ name: String) throws -> String {
    let root = "\(directory)/root-\(name)"
    for place in ["sbin", "proc", "sys", "dev", "run", "tmp", "etc", "var"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(place)", withIntermediateDirectories: true)
    }
    let initial = root + "/sbin/init"
    if access(initial, F_OK) != 0 { try copyProgram(try Payload.tinyInit(), to: initial) }
    return root
  }
}

/// Copies a file that is to be executed, by a process of its own: a child that another test starts meanwhile would hold our descriptor
/// for writing, and a file that is open for writing cannot be executed (ETXTBSY).
func copyProgram(_ source: String, to target: String) throws { try require("cp", source, target) }

/// Writes a file that is to be executed.
func writeProgram(_ contents: some Collection<UInt8>, to target: String) throws {
  let text = target + ".text"
  try Data(contents).write(to: URL(fileURLWithPath: text))
  chmod(text, 0o755)
  try copyProgram(text, to: target)
  unlink(text)
}

/// What guests are made of.
enum Payload {
  /// The directory with `tiny-init`, to be bound over `/usr/local/bin`.
  static func directory() throws -> String {
    let path = try tinyInit()
    return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
  }

  /// A directory of unit files in `Tests/guests/units`.
  static func units(_ name: String) -> String { "\(Built.source)/Tests/guests/units/\(name)" }

  /// The root of a Debian guest, made when it is not there yet.
  static func image(_ name: String) throws -> String {
    let path = try require(Built.source + "/Tests/guests/make-guest", name)
    return path.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The compiled `tiny-init`.
  static func tinyInit() throws -> String { try tiny.get() }

  /// The compiled `hostile`.
  static func hostile() throws -> String { try bad.get() }

  /// A library for LD_PRELOAD: the daemon's wall clock is wrong by what the file at `$CLOCK_JUMP` says.
  static func clockJump() throws -> String { try jump.get() }

  private static let jump = Result {
    try compile("jump.so", in: "guest-payload", from: ["jump.c"], as: ["-shared", "-fPIC"])
  }
  private static let tiny = Result { try compile("tiny-init", in: "guest-payload", from: ["tiny-init.c"]) }
  private static let bad = Result {
    let sources = names(in: Built.source + "/Tests/guests/hostile").filter { $0.hasSuffix(".c") }
    return try compile("hostile", in: "hostile-payload", from: sources.map { "hostile/\($0)" })
  }

  /// Once in a test run.
  private static func compile(
    _ name: String, in directory: String, from sources: [String], as kind: [String] = ["-static"]
  ) throws -> String {
    let directory = "\(Built.directory)/\(directory)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let path = "\(directory)/\(name)"
    let fresh = "\(path).\(getpid())"
    let compiler = try command(
      ["cc"] + kind + ["-Os", "-Wall", "-Wextra", "-Werror", "-o", fresh]
        + sources.map { "\(Built.source)/Tests/guests/\($0)" })
    guard compiler.succeeded else { throw Trouble("\(name): \(compiler.errors)") }
    // Another run of the tests that is under way may be executing the old one: a rename leaves it alone.
    rename(fresh, path)
    return path
  }
}
