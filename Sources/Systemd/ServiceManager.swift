import Glibc
import Linux

/// The service manager that started this process, which sd_notify(3) messages go to.
///
/// Without one, a notification has no effect and is no error.
public struct ServiceManager: Sendable {
  private let address: SocketAddress?

  /// Whether there is a service manager: `$NOTIFY_SOCKET` was set when this was made.
  public var isListening: Bool { address != nil }

  /// Reads the environment, this once.
  public init() { self.init(at: getenv("NOTIFY_SOCKET").map { String(cString: $0) }) }

  /// - Parameter socket: a path, or `@` and an abstract name; nil when there is no service manager.
  init(at socket: String?) {
    address = socket.map { $0.hasPrefix("@") ? .abstract(String($0.dropFirst())) : .path($0) }
  }

  /// Notifies that the daemon is ready, at first or again after ``reloading()``. `status` is a line of text for a person.
  ///
  /// - Throws: `SystemError` of sendmsg(2), `EAGAIN` when there is no room for the message.
  public func ready(status: String) throws(SystemError) { try send("READY=1\nSTATUS=\(status.harmless)") }

  /// Sets the line of text that `systemctl status` shows.
  ///
  /// - Throws: as ``ready(status:)``.
  public func status(_ status: String) throws(SystemError) { try send("STATUS=\(status.harmless)") }

  /// Notifies that the daemon reads its configuration again; ``ready(status:)`` follows. Type=notify-reload matches the two by the time.
  ///
  /// - Throws: as ``ready(status:)``.
  public func reloading() throws(SystemError) {
    try send("RELOADING=1\nMONOTONIC_USEC=\(Clocks.monotonic.microseconds)")
  }

  /// Notifies that the daemon is stopping.
  ///
  /// - Throws: as ``ready(status:)``.
  public func stopping(status: String) throws(SystemError) { try send("STOPPING=1\nSTATUS=\(status.harmless)") }

  /// Notifies that the event loop is not blocked (`WATCHDOG=1`, sd_notify(3)).
  ///
  /// - Throws: as ``ready(status:)``.
  public func turned() throws(SystemError) { try send("WATCHDOG=1") }

  /// Sets the time without a message after which the service manager ends the daemon as stuck (`WATCHDOG_USEC=`); zero: never.
  ///
  /// - Throws: as ``ready(status:)``.
  public func watch(every timeout: Duration) throws(SystemError) {
    try send("WATCHDOG_USEC=\(timeout.microseconds)")
  }

  /// Puts a descriptor into the service manager's store. The next process of the service gets it under that name, however this one ends.
  ///
  /// The service manager does not reply. It ignores a descriptor that is stored already, or one too many (`FileDescriptorStoreMax=`).
  /// `FDPOLL=0` makes it keep a socket that somebody has shut down, which it would otherwise drop as unusable.
  ///
  /// The descriptor is borrowed; the service manager gets a duplicate.
  /// - Throws: as ``ready(status:)``.
  public func store(_ descriptor: borrowing OwnedFD, named name: String) throws(SystemError) {
    guard let address else { return }
    try sendDatagram(Array("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0".utf8), with: descriptor, to: address)
  }

  /// Removes the descriptors of that name from the store, which closes them there.
  ///
  /// - Throws: as ``ready(status:)``.
  public func unstore(named name: String) throws(SystemError) { try send("FDSTOREREMOVE=1\nFDNAME=\(name)") }

  /// Never blocks. sd_notify(3) blocks while the receiver's queue is full, so that a service manager that hangs would stop the service of
  /// every guest.
  private func send(_ state: String) throws(SystemError) {
    guard let address else { return }
    try sendDatagram(Array(state.utf8), to: address)
  }
}
