import Foundation
import Glibc
import Synchronization

extension World {
  /// Writes `config/NAME.guest`.
  func addGuest(_ name: String, _ text: String) throws {
    try text.write(toFile: "\(config)/\(name).guest", atomically: true, encoding: .utf8)
  }

  func removeGuest(_ name: String) throws {
    try FileManager.default.removeItem(atPath: "\(config)/\(name).guest")
  }

  /// Adds a guest whose PID 1 is tiny-init with `arguments`, in its own root. It starts within milliseconds. `sockets` are the lines of a
  /// `[Socket]` section. `settings` are further sections, which take precedence.
  func addTiny(
    _ name: String, _ sockets: String..., arguments: [String] = ["--ready"], settings: String = ""
  ) throws {
    try addTinyGuest(name, root: try makeTinyRoot(name), sockets.joined(separator: "\n"), arguments, settings: settings)
  }

  /// As `addTiny`, with a root that the caller has made.
  func addTinyGuest(
    _ name: String, root: String, _ sockets: String, _ arguments: [String] = ["--ready"], settings: String = ""
  ) throws {
    try addGuest(
      name,
      """
      [Exec]
      Boot=no
      NotifyReady=yes
      NonBlocking=yes
      Parameters=/sbin/init \(arguments.map { "\"\($0)\"" }.joined(separator: " "))
      [Socket]
      \(sockets)
      [Guest]
      Directory=\(root)
      IdleStopSec=infinity
      TimeoutStartSec=30s
      TimeoutStopSec=30s
      \(settings)
      """)
  }

  /// Adds a Debian guest with an image of `make-guest`, which stays unchanged. The directory `units` becomes its `/etc/systemd/system`. The
  /// default has `hello.socket`; `writeUnits` makes others, and nil keeps that of the image.
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

  /// Writes unit files to a directory of the world, and returns it. Each `.socket` unit is enabled, and the guest is ready only after the
  /// `wanted` units.
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

  /// Makes the root of a tiny guest: the mount points that a guest needs, and tiny-init as `/sbin/init`.
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

/// Copies an executable file by a separate process. A child that another test starts meanwhile would inherit our descriptor, and a file
/// that is open for writing cannot be executed (ETXTBSY).
func copyProgram(_ source: String, to target: String) throws { try require("cp", source, target) }

/// Writes an executable file.
func writeProgram(_ contents: some Collection<UInt8>, to target: String) throws {
  let text = target + ".text"
  try Data(contents).write(to: URL(fileURLWithPath: text))
  chmod(text, 0o755)
  try copyProgram(text, to: target)
  unlink(text)
}

/// The programs, units and images for guests.
enum Payload {
  /// The directory with `tiny-init`, for a bind mount on `/usr/local/bin`.
  static func directory() throws -> String {
    let path = try tinyInit()
    return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
  }

  /// A directory of unit files in `Tests/guests/units`.
  static func units(_ name: String) -> String { "\(Built.source)/Tests/guests/units/\(name)" }

  /// The root of a Debian guest, which is made if it does not exist.
  static func image(_ name: String) throws -> String {
    let path = try require(Built.source + "/Tests/guests/make-guest", name)
    return path.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The compiled `tiny-init`.
  static func tinyInit() throws -> String { try tiny.get() }

  /// The compiled `hostile`, which attempts many things in turn.
  static func hostile() throws -> String { try bad.get() }

  /// The compiled `Tests/hostile/attacks/NAME.c`: a static program, PID 1 of a guest that does one bad thing.
  static func attack(_ name: String) throws -> String {
    try attacks.withLock { compiled in
      if let path = compiled[name] { return path }
      let path = try compile("attack-\(name)", in: "hostile-payload", from: ["hostile/attacks/\(name).c"])
      compiled[name] = path
      return path
    }
  }

  /// Those that were compiled. Two tests that want the same one at once would write one file together.
  private static let attacks = Mutex<[String: String]>([:])

  /// A library for LD_PRELOAD that shifts the wall clock by the number in the file `$CLOCK_JUMP`.
  static func clockJump() throws -> String { try jump.get() }

  private static let jump = Result {
    try compile("jump.so", in: "guest-payload", from: ["guests/jump.c"], as: ["-shared", "-fPIC"])
  }
  private static let tiny = Result { try compile("tiny-init", in: "guest-payload", from: ["guests/tiny-init.c"]) }
  private static let bad = Result {
    let sources = names(in: Built.source + "/Tests/hostile/guest").filter { $0.hasSuffix(".c") }
    return try compile("hostile", in: "hostile-payload", from: sources.map { "hostile/guest/\($0)" })
  }

  /// They are compiled once in each test process.
  private static func compile(
    _ name: String, in directory: String, from sources: [String], as kind: [String] = ["-static"]
  ) throws -> String {
    let directory = "\(Built.directory)/\(directory)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let path = "\(directory)/\(name)"
    let fresh = "\(path).\(getpid())"
    let compiler = try command(
      ["cc"] + kind + ["-Os", "-Wall", "-Wextra", "-Werror", "-o", fresh]
        + sources.map { "\(Built.source)/Tests/\($0)" })
    guard compiler.succeeded else { throw Trouble("\(name): \(compiler.errors)") }
    // Another test process may be executing the old file, which a rename does not affect.
    rename(fresh, path)
    return path
  }
}
