import CLinux
import Glibc

/// Makes sockets that can only serve clients: whoever has one, or a connection that it accepted, can reach nobody else with it. Such a
/// socket is in the host's network namespace, also when the guest has its own, and connect(2) would otherwise reach the host's network.
///
/// The kernel applies the programs of a cgroup to the sockets that were made in it (`ConfinementProgram`). So a process in a new cgroup
/// makes each socket. The cgroup is removed at once; its programs stay as long as its sockets. This needs CAP_BPF and CAP_NET_ADMIN.
public enum SocketConfinement {
  /// How many senders of datagrams a socket can reply to: the most recent ones.
  static let mostPeers: UInt32 = 4096

  /// Makes a socket for `address`, and does not bind it. A stream or packet socket of AF_UNIX is not confined.
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

  /// The PID and the nanoseconds of the current second, for the name of a cgroup that exists only while one socket is made.
  private static var nextNumber: String { "\(getpid()).\(Clocks.monotonic.components.attoseconds / 1_000_000_000)" }

  private static func attachInternet(
    to cgroup: borrowing OwnedFD, ports: Set<UInt16>, answersDatagrams: Bool
  ) throws(SystemError) {
    // The offset of a jump has 16 bits, so a program cannot compare very many ports. It allows any port then.
    let ports = ports.count > 1000 ? [] : ports
    if answersDatagrams {
      let peers = OwnedFD(owning: try retrying("bpf BPF_MAP_CREATE") { linux_bpf_make_peers(mostPeers) })
      for program in ConfinementProgram.internet(peers: peers.raw, ports: ports) { try attach(program, to: cgroup) }
    } else {
      for program in ConfinementProgram.internet(peers: nil, ports: ports) { try attach(program, to: cgroup) }
    }
  }

  /// Attaches a program, and then detaches the confinement programs of the same attach type that an earlier daemon left.
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

// Whether this host can confine sockets.
extension SocketConfinement {
  /// The kinds of sockets for which the kernel has different programs.
  public enum Kind: Sendable {
    /// TCP and UDP.
    case internet
    /// Datagram sockets of AF_UNIX, which Linux confines since 6.7.
    case unixDatagrams
  }

  /// The error because of which this process cannot confine sockets of a kind; nil when it can. It makes one to find out.
  ///
  /// - Throws: `SystemError` when memory or descriptors are short, so that the answer is not known.
  public static func obstacle(_ kind: Kind) throws(SystemError) -> SystemError? {
    do throws(SystemError) {
      switch kind {
      case .internet: _ = try makeSocket(.stream, .ipv4(.any, port: 0), isConfined: true)
      case .unixDatagrams: _ = try makeSocket(.datagram, .unnamed, isConfined: true)
      }
      return nil
    } catch {
      if error.isForWantOfRoom { throw error }
      return kind == .internet
        ? error : SystemError("confining AF_UNIX datagram sockets (since Linux 6.7)", errno: error.errno)
    }
  }
}

// Sockets that the service manager made: systemd makes those of a socket unit in the unit's cgroup.
extension SocketConfinement {
  /// Confines all sockets that were made in the same cgroup as `socket`, or ends that. It must be the cgroup of a socket unit: any other
  /// has processes, and sockets that are not for the guest.
  ///
  /// - Throws: `SystemError`; `EBUSY` when the socket was made in another cgroup, `ENOENT` when its cgroup is not known, `EOPNOTSUPP` for
  ///   an AF_UNIX datagram socket.
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
