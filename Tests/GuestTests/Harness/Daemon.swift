import ControlProtocol
import Foundation
import Glibc
import Linux

/// A running `dormoused` of a world.
final class Daemon {
  let child: Child
  private let errors: String
  private let readiness: NotifySocket

  /// What it logged so far.
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

  /// Returns when READY=1 arrived.
  func waitUntilReady() throws {
    try readiness.waitUntilReady(child)
    readiness.close()
  }

  /// Sends SIGTERM and waits for the end.
  func stop() throws -> Child.Ending {
    child.signal(SIGTERM)
    guard let ending = child.wait() else { throw Trouble("dormoused did not end after SIGTERM") }
    return ending
  }

  /// Waits until `condition` holds. It is looked at again each time the daemon logs something, and each quarter of a second
  /// for what the daemon has no part in.
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

  /// Waits for a line with `text` in the log that was not there when `from` characters had been logged.
  func waitForLog(_ text: String, seconds: Double = deadline) throws {
    try until("the log says \"\(text)\"", seconds: seconds) { log.contains(text) }
  }
}

/// Where the programs under test are: beside this test bundle.
enum Built {
  static let directory: String = {
    let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)])
  }()
  static var dormoused: String { directory + "/dormoused" }
  static var dormouse: String { directory + "/dormouse" }
  /// The checkout this was built from.
  static let source = #filePath.components(separatedBy: "/Tests/")[0]
}
