import CLinux
import Glibc

/// Makes an empty file in memory (memfd_create(2)), which is freed with its last descriptor. `name` is visible in /proc only.
///
/// - Throws: `SystemError` of memfd_create(2).
public func memoryFile(_ name: String) throws(SystemError) -> OwnedFD {
  OwnedFD(owning: try retrying("memfd_create \(name)") { linux_memory_file(name) })
}
