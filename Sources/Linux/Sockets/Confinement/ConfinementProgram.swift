import CLinux

/// The eBPF programs of a cgroup that keep its sockets from reaching anybody but their own clients.
///
/// | program | what it does |
/// |---|---|
/// | connect, IPv4 and IPv6 | refuses, except UDP to an address from which a datagram came |
/// | sendmsg of UDP, IPv4 and IPv6 | the same |
/// | connect and sendmsg of AF_UNIX datagrams | refuses |
/// | outgoing packets | drops those with a route in the packet (source routing): they go to its first hop, and not to the client |
/// | incoming packets | records the senders of UDP; drops packets to other ports: a guest can turn a connection into a listener at any |
///
/// The kernel calls them before it acts, also for connections that a listener of the cgroup has accepted. It calls none of them when a
/// process sends on such a connection.
struct ConfinementProgram {
  let type: bpf_prog_type
  let attachType: UInt32
  let instructions: [UInt64]

  /// Makes all programs for sockets of IPv4 and IPv6.
  ///
  /// - Parameters:
  ///   - peers: the descriptor of the map of senders of datagrams, which the caller owns; nil when all sockets are TCP listeners.
  ///   - ports: the local ports of the sockets; an empty set allows any port.
  /// - Returns: one program for each attach type.
  static func internet(peers: Int32?, ports: Set<UInt16>) -> [ConfinementProgram] {
    let known4 = peers.map { onlyPeers($0, address: ipv4FromContext) } ?? returning(0)
    let known6 = peers.map { onlyPeers($0, address: ipv6FromContext) } ?? returning(0)
    let sendmsg =
      peers == nil
      ? []
      : [
        ConfinementProgram(BPF_CGROUP_UDP4_SENDMSG.rawValue, known4),
        ConfinementProgram(BPF_CGROUP_UDP6_SENDMSG.rawValue, known6),
      ]
    return [
      ConfinementProgram(BPF_CGROUP_INET4_CONNECT.rawValue, known4),
      ConfinementProgram(BPF_CGROUP_INET6_CONNECT.rawValue, known6),
      ConfinementProgram(
        type: BPF_PROG_TYPE_CGROUP_SKB, attachType: BPF_CGROUP_INET_INGRESS.rawValue,
        instructions: noteSenders(peers, ports: ports)),
      ConfinementProgram(
        type: BPF_PROG_TYPE_CGROUP_SKB, attachType: BPF_CGROUP_INET_EGRESS.rawValue, instructions: onlyDirect),
    ] + sendmsg
  }

  /// The programs for AF_UNIX datagram sockets (Linux 6.7). Stream sockets need none, because a connected one cannot be connected again.
  static var unixDatagrams: [ConfinementProgram] {
    [
      ConfinementProgram(LINUX_BPF_CGROUP_UNIX_CONNECT, returning(0)),
      ConfinementProgram(LINUX_BPF_CGROUP_UNIX_SENDMSG, returning(0)),
    ]
  }

  private init(_ attachType: UInt32, _ instructions: [UInt64]) {
    self.init(type: BPF_PROG_TYPE_CGROUP_SOCK_ADDR, attachType: attachType, instructions: instructions)
  }

  private init(type: bpf_prog_type, attachType: UInt32, instructions: [UInt64]) {
    self.type = type
    self.attachType = attachType
    self.instructions = instructions
  }
}

// The programs build a key of the map of peers at r10 - 24: 16 bytes of address (IPv4 is mapped, ::ffff:a.b.c.d) and 4 bytes with the port.
extension ConfinementProgram {
  /// A program that returns 1 (allow) for UDP to an address in the map, otherwise 0. Its r1 is the context, struct bpf_sock_addr.
  private static func onlyPeers(_ peers: Int32, address: [UInt64]) -> [UInt64] {
    let search =
      address + [
        instruction(0x61, 2, 6, offset: 24),
        instruction(0x63, 10, 2, offset: -8),  // the port, in network byte order
        instruction(0x18, 1, 1, value: UInt64(peers)), 0,
      ] + keyInRegister2 + [
        instruction(0x85, 0, 0, value: 1),  // bpf_map_lookup_elem
        instruction(0x15, 0, 0, offset: 2),  // not found: refuse
      ] + returning(1)
    return [
      instruction(0xbf, 6, 1),
      instruction(0x61, 2, 6, offset: 36),  // the protocol
      instruction(0x55, 2, 0, offset: Int16(search.count), value: 17),  // not UDP: refuse
    ] + search + returning(0)
  }

  private static let ipv4FromContext = [
    instruction(0x7a, 10, 0, offset: -24),
    instruction(0x62, 10, 0, offset: -16, value: 0xffff_0000),
    instruction(0x61, 2, 6, offset: 4),
    instruction(0x63, 10, 2, offset: -12),
  ]

  private static let ipv6FromContext = (0..<4).flatMap { word in
    [instruction(0x61, 2, 6, offset: 8 + 4 * word), instruction(0x63, 10, 2, offset: -24 + 4 * word)]
  }

