import Linux

/// The descriptors that were in the service manager's store. An earlier daemon left them there, or anybody else who may store descriptors.
package struct StoreInventory {
  /// A descriptor that is not what its name says.
  package struct Refused {
    package let name: StoredName
    /// In words, for the log.
    package let reason: String
  }

  /// In no order.
  private(set) var sockets: [(name: StoredName, socket: HeldSocket)] = []
  /// Those that could be read, in no order.
  private(set) var records: [StoreRecord] = []
  /// Descriptors of kinds that this release does not know. They stay in the store.
  private(set) var unknown: Set<StoredName> = []
  /// Records that cannot be read, and sockets that are none.
  package private(set) var refused: [Refused] = []

  package init() {}

  /// Takes over a descriptor that the service manager passed.
  ///
  /// - Parameters:
  ///   - descriptor: the descriptor.
  ///   - name: its name in the store.
  package mutating func add(_ descriptor: consuming OwnedFD, named name: StoredName) {
    switch name.kind {
    case .socket:
      do throws(SystemError) {
        sockets.append((name, try HeldSocket(descriptor)))
      } catch {
        refused.append(Refused(name: name, reason: "\(error)"))
      }
    case .record:
      do throws(Trouble) {
        records.append(try Self.record(descriptor, name))
      } catch {
        refused.append(Refused(name: name, reason: error.words))
      }
    case .unknown: unknown.insert(name)
    }
  }

  private struct Trouble: Error {
    let words: String
  }

  private static func record(_ file: borrowing OwnedFD, _ name: StoredName) throws(Trouble) -> StoreRecord {
    let bytes: [UInt8]?
    do throws(SystemError) {
      bytes = try insisting { () throws(SystemError) in try readSealedFile(file, limit: StoreRecord.sizeLimit) }
    } catch {
      throw Trouble(words: "\(error)")
    }
    guard let bytes else { throw Trouble(words: "it is not sealed: whoever has it could change it") }
    let record: StoreRecord
    do throws(StoreRecord.Refusal) { record = try StoreRecord(bytes) } catch { throw Trouble(words: "\(error)") }
    guard record.generation == name.number else {
      throw Trouble(words: "it says that its number is \(record.generation)")
    }
    return record
  }

  /// Every name that is in use.
  var names: [StoredName] {
    sockets.map(\.name) + records.map { StoredName(.record, $0.generation) } + unknown + refused.map(\.name)
  }
}
