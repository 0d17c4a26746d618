import CLinux
import Glibc

/// Makes sockets that can serve, and nothing else: whoever has one, or a connection that it accepted, cannot reach others by it. The socket
/// of a guest with a network of its own is in the host's network, and connect(2) would lead there.
///
/// The kernel applies the programs of a cgroup to the sockets that were made in it (`ConfinementProgram`). So each is made by a process in a
/// new cgroup, which is removed at once: its programs stay as long as its sockets. It needs CAP_BPF and CAP_NET_ADMIN.
public enum SocketConfinement {
  /// How many senders of datagrams a socket can answer, the last ones.
  static let mostPeers: UInt32 = 4096

  /// Makes a socket for `address`, not bound.
  ///
  /// - Throws: `SystemError` of mkdir(2), bpf(2), clone3(2) or socket(2).
  static func socket(
    _ kind: SocketKind, _ address: SocketAddress, _ type: Int32, protocol: Int32
  ) throws(SystemError) -> OwnedFD {
    let family = address.family
    let path = try "\(Cgroup2.ownDirectory())/socket-\(nextNumber)"
    try retrying("mkdir \(path)") { mkdir(path, 0o700) }
    defer { rmdir(path) }
    let cgroup = try Cgroup2.open(path, O_RDONLY | O_DIRECTORY)
    if family == AF_UNIX {
      for program in ConfinementProgram.unixDatagrams { try attach(program, to: cgroup) }
    } else {
      let ports: Set<UInt16> = address.port.map { $0 == 0 ? [] : [$0] } ?? []
      try attachInternet(to: cgroup, ports: ports, answersDatagrams: kind == .datagram)
    }
    let raw = cgroup.raw
    return OwnedFD(
      owning: try retrying("socket for \(address)") { linux_socket_in_cgroup(raw, family, type, `protocol`) })
  }

  /// Unique among what this process has at one time; a process that had the same number is gone.
  private static var nextNumber: String { "\(getpid()).\(Clocks.monotonic.components.attoseconds / 1_000_000_000)" }

  private static func attachInternet(
    to cgroup: borrowing OwnedFD, ports: Set<UInt16>, answersDatagrams: Bool
  ) throws(SystemError) {
    // A jump of a program is not longer than 32,767 instructions.
    let ports = ports.count > 1000 ? [] : ports
    if answersDatagrams {
      let peers = OwnedFD(owning: try retrying("bpf BPF_MAP_CREATE") { linux_bpf_make_peers(mostPeers) })
      for program in ConfinementProgram.internet(peers: peers.raw, ports: ports) { try attach(program, to: cgroup) }
    } else {
      for program in ConfinementProgram.internet(peers: nil, ports: ports) { try attach(program, to: cgroup) }
    }
  }

  /// Attaches a program, and then detaches those of earlier daemons.
  private static func attach(_ program: ConfinementProgram, to cgroup: borrowing OwnedFD) throws(SystemError) {
    let loaded = try load(program)
    let raw = cgroup.raw
    try retrying("bpf BPF_PROG_ATTACH") { linux_bpf_attach(raw, loaded.raw, program.attachType) }
    detachAll(program.attachType, of: cgroup, but: linux_bpf_program_id(loaded.raw))
  }

  private static func detachAll(_ attachType: UInt32, of cgroup: borrowing OwnedFD, but kept: UInt32 = 0) {
    let raw = cgroup.raw
    while true {
      let found = linux_bpf_find_confinement(raw, attachType, kept)
      if found < 0 { return }
      let program = OwnedFD(owning: found)
      if linux_bpf_detach(raw, program.raw, attachType) != 0 { return }
    }
  }

  private static func load(_ program: ConfinementProgram) throws(SystemError) -> OwnedFD {
    let (type, code) = (UInt32(program.type.rawValue), program.instructions)
    return OwnedFD(
      owning: try retrying("bpf BPF_PROG_LOAD") {
        linux_bpf_load_confinement(type, program.attachType, code, UInt32(code.count))
      })
  }
}

// Where it can be had.
extension SocketConfinement {
  /// Why this process cannot confine the sockets that it makes for these kinds of addresses; nil when it can.
  ///
  /// - Throws: `SystemError` for want of memory or descriptors: it is not known.
  public static func obstacle(internet: Bool, unixDatagrams: Bool) throws(SystemError) -> SystemError? {
    do throws(SystemError) {
      if internet { _ = try makeSocket(.stream, .ipv4(.any, port: 0), isConfined: true) }
      if unixDatagrams { _ = try makeSocket(.datagram, .unnamed, isConfined: true) }
      return nil
    } catch {
      if error.isForWantOfRoom { throw error }
      return error
    }
  }
}

// The sockets of a service manager, which makes those of each socket unit in the unit's cgroup.
extension SocketConfinement {
  /// Confines the sockets that were made in one cgroup with `socket`, or lifts that. It must be the cgroup of a socket unit: in another there
  /// are processes, and sockets that are not the guest's.
  ///
  /// - Throws: `SystemError`; `EBUSY` when the socket was made elsewhere.
  public static func setConfined(
    _ wanted: Bool, unitOf socket: borrowing OwnedFD, _ diag: SockDiag
  ) throws(SystemError) {
    let (kind, address) = (try kind(of: socket), try localAddress(of: socket))
    if address.family == AF_UNIX {
      if kind != .datagram || !wanted { return }
      throw SystemError("confine the service manager's socket \(address)", errno: EOPNOTSUPP)
    }
    let inode = try inode(of: socket)
    let bound = try diag.boundSockets()
    guard let number = bound.first(where: { $0.inode == inode })?.cgroup else {
      throw SystemError("find the cgroup of the socket \(address)", errno: ENOENT)
    }
    let root = try Cgroup2.open(Cgroup2.rootDirectory())
    let rootNumber = root.raw
    let cgroup = OwnedFD(
      owning: try retrying("open the cgroup of the socket \(address)") { linux_open_cgroup(rootNumber, number) })
    let path = try readLink("/proc/self/fd/\(cgroup.raw)")
    guard path.hasSuffix(".socket") else {
      if !wanted { return }
      throw SystemError("confine the socket \(address), which was made in \(path)", errno: EBUSY)
    }
    if wanted {
      let ports = Set(bound.filter { $0.cgroup == number }.map(\.port))
      try attachInternet(to: cgroup, ports: ports, answersDatagrams: true)
    } else {
      for program in ConfinementProgram.internet(peers: -1, ports: []) { detachAll(program.attachType, of: cgroup) }
    }
  }
}
