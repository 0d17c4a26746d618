import UnitSyntax

extension PlacedListener {
  /// The error of a link-local IPv6 address without an interface. bind(2) needs a scope ID (ipv6(7)).
  var withoutInterface: Diagnostic? {
    guard case .ipv6(let address, _, nil) = listen.address, address.count == 16 else { return nil }
    let isLinkLocal = address[0] == 0xFE && address[1] & 0xC0 == 0x80
    let isOfLink = address[0] == 0xFF && (1...2).contains(address[1] & 0x0F)
    guard isLinkLocal || isOfLink else { return nil }
    let message = "\(listen.asWritten): an address of one link needs the interface; write \(listen.asWritten)%INTERFACE"
    return Diagnostic(file: file, line: line, .error, message)
  }
}
