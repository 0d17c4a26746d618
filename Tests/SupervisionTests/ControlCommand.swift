import Foundation
import Glibc
import Linux
import Spawning

/// What a program printed, and how it ended.
struct CommandResult: Equatable {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs a program to its end, with nothing on its standard input.
func runCommand(_ arguments: [String]) throws -> CommandResult {
  let directory = FileManager.default.temporaryDirectory.appending(path: "dormouse-command-\(UUID())").path
  try makeDirectories(directory)
  defer { try? FileManager.default.removeItem(atPath: directory) }
  let pid = try spawn(
    arguments, environment: ProcessInfo.processInfo.environment, output: "\(directory)/output",
    errors: "\(directory)/errors")
  var status: Int32 = 0
  try retrying("waitpid") { waitpid(pid, &status, 0) }
  func said(_ name: String) throws -> String {
    String(decoding: try readFile("\(directory)/\(name)", limit: 1 << 20), as: UTF8.self)
  }
  // As a shell reports a signal.
  let signal = status & 0x7f
  let code = signal == 0 ? status >> 8 & 0xff : 128 + signal
  return CommandResult(status: code, output: try said("output"), errors: try said("errors"))
}

/// The `dormouse` that was built together with these tests.
func dormouse(_ arguments: String...) throws -> CommandResult {
  let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  let directory = own.hasSuffix(".xctest") ? String(own.prefix(through: own.lastIndex(of: "/") ?? own.endIndex)) : nil
  return try runCommand([(directory ?? ".build/debug/") + "dormouse"] + arguments)
}

/// A root with systemd's own Varlink client in it, made by Tests/guests/make-guest.
enum Varlinkctl {
  static let root = (ProcessInfo.processInfo.environment["DORMOUSE_GUESTS"] ?? "/var/cache/dormouse/guests") + "/trixie"

  static var isThere: Bool { getuid() == 0 && access("\(root)/usr/bin/varlinkctl", X_OK) == 0 }

  /// Runs it with `runtime` of the host visible as /mnt; the mount is in a namespace that ends with the program.
  static func run(_ runtime: String, _ arguments: String...) throws -> CommandResult {
    // It connects by way of /proc/self/fd.
    let script = #"""
      mount --bind "$1" "$2/mnt" && mount -t proc proc "$2/proc" && root=$2 && shift 2 && exec chroot "$root" varlinkctl "$@"
      """#
    return try runCommand(["/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, "sh", runtime, root] + arguments)
  }
}
