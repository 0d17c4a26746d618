import GuestSpec
import Linux

// The cgroup and the scope.
extension InstanceName {
  private static let cgroupSuffix = ".guest"
  private static let scopePrefix = "dormouse-"
  private static let scopeSuffix = ".scope"

  /// The name of the instance's cgroup, `web.3.guest`.
  public var cgroup: String { description + Self.cgroupSuffix }

  /// The name of the instance's scope, `dormouse-web.3.scope`, for a service manager that makes one.
  public var scope: String { Self.scopePrefix + description + Self.scopeSuffix }

  /// The instances that have a scope in `slice`, the directory of a slice's cgroup, and the directories of their cgroups. Includes those
  /// of other daemons.
  ///
  /// - Throws: `SystemError` when the cgroup cannot be listed.
  public static func scopes(in slice: String) throws(SystemError) -> [InstanceName: String] {
    var found: [InstanceName: String] = [:]
    for entry in try directoryEntries(slice) where entry.hasPrefix(scopePrefix) && entry.hasSuffix(scopeSuffix) {
      let text = entry.dropFirst(scopePrefix.count).dropLast(scopeSuffix.count)
      if let name = InstanceName(text) { found[name] = "\(slice)/\(entry)" }
    }
    return found
  }

  /// - Returns: nil when the cgroup of that name is no guest's.
  init?(cgroup: String) {
    guard cgroup.hasSuffix(Self.cgroupSuffix) else { return nil }
    self.init(cgroup.dropLast(Self.cgroupSuffix.count))
  }
}

// The files in the daemon's runtime directory.
extension InstanceName {
  /// A file that an instance has in the daemon's runtime directory. The raw value is the end of its name.
  public enum File: String, CaseIterable, Sendable {
    /// Which cgroup the instance's lies in.
    case record = ".cgroup"
    /// What the instance's network uses of the host.
    case network = ".network"
    /// The network namespace, bound so that it outlives its processes.
    case networkNamespace = ".netns"
    /// The socket that PID 1 sends its notifications to.
    case notifySocket = ".notify"
  }

  /// - Returns: the path of the file, `RUNTIME/web.3.notify` for example.
  public func path(of file: File, in runtime: String) -> String { "\(runtime)/\(self)\(file.rawValue)" }

  /// The instances that have any file in `runtime`, with the kinds of their files.
  ///
  /// - Throws: `SystemError` when the directory cannot be listed.
  public static func files(in runtime: String) throws(SystemError) -> [InstanceName: Set<File>] {
    var found: [InstanceName: Set<File>] = [:]
    for entry in try directoryEntries(runtime) {
      for file in File.allCases where entry.hasSuffix(file.rawValue) {
        if let name = InstanceName(entry.dropLast(file.rawValue.count)) { found[name, default: []].insert(file) }
      }
    }
    return found
  }
}
