import Glibc
import Linux

@testable import Listeners
@testable import Systemd

/// A service manager, as far as its notify socket and its store of descriptors go (sd_notify(3)).
final class FakeServiceManager {
  enum Message {
    case store(String, Stored)
    case remove(String)
  }

  /// A descriptor that was sent.
  final class Stored {
    let descriptor: OwnedFD
    private let device: dev_t
    let inode: ino_t

    init(_ descriptor: consuming OwnedFD) throws(SystemError) {
      var status = stat()
      let raw = descriptor.raw
      try retrying("fstat") { fstat(raw, &status) }
      (device, inode) = (status.st_dev, status.st_ino)
      self.descriptor = descriptor
    }

    func isSame(as other: Stored) -> Bool { (device, inode) == (other.device, other.inode) }
  }

  let manager: ServiceManager
  private let path: String
  private var receiver: OwnedFD?

  init() throws {
    path = "/tmp/dormouse-store-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    receiver = try openListener(.datagram, .path(path))
    manager = ServiceManager(at: path)
  }

  deinit { unlink(path) }

  /// Refuses what is sent from now on.
  func close() {
    receiver = nil
    unlink(path)
  }

  /// Takes messages again.
  func open() throws { receiver = try openListener(.datagram, .path(path)) }

  /// Leaves no room for a message, until `messages` is called.
  func fill() throws {
    do throws(SystemError) {
      while true { try manager.status("filler") }
    } catch {
      if error.errno != EAGAIN { throw error }
    }
  }

  /// What was sent about the store since the last call.
  func messages() throws -> [Message] {
    var all: [Message] = []
    while let (text, stored) = try receive() {
      var fields: [String: String] = [:]
      for line in text.split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1)
        fields[String(parts[0])] = String(parts[1])
      }
      guard let name = fields["FDNAME"] else { continue }
      if fields["FDSTORE"] == "1", let stored { all.append(.store(name, stored)) }
      if fields["FDSTOREREMOVE"] == "1" { all.append(.remove(name)) }
    }
    return all
  }

  private func receive() throws -> (String, Stored?)? {
    guard let raw = receiver?.raw else { return nil }
    var bytes = [UInt8](repeating: 0, count: 4096)
    var control = [UInt8](repeating: 0, count: 64)
    var length = 0
    let count = bytes.withUnsafeMutableBytes { bytes in
      control.withUnsafeMutableBytes { control in
        var vector = iovec(iov_base: bytes.baseAddress, iov_len: bytes.count)
        return withUnsafeMutablePointer(to: &vector) { vector in
          var message = msghdr()
          (message.msg_iov, message.msg_iovlen) = (vector, 1)
          (message.msg_control, message.msg_controllen) = (control.baseAddress, control.count)
          let count = recvmsg(raw, &message, Int32(MSG_DONTWAIT) | Int32(MSG_CMSG_CLOEXEC))
          length = Int(message.msg_controllen)
          return count
        }
      }
    }
    if count < 0 { return nil }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    if length == 0 { return (text, nil) }
    let number = control.withUnsafeBytes {
      $0.loadUnaligned(fromByteOffset: MemoryLayout<cmsghdr>.size, as: Int32.self)
    }
    return (text, try Stored(OwnedFD(owning: number)))
  }
}

/// What a service manager's store has in it.
struct FakeStore {
  /// `FileDescriptorStoreMax=`
  var limit = Int.max
  private(set) var entries: [(name: String, stored: FakeServiceManager.Stored)] = []

  mutating func take(_ messages: some Sequence<FakeServiceManager.Message>) {
    for message in messages {
      switch message {
      case .store(let name, let stored):
        if entries.count < limit, !entries.contains(where: { $0.stored.isSame(as: stored) }) {
          entries.append((name, stored))
        }
      case .remove(let name): entries.removeAll { $0.name == name }
      }
    }
  }

  var names: [String] { entries.map(\.name) }

  /// What the next daemon is passed, in no order that it could rely on.
  func inventory() throws -> StoreInventory {
    var inventory = StoreInventory()
    for entry in entries.reversed() {
      if let name = StoredName(entry.name) { inventory.add(try entry.stored.descriptor.duplicate(), named: name) }
    }
    return inventory
  }
}

extension FakeServiceManager.Message: CustomStringConvertible {
  var description: String {
    switch self {
    case .store(let name, _): "+\(name)"
    case .remove(let name): "-\(name)"
    }
  }
}