  /// A program that returns 1 (pass) for a packet to one of `ports`, otherwise 0, and records the sender of a UDP datagram that passes.
  /// Its r1 is the packet (struct __sk_buff), which begins with the IPv4 or IPv6 header.
  private static func noteSenders(_ peers: Int32?, ports: Set<UInt16>) -> [UInt64] {
    // In all parts r6 is the packet. After the IP header was read, r7 is the offset of the ports, and r8 the protocol.
    let update = peers.map(noteSender) ?? []
    // The offset of a jump is the number of instructions that it skips. To drop a packet, a jump skips everything up to the last part.
    let end =
      [instruction(0x55, 8, 0, offset: Int16(update.count), value: 17)]  // not UDP: pass
      + update + returning(1)
    let known = ports.sorted()
    let comparisons = known.enumerated().map { index, port in
      instruction(0x15, 2, 0, offset: Int16(known.count - index), value: UInt64(port.bigEndian))
    }
    let check =
      [instruction(0x69, 2, 10, offset: -6)] + comparisons
      + (known.isEmpty ? [] : [instruction(0x05, 0, 0, offset: Int16(end.count))])
    let loadPorts =
      [instruction(0xbf, 1, 6), instruction(0xbf, 2, 7)] + stackInRegister3(0xffff_fff8)
      + [instruction(0xb7, 4, 0, value: 4), loadBytes]
    let transport = loadPorts + [instruction(0x55, 0, 0, offset: Int16(check.count + end.count))] + check + end
    let ipv6 =
      [
        instruction(0xb7, 7, 0, value: 40),
        instruction(0x71, 8, 10, offset: -58),
        instruction(0x79, 2, 10, offset: -56), instruction(0x7b, 10, 2, offset: -24),
        instruction(0x79, 2, 10, offset: -48), instruction(0x7b, 10, 2, offset: -16),
      ]
    let loadIPv6 =
      [instruction(0xbf, 1, 6), instruction(0xb7, 2, 0)] + stackInRegister3(0xffff_ffc0)
      + [
        instruction(0xb7, 4, 0, value: 40), loadBytes,
        instruction(0x55, 0, 0, offset: Int16(ipv6.count + transport.count)),
      ] + ipv6
    let ipv4 = [
      instruction(0x57, 7, 0, value: 15),
      instruction(0x67, 7, 0, value: 2),
      instruction(0x71, 8, 10, offset: -55),
      instruction(0x7a, 10, 0, offset: -24),
      instruction(0x62, 10, 0, offset: -16, value: 0xffff_0000),
      instruction(0x61, 2, 10, offset: -52),
      instruction(0x63, 10, 2, offset: -12),
      instruction(0x05, 0, 0, offset: Int16(loadIPv6.count)),
    ]
    let afterVersion = ipv4 + loadIPv6 + transport
    return [
      instruction(0xbf, 6, 1),
      instruction(0xb7, 2, 0),
    ] + stackInRegister3(0xffff_ffc0) + [
      instruction(0xb7, 4, 0, value: 20), loadBytes,
      instruction(0x55, 0, 0, offset: Int16(afterVersion.count + 4)),
      instruction(0x71, 7, 10, offset: -64),
      instruction(0xbf, 8, 7),
      instruction(0x77, 8, 0, value: 4),
      instruction(0x55, 8, 0, offset: Int16(ipv4.count), value: 4),
    ] + afterVersion + returning(0)
  }

  /// A program that returns 0 (drop) for a packet of IPv4 with options, or of IPv6 with a routing header (43), otherwise 1. Its r1 is the
  /// packet, as above. Without privileges a process can set no other header of IPv6 before the routing header.
  private static let onlyDirect =
    [instruction(0xb7, 2, 0)] + stackInRegister3(0xffff_ffc0) + [
      instruction(0xb7, 4, 0, value: 8), loadBytes,
      instruction(0x55, 0, 0, offset: 8),  // too short: drop
      instruction(0x71, 2, 10, offset: -64),
      instruction(0x15, 2, 0, offset: 4, value: 0x45),  // IPv4 with a header of 20 bytes: pass
      instruction(0x77, 2, 0, value: 4),
      instruction(0x15, 2, 0, offset: 4, value: 4),  // a longer one: drop
      instruction(0x71, 2, 10, offset: -58),
      instruction(0x15, 2, 0, offset: 2, value: 43),
    ] + returning(1) + returning(0)

  /// Calls bpf_map_update_elem(r1 = the map, r2 = the key, r3 = the value, r4 = BPF_ANY).
  private static func noteSender(_ peers: Int32) -> [UInt64] {
    [
      instruction(0x6a, 10, 0, offset: -6),  // clears the destination port, because the key has only the sender's port
      instruction(0x62, 10, 0, offset: -72),  // the value
      instruction(0x18, 1, 1, value: UInt64(peers)), 0,
    ] + keyInRegister2 + stackInRegister3(0xffff_ffb8) + [
      instruction(0xb7, 4, 0),
      instruction(0x85, 0, 0, value: 2),
    ]
  }

  private static let keyInRegister2 = [instruction(0xbf, 2, 10), instruction(0x07, 2, 0, value: 0xffff_ffe8)]

  /// Calls bpf_skb_load_bytes(r1 = the packet, r2 = the offset, r3 = the target, r4 = the length).
  private static let loadBytes = instruction(0x85, 0, 0, value: 26)

  /// Sets r3 to r10 plus a negative distance in 32-bit two's complement, which the kernel sign-extends.
  private static func stackInRegister3(_ distance: UInt64) -> [UInt64] {
    [instruction(0xbf, 3, 10), instruction(0x07, 3, 0, value: distance)]
  }

  private static func returning(_ value: UInt64) -> [UInt64] {
    [instruction(0xb7, 0, 0, value: value), instruction(0x95, 0, 0)]
  }
}
