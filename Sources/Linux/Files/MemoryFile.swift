import CLinux
import Glibc

/// An empty file without a name (memfd_create(2)); `name` is seen in /proc only. It goes with its last descriptor.
///
/// - Throws: `SystemError` of memfd_create(2).
public func memoryFile(_ name: String) throws(SystemError) -> OwnedFD {
  OwnedFD(owning: try retrying("memfd_create \(name)") { linux_memory_file(name) })
}
