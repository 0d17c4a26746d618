import Linux

/// The name of one life of a guest: the guest's name and the number of the instance, `web.3`.
///
/// The cgroup, the scope and the files in the daemon's runtime directory have names that derive from this one, here and nowhere else. No
/// name is used twice, so what a killed daemon left behind never belongs to a later instance by mistake.
public struct InstanceName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The guest's name, which its machine ID, its hostname and its entry with systemd-machined keep.
  public let guest: String
  /// `InstanceNumbers` chooses it.
  public let number: UInt32

  public init(_ guest: String, _ number: UInt32) {
    self.guest = guest
    self.number = number
  }

  /// Reads what `description` writes. A guest's name may contain dots, so the number follows the last one.
  ///
  /// - Returns: nil for any other text, a number with a sign or with leading zeros included: one instance has one spelling.
  public init?(_ text: some StringProtocol) {
    guard let dot = text.lastIndex(of: "."), let number = UInt32(text[text.index(after: dot)...]) else { return nil }
    self.init(String(text[..<dot]), number)
    if guest.isEmpty || description != text { return nil }
  }

  /// `web.3`.
  public var description: String { "\(guest).\(number)" }

  /// Sorts the instances of a guest from the oldest to the newest.
  public static func < (one: InstanceName, other: InstanceName) -> Bool {
    (one.guest, one.number) < (other.guest, other.number)
  }
}

// The cgroup and the scope.
extension InstanceName {
  private static let cgroupSuffix = ".guest"

  /// The name of the instance's cgroup, `web.3.guest`.
  public var cgroup: String { description + Self.cgroupSuffix }

  /// The name of the instance's scope, `dormouse-web.3.scope`, for a service manager that makes one.
  public var scope: String { "dormouse-\(description).scope" }

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
