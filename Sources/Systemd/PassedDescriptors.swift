import CSystemd
import Glibc
import Linux

/// The descriptors that the service manager passed to this process (sd_listen_fds(3)), owned until they are taken.
public final class PassedDescriptors {
  private let entries: [Entry]

  /// Takes over the descriptors that the environment lists, and sets close-on-exec on them. It removes the LISTEN_ variables, so that no
  /// child reads them. Call it once, early in `main`, before other threads read the environment.
  ///
  /// - Throws: `SystemError` with `EINVAL` for variables that contradict each other, `EBADF` for a descriptor that is not open.
  public convenience init() throws(SystemError) {
    var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
    let count = sd_listen_fds_with_names(1, &names)
    // systemd 259 and later also set this variable. An older library does not remove it, and a newer one in a child would read it.
    unsetenv("LISTEN_PIDFDID")
    try succeeding("sd_listen_fds_with_names", count)
    defer {
      for index in 0..<Int(count) { free(names?[index]) }
      free(names)
    }
    let words = (0..<Int(count)).map { index in names?[index].map { String(cString: $0) } ?? "" }
    self.init(from: SD_LISTEN_FDS_START, names: words)
  }

  /// Takes over the descriptors from number `first` on, one for each name.
  init(from first: Int32, names: [String]) {
    entries = names.enumerated().map { Entry($1, OwnedFD(owning: first + Int32($0))) }
  }

  /// The name of each descriptor, in the order in which they were passed; `unknown` for one that the service manager did not name.
  public var names: [String] { entries.map(\.name) }

  /// How many descriptors were passed, including those that were taken since.
  public var count: Int { entries.count }

  /// Passes ownership of descriptor `index` to the caller; nil when it was taken before, or was never there. Descriptors that nobody takes
  /// are closed with the list.
  public func take(_ index: Int) -> OwnedFD? { entries.indices.contains(index) ? entries[index].fd.take() : nil }

  private final class Entry {
    let name: String
    var fd: OwnedFD?

    init(_ name: String, _ fd: consuming OwnedFD) {
      self.name = name
      self.fd = consume fd
    }
  }
}
