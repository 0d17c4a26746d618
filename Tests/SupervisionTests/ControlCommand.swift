import Foundation
import Glibc
import Linux

/// What a program said, and how it ended.
struct CommandResult: Equatable {
  var status: Int32
  var output: String
  var errors: String
}

/// Runs a program to its end, with nothing on its standard input.
///
/// What it says goes to files: Foundation's pipes would be inherited by whatever other tests start meanwhile, and end only with that.
func runCommand(_ arguments: [String]) throws -> CommandResult {
  let tree = try FilesTree()
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  for (number, name) in [(1, "output"), (2, "errors")] as [(Int32, String)] {
    posix_spawn_file_actions_addopen(&actions, number, tree.path(name), O_WRONLY | O_CREAT, 0o600)
  }
  // The threads of a test block most signals.
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

  var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  let environment = ProcessInfo.processInfo.environment
  var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
  defer { for pointer in list + variables { free(pointer) } }
  var pid: pid_t = 0
  let failure = posix_spawn(&pid, arguments[0], &actions, &attributes, &list, &variables)
  guard failure == 0 else { throw SystemError("posix_spawn \(arguments[0])", errno: failure) }
  var status: Int32 = 0
  try retrying("waitpid") { waitpid(pid, &status, 0) }
  func said(_ name: String) throws -> String {
    String(decoding: try readFile(tree.path(name), limit: 1 << 20), as: UTF8.self)
  }
  // As a shell counts.
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
