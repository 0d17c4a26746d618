import CFuzzer
import Linux

/// Any bytes are an answer of sock_diag or rtnetlink; what is read from a part of it is the beginning of what is read from all of it.
@main enum FuzzNetlink {
  static func main() {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    // The fuzzer's own buffer, which ends where the bytes end: the sanitizer sees a look beyond them.
    _ = LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      tryAnswer(UnsafeRawBufferPointer(start: start, count: count))
      return 0
    }
  }
}

private func tryAnswer(_ bytes: UnsafeRawBufferPointer) {
  let half = UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2))
  var connections: [TCPConnection] = []
  var someConnections: [TCPConnection] = []
  _ = decodeTCPConnections(bytes, into: &connections)
  _ = decodeTCPConnections(half, into: &someConnections)
  precondition(connections.starts(with: someConnections), "a connection depends on what follows it")
  var sockets: [UnixSocket] = []
  var someSockets: [UnixSocket] = []
  _ = decodeUnixSockets(bytes, into: &sockets)
  _ = decodeUnixSockets(half, into: &someSockets)
  precondition(sockets.starts(with: someSockets), "a socket depends on what follows it")
  var destroyed: [TCPConnection] = []
  var someDestroyed: [TCPConnection] = []
  decodeDestroyed(bytes, into: &destroyed)
  decodeDestroyed(half, into: &someDestroyed)
  precondition(destroyed.starts(with: someDestroyed), "a connection that went depends on what follows it")
  let (links, someLinks) = (items(of: bytes, as: Link.init), items(of: half, as: Link.init))
  precondition(links.starts(with: someLinks), "an interface depends on what follows it")
  let addresses = items(of: bytes, as: InterfaceAddress.init)
  let someAddresses = items(of: half, as: InterfaceAddress.init)
  precondition(addresses.starts(with: someAddresses), "an address depends on what follows it")
}

/// The sequence number is that of the seeds.
private func items<Item>(of bytes: UnsafeRawBufferPointer, as item: (UnsafeRawBufferPointer) -> Item?) -> [Item] {
  var items: [Item] = []
  _ = readReply(bytes, sequence: 1) { payload in
    if let found = item(payload) { items.append(found) }
  }
  return items
}
