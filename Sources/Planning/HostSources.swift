import GuestSpec

/// The files that the daemon and the host have for every guest: those that /run/host shows, and the host's device nodes where mknod(2)
/// makes none.
struct HostSources {
  private(set) var osRelease, notifySocket, incoming, kernelMessages, selinux: OpenedSource?
  /// The nodes of `devices`, in that order; none where mknod(2) makes them.
  private(set) var devices: [OpenedSource] = []
  /// Opens all of them.
  private(set) var opening: [Step] = []

  init(_ facts: StartFacts, _ slots: inout Slots) {
    func open(_ source: String, _ attributes: MountFlags = []) -> OpenedSource { slots.open(source, attributes) }
    osRelease = facts.host.osReleaseFile.map { open($0, [.readOnly, .inert]) }
    notifySocket = facts.hostSide.notifySocket.map { open($0) }
    incoming = facts.hostSide.incoming.map { open($0, [.readOnly, .noSetUID]) }
    kernelMessages = facts.hostSide.kernelMessages.map { open($0, .inert) }
    if facts.host.hasSELinux { selinux = open("/sys/fs/selinux", [.readOnly, .noSetUID, .noExecute]) }
    if !facts.host.mayMakeNodes {
      devices = Self.devices.map { open($0.path, [.noSetUID, .noExecute]) }
    }
    opening = [osRelease, notifySocket, incoming, kernelMessages, selinux].compactMap { $0?.opening }
    opening += devices.map(\.opening)
  }

  /// The device nodes of the Container Interface, all with mode 0666.
  static let devices: [(path: String, major: UInt32, minor: UInt32)] = [
    ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8), ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
  ]
}
