import Glibc
import Linux
import Planning

extension GuestNamespaces {
  /// Tries whether the mount at `path` can be idmapped to the guest's users.
  ///
  /// - Parameters:
  ///   - path: a path of the host.
  ///   - recursive: whether the mounts below it belong to the guest as well.
  ///   - below: whether the mount is to be a layer of an overlay.
  /// - Returns: how much of it can be mapped: with `recursive` the whole tree, or its top only.
  /// - Throws: `MappingError` when not even the top mount can be mapped.
  public func mapping(
    of path: String, recursive: Bool, belowOverlay below: Bool
  ) throws(MappingError) -> GuestUsers.RootMapping {
    guard let users else { return .none }
    if below, !Self.overlaysTakeMappedLayers {
      throw .refused(refusal(path, "overlays take no mapped layers before Linux 5.19"))
    }
    return try mapping(of: path, by: users, recursive: recursive)
  }

  /// Tries whether the mount at `path`, with `recursive` and those below it, can be idmapped by the user namespace `users`.
  ///
  /// - Returns: how much of it can be mapped.
  /// - Throws: `MappingError` when not even the top mount can be mapped.
  func mapping(
    of path: String, by users: Namespace, recursive: Bool
  ) throws(MappingError) -> GuestUsers.RootMapping {
    if recursive, try canMap(path, by: users, recursive: true) == nil { return .tree }
    if let error = try canMap(path, by: users, recursive: false) {
      throw .refused(refusal(path, error.reason))
    }
    return .top
  }

  /// - Returns: the error with which the kernel always refuses to idmap this mount; nil when it can.
  /// - Throws: `MappingError.system` for any other error, such as ENOMEM.
  private func canMap(
    _ path: String, by users: Namespace, recursive: Bool
  ) throws(MappingError) -> SystemError? {
    do throws(SystemError) {
      try tryMapping(path, by: users.descriptor, recursive: recursive)
      return nil
    } catch {
      // These errors are permanent. A passing one must not count as a refusal: the root's files could be given other owners for good.
      if [EINVAL, EOPNOTSUPP, ENOSYS, EPERM].contains(error.errno) { return error }
      throw .system(error)
    }
  }

  private func refusal(_ path: String, _ reason: String) -> MappingRefusal {
    let text = (try? readFile("/proc/self/mountinfo", limit: 16 << 20)) ?? []
    let mounts = MountInfo.parse(String(decoding: text, as: UTF8.self))
    // Of several mounts at the deepest target, the last one covers the others.
    let type = mounts.filter { $0.target == "/" || path == $0.target || path.hasPrefix($0.target + "/") }
      .max { $0.target.utf8.count < $1.target.utf8.count }?.type
    return MappingRefusal(fileSystem: type ?? "unknown", reason: reason)
  }

  /// Compares the kernel's version. Nothing else tells, short of mounting an overlay.
  private static var overlaysTakeMappedLayers: Bool {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: &name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 19)
  }
}

/// Why a mount cannot be idmapped.
public enum MappingError: Error, Equatable {
  /// The kernel or the file system does not support it.
  case refused(MappingRefusal)
  /// The attempt failed for another reason, such as ENOMEM, and may succeed later.
  case system(SystemError)
}
