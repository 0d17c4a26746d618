import Glibc
import Linux

/// The open memory.reclaim of a guest's cgroup (Linux 5.19), which makes the kernel move the guest's memory to swap or drop it.
public final class MemoryReclaim {
  private let path: String
  private let file: OwnedFD

  /// - Throws: `SystemError`; `ENOENT` without the memory controller, and on older kernels.
  public init(of cgroup: GuestCgroup) throws(SystemError) {
    let path = cgroup.path + "/memory.reclaim"
    file = try Cgroup2.open(path, O_WRONLY)
    self.path = path
  }

  /// Reclaims `bytes` of the guest's memory before it returns.
  ///
  /// - Returns: false when the kernel reclaimed less.
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
  /// Whether the cgroup has the memory controller.
  public var hasMemoryController: Bool { access(path + "/memory.current", F_OK) == 0 }
}
