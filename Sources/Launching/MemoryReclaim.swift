import Glibc
import Linux

/// By what a guest's memory is pushed out, opened: memory.reclaim of its cgroup (Linux 5.19).
public final class MemoryReclaim {
  private let path: String
  private let file: OwnedFD

  /// - Throws: `SystemError`; `ENOENT` without the memory controller, and on an older kernel.
  public init(of cgroup: GuestCgroup) throws(SystemError) {
    let path = cgroup.path + "/memory.reclaim"
    file = try Cgroup2.open(path, O_WRONLY)
    self.path = path
  }

  /// Pushes so much of it out, before this returns.
  ///
  /// - Returns: false when there is not so much any more that could be.
  /// - Throws: `SystemError` of write(2).
  public func push(bytes: Int) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try Cgroup2.write("\(bytes)", to: file, path)
      return true
    } catch {
      if error.errno == EAGAIN { return false }
      throw error
    }
  }
}

extension GuestCgroup {
  /// Whether the memory controller is there for it.
  public var hasMemoryController: Bool { access(path + "/memory.current", F_OK) == 0 }
}
