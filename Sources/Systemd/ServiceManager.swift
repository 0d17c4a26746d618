import Glibc
import Linux

/// The service manager that started us, to be told how we are (sd_notify(3)).
///
/// Without one every message goes nowhere, which is no error.
public struct ServiceManager: Sendable {
  private let address: SocketAddress?

  /// Whether somebody listens: `$NOTIFY_SOCKET` was set when this was made.
  public var isListening: Bool { address != nil }

  /// Looks at the environment, which is not looked at again for it.
  public init() { self.init(at: getenv("NOTIFY_SOCKET").map { String(cString: $0) }) }

  /// - Parameter socket: a path, or `@` and an abstract name; nil when nobody listens.
  init(at socket: String?) {
    address = socket.map { $0.hasPrefix("@") ? .abstract(String($0.dropFirst())) : .path($0) }
  }

  /// We serve from now on, or again after ``reloading()``; `status` is a line for a person.
  ///
  /// - Throws: `SystemError` of sendmsg(2), `EAGAIN` when there is no room for the message.
  public func ready(status: String) throws(SystemError) { try send("READY=1\nSTATUS=\(status.harmless)") }

  /// One line for a person, in `systemctl status`.
  ///
  /// - Throws: as ``ready(status:)``.
  public func status(_ status: String) throws(SystemError) { try send("STATUS=\(status.harmless)") }

  /// We read our configuration again; ``ready(status:)`` follows. The time is what Type=notify-reload pairs the two by.
  ///
  /// - Throws: as ``ready(status:)``.
  public func reloading() throws(SystemError) {
    try send("RELOADING=1\nMONOTONIC_USEC=\(Clocks.monotonic.microseconds)")
  }

  /// We are ending.
  ///
  /// - Throws: as ``ready(status:)``.
  public func stopping(status: String) throws(SystemError) { try send("STOPPING=1\nSTATUS=\(status.harmless)") }

  /// Puts a descriptor into the service manager's store: it is passed to the next process of the service, under that name, however
  /// this one ends. There is no answer; one that is there already, or finds no room (`FileDescriptorStoreMax=`), is passed over.
  ///
  /// It is to be kept whatever its state: a socket that somebody shut down would be taken for one that is of no use any more.
  ///
  /// The descriptor is borrowed; the service manager gets one of its own.
  /// - Throws: as ``ready(status:)``.
  public func store(_ descriptor: borrowing OwnedFD, named name: String) throws(SystemError) {
    guard let address else { return }
    try sendDatagram(Array("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0".utf8), with: descriptor, to: address)
  }

  /// Takes what has that name out of the store, which closes it there.
  ///
  /// - Throws: as ``ready(status:)``.
  public func unstore(named name: String) throws(SystemError) { try send("FDSTOREREMOVE=1\nFDNAME=\(name)") }

  /// Never waits: sd_notify(3) does, for room in the receiver's queue, and a service manager that stands still would then take
  /// every guest with it.
  private func send(_ state: String) throws(SystemError) {
    guard let address else { return }
    try sendDatagram(Array(state.utf8), to: address)
  }
}
