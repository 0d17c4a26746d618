/// The rows of the section "Networking".
let networkingRows = [
  Row("NW-1a", .should, "the guest's end of the virtual Ethernet pair is named host0") { seen in
    seen.ofVirtualEthernet(.holds(if: seen.file("/sys/class/net/host0") != nil, else: "/sys does not show it"))
  },
  Row("NW-2a", .should, "the host's end is named ve-NAME, with at most 15 characters") { seen in
    let names = ["ve-", "vb-"].map { $0 + seen.name }
    // A name that would be longer ends in a hash.
    let ends = names.map { $0.utf8.count <= 15 ? $0 : String($0.prefix(11)) }
    let isThere = seen.host.interfaces.contains { interface in ends.contains { interface.hasPrefix($0) } }
    return seen.ofVirtualEthernet(.holds(if: isThere, else: "the host has no \(names[0])"))
  },
  Row("NW-3a", .should, "the guest's interfaces have the same hardware addresses at each start") { seen in
    let address = seen.line("/sys/class/net/host0/address") ?? "none"
    // The manager chose the address if it is a locally administered one: that bit is set, and the multicast bit is not.
    let first = UInt8(address.prefix(2), radix: 16) ?? 1
    return seen.ofVirtualEthernet(.holds(if: first & 3 == 2, else: "host0 has \(address)"))
  },
]
