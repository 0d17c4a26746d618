import ControlProtocol
import Foundation
import Glibc
import Linux

/// The running `dormoused` of a world.
final class Daemon {
  let child: Child
  private let errors: String
  private let readiness: NotifySocket

  /// The log of the daemon until now.
  var log: String { text(of: errors) }
  var pid: Int32 { child.pid }

  fileprivate init(child: Child, errors: String, readiness: NotifySocket) {
    self.child = child
    self.errors = errors
    self.readiness = readiness
  }

  convenience init(
    in world: World, arguments: [String], environment: [String: String], under starter: [String] = []
  ) throws {
    let log = world.directory + "/dormoused"
    let readiness = try NotifySocket(world.directory + "/notify")
    let child = try world.start(
      starter + [Built.dormoused, "--config", world.config, "--runtime", world.runtime] + arguments,
      environment: environment.merging(["NOTIFY_SOCKET": readiness.path]) { given, _ in given }, log: log)
    self.init(child: child, errors: log + ".err", readiness: readiness)
  }

  /// Waits for READY=1.
  func waitUntilReady() throws {
    try readiness.waitUntilReady(child)
    readiness.close()
  }

  /// Sends SIGTERM and waits for the end of the daemon.
  func stop() throws -> Child.Ending {
    child.signal(SIGTERM)
    guard let ending = child.wait() else { throw Trouble("dormoused did not end after SIGTERM") }
    return ending
  }

  /// Waits until `condition` is true. It is evaluated whenever the daemon logs something, and every quarter of a second for conditions
  /// that do not depend on the daemon.
  func until(_ what: String, seconds: Double = deadline, _ condition: () throws -> Bool) throws {
    let watch = OwnedFD(owning: try retrying("inotify_init") { inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK)) })
    try retrying("inotify_add_watch") { inotify_add_watch(watch.raw, errors, UInt32(IN_MODIFY)) }
    let end = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
      guard ContinuousClock.now < end else { throw Trouble("did not happen within \(seconds) s: \(what)") }
      guard isReadable(watch.raw, within: 0.25) else { continue }
      var events = [UInt8](repeating: 0, count: 4096)
      _ = read(watch.raw, &events, events.count)
    }
  }

  /// Waits until the log contains `text` after the first `from` characters.
  func waitForLog(_ text: String, seconds: Double = deadline) throws {
    try until("the log contains \"\(text)\"", seconds: seconds) { log.contains(text) }
  }
}

/// The programs under test, which are in the directory of this test bundle.
enum Built {
  static let directory: String = {
    let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)])
  }()
  static var dormoused: String { directory + "/dormoused" }
  static var dormouse: String { directory + "/dormouse" }
  /// The source tree from which they were built.
  static let source = #filePath.components(separatedBy: "/Tests/")[0]
}
