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
  let connections = items(of: bytes, as: TCPConnection.init(diagMessage:))
  let someConnections = items(of: half, as: TCPConnection.init(diagMessage:))
  precondition(connections.starts(with: someConnections), "a connection depends on what follows it")
  let sockets = items(of: bytes, as: UnixSocket.init(diagMessage:))
  let someSockets = items(of: half, as: UnixSocket.init(diagMessage:))
  precondition(sockets.starts(with: someSockets), "a socket depends on what follows it")
  var destroyed: [TCPConnection] = []
  var someDestroyed: [TCPConnection] = []
  decodeDestroyed(bytes, into: &destroyed)
  decodeDestroyed(half, into: &someDestroyed)
  precondition(destroyed.starts(with: someDestroyed), "an ended connection depends on what follows it")
  let (links, someLinks) = (items(of: bytes, as: Link.init), items(of: half, as: Link.init))
  precondition(links.starts(with: someLinks), "an interface depends on what follows it")
  let addresses = items(of: bytes, as: InterfaceAddress.init)
  let someAddresses = items(of: half, as: InterfaceAddress.init)
  precondition(addresses.starts(with: someAddresses), "an address depends on what follows it")
}

/// Of any request: the seeds have different sequence numbers.
private func items<Item>(of bytes: UnsafeRawBufferPointer, as item: (UnsafeRawBufferPointer) -> Item?) -> [Item] {
  var items: [Item] = []
  _ = readReply(bytes, sequence: nil) { payload in
    if let found = item(payload) { items.append(found) }
  }
  return items
}
