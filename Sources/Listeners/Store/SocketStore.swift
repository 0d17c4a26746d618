import Linux
import Systemd

/// Keeps the guests' sockets in the service manager's store (`FDSTORE=1` of sd_notify(3)). The service manager passes them to the next
/// daemon, however this one ends.
///
/// Primary sockets are stored that the daemon bound, and standbys. A record that is stored as well says what each of them is
/// (`StoreRecord`). Without a service manager nothing is stored.
///
/// The daemon may be killed between any two messages to the service manager, so their order matters:
///
/// 1. A new record is stored before the sockets that it newly describes, and before a socket is removed that it no longer describes. So no
///    socket of use is ever without a description. A description without a socket does no harm.
/// 2. Two records are stored before the first socket, and the older one is removed just before a new one is stored. A full store drops
///    what it is sent, and nobody is told. Because the records keep two places, there is always room for the next one.
package final class SocketStore {
  private let manager: ServiceManager
  private let report: (SystemError) -> Void
  /// What the next record says.
  private var contents = StoreRecord(generation: 0)
  /// Whether the newest record in the store says it.
  private var isRecorded = true
  /// The generations of the records in the store, oldest first.
  private var records: [UInt64] = []
  /// Sockets that are not stored yet.
  private var unsent: [StoredName: HeldSocket] = [:]
  /// What is to be removed from the store.
  private var unwanted: [StoredName] = []
  private var nextNumber: UInt64 = 1
  private var batches = 0
  private let retry: Retry
  private var failures = ChangeFilter<SystemError>()

  /// - Parameters:
  ///   - manager: the service manager that has the store.
  ///   - timers: let the store send again what found no room in the service manager's queue.
  ///   - report: receives why a message could not be sent, once until that changes.
  package init(_ manager: ServiceManager, _ timers: any Timers, report: @escaping (SystemError) -> Void) {
    self.manager = manager
    retry = Retry(timers, after: .milliseconds(200), accuracy: .milliseconds(50))
    self.report = report
  }

  /// Whether there is a service manager.
  package var isThere: Bool { manager.isListening }

  /// Stores a socket for the next daemon. It is sent once, however often this is called; what could not be sent is sent again.
  func keep(_ socket: HeldSocket, as description: StoredSocket) {
    if !isThere { return }
    describe(socket, description)
    changed()
  }

  /// Removes a socket from the store, because this process closes it and goes on. The socket is shut down first: its address would be in use
  /// until the service manager has closed it.
  package func drop(_ socket: HeldSocket) {
    guard let name = socket.storedAs else { return }
    // A datagram socket cannot be shut down, and the call fails.
    try? shutDown(socket.descriptor)
    socket.storedAs = nil
    remove(name)
    changed()
  }

  /// Replaces `other` by `socket` with one record, so that the next daemon never finds both as the primary of one address.
  func keep(_ socket: HeldSocket, as description: StoredSocket, insteadOf other: HeldSocket) {
    if socket.storedAs == nil { return }
    batch {
      describe(socket, description)
      if let name = other.storedAs { remove(name) }
      other.storedAs = nil
    }
  }

  /// Sends all that changes in `body` together, with one record.
  package func batch<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    batches += 1
    defer {
      batches -= 1
      changed()
    }
    return try body()
  }

  /// Sends what has changed so far, even within a batch: for what has to be stored before anything else happens.
  package func flush() {
    if retry.isPending { return }
    do throws(SystemError) {
      try sendRecords()
      try sendChanges()
      try removeRecords()
      failures.reset()
    } catch {
      if failures.isNew(error) { report(error) }
      // No event tells when there is room. Without a timer, and after any other error, the next message is the next attempt.
      if error.isForWantOfRoom { try? retry.schedule { [unowned self] in flush() } }
    }
  }

  /// Whether every message was sent.
  var hasSentAll: Bool { isRecorded && unsent.isEmpty && unwanted.isEmpty }

  private func changed() {
    if batches == 0 { flush() }
  }

  private func describe(_ socket: HeldSocket, _ description: StoredSocket) {
    let name = socket.storedAs ?? nextName(.socket)
    let section = description.section(keeping: contents.sections[name])
    if socket.storedAs == nil { unsent[name] = socket }
    socket.storedAs = name
    if contents.sections.updateValue(section, forKey: name) != section { isRecorded = false }
  }

  private func remove(_ name: StoredName) {
    if contents.sections.removeValue(forKey: name) != nil { isRecorded = false }
    if unsent.removeValue(forKey: name) == nil { unwanted.append(name) }
  }

  private func nextName(_ kind: StoredName.Kind) -> StoredName {
    defer { nextNumber &+= 1 }
    return StoredName(kind, nextNumber)
  }
}

// What is sent.
extension SocketStore {
  private static let recordCount = 2

  private func sendRecords() throws(SystemError) {
    if records.isEmpty && contents.sections.isEmpty { isRecorded = true }
    if isRecorded && (records.isEmpty || records.count == Self.recordCount) { return }
    isRecorded = false
    repeat {
      if records.count == Self.recordCount, let oldest = records.first {
        try manager.unstore(named: "\(StoredName(.record, oldest))")
        records.removeFirst()
      }
      let name = nextName(.record)
      contents.generation = name.number
      let file = try sealedFile("dormouse-record", Array(contents.text.utf8))
      try manager.store(file, named: "\(name)")
      records.append(name.number)
    } while records.count < Self.recordCount
    isRecorded = true
  }

  private func sendChanges() throws(SystemError) {
    for (name, socket) in unsent.sorted(by: { $0.key < $1.key }) {
      try manager.store(socket.descriptor, named: "\(name)")
      unsent[name] = nil
    }
    while let name = unwanted.first {
      try manager.unstore(named: "\(name)")
      unwanted.removeFirst()
    }
  }

  /// Leaves nothing in the store when there is no socket to describe: systemd keeps a unit loaded for what is in its store.
  private func removeRecords() throws(SystemError) {
    while contents.sections.isEmpty, let oldest = records.first {
      try manager.unstore(named: "\(StoredName(.record, oldest))")
      records.removeFirst()
    }
  }
}

// What an earlier daemon left.
extension SocketStore {
  /// A socket that was in the store.
  package struct Found {
    package let name: StoredName
    package let socket: HeldSocket
    /// What it is; nil when no record says so.
    package let description: StoredSocket?
  }

  /// Goes on with what is in the store. A socket without a description is removed from it.
  ///
  /// - Parameter inventory: everything in the store.
  /// - Returns: every socket. Standbys come last, because each belongs to a primary socket.
  package func takeBack(_ inventory: StoreInventory) -> [Found] {
    nextNumber = (inventory.names.map(\.number).max() ?? 0) &+ 1
    let all = inventory.records.sorted { $0.generation < $1.generation }
    records = all.suffix(Self.recordCount).map(\.generation)
    unwanted += all.dropLast(Self.recordCount).map { StoredName(.record, $0.generation) }
    let left = all.last ?? contents
    contents = left
    contents.version = max(left.version, StoreRecord.version)
    // A newer release has kinds of its own, and finds them again.
    contents.sections = left.sections.filter { inventory.unknown.contains($0.key) }
    unwanted += inventory.unknown.filter { left.sections[$0] == nil }
    let found = inventory.sockets.map { name, socket in
      let section = left.sections[name]
      let description = section.flatMap(StoredSocket.init)
      // Several descriptors may have one name.
      guard let section, let description, description.inode == socket.inode, contents.sections[name] == nil else {
        return Found(name: name, socket: socket, description: nil)
      }
      contents.sections[name] = section
      socket.storedAs = name
      return Found(name: name, socket: socket, description: description)
    }
    let forgotten = found.filter { $0.description == nil }.map(\.name) + inventory.refused.map(\.name)
    unwanted += Set(forgotten).filter { contents.sections[$0] == nil && !isRecord($0) }
    isRecorded = contents.sections == left.sections && contents.version == left.version
    return found.sorted { ($0.isStandby ? 1 : 0, $0.name) < ($1.isStandby ? 1 : 0, $1.name) }
  }

  private func isRecord(_ name: StoredName) -> Bool { name.kind == .record && records.contains(name.number) }
}

extension SocketStore.Found {
  fileprivate var isStandby: Bool { description?.role == .standby }
}
