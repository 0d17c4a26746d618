import Glibc
import GuestSpec
import Linux
import Planning

extension StartFacts {
  /// Looks at the host and at the guest's root. Left to the caller: `listenerNames`, `notifySocket`, `scratch`.
  ///
  /// `staging` is an existing directory of the host, one for all guests; `fallbackMachineID` is for a guest that has none in its
  /// file or its root.
  ///
  /// - Throws: `SystemError` when the root is not there.
  public static func gather(
    for guest: Guest, staging: String, fallbackMachineID: String
  ) throws(SystemError) -> StartFacts {
    let root = try resolve(guest.policy.directory ?? "/var/lib/machines/" + guest.name)
    // The root's own /etc is not what the guest sees then.
    let rootID = guest.files.volatile == .yes ? nil : machineID(inRoot: root)
    let wanted = guest.policy.machineID
    let isOverlaid = guest.files.volatile == .overlay || guest.exec.ephemeral && guest.files.volatile == .no
    // systemd in the guest believes what its root says, so that is what it is called; an overlay can be told otherwise, and
    // over Directory=/ it has to be: that id is this host's.
    let id = isOverlaid ? wanted ?? (root == "/" ? nil : rootID) : rootID ?? wanted
    var facts = StartFacts(root: root, staging: try resolve(staging), machineID: id ?? fallbackMachineID)
    facts.rootMachineID = rootID
    facts.hostOSReleaseFile = ["/etc/os-release", "/usr/lib/os-release"].first { access($0, R_OK) == 0 }
    if let file = facts.hostOSReleaseFile, let text = try? readFile(file, limit: 64 << 10) {
      facts.hostOSRelease = HostOSRelease(assignments(in: String(decoding: text, as: UTF8.self)))
    }
    if guest.files.volatile == .yes { facts.topLevelLinks = topLevelLinks(ofRoot: root) }
    facts.mayMakeNodes = canMakeNodes(in: facts.staging)
    facts.mayRestrictDevices = Cgroup2.canRestrictDevices
    facts.mayFilterSystemCalls = SystemCallProgram.canBeInstalled
    facts.boundDevices = boundDevices(guest.files.mounts)
    facts.hasSELinux = access("/sys/fs/selinux/enforce", F_OK) == 0
    facts.limits = hostLimits()
    if let user = guest.exec.user { facts.account = account(user, of: guest, inRoot: root) }
    #if arch(arm64)
      facts.architecture = .arm64
    #endif
    facts.bootID = newUUID()
    facts.machine = MachineSize.gather()
    facts.etc = HostEtc(for: guest, root: root)
    return facts
  }

  /// realpath(3), for a directory.
  private static func resolve(_ path: String) throws(SystemError) -> String {
    guard let resolved = realpath(path, nil) else { throw SystemError("open \(path)", errno: errno) }
    defer { free(resolved) }
    var status = stat()
    if stat(resolved, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR {
      throw SystemError("open \(path)", errno: ENOTDIR)
    }
    return String(cString: resolved)
  }

  private static func machineID(inRoot root: String) -> String? {
    guard let bytes = try? readFile("/etc/machine-id", inRoot: root, limit: 256) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
    let digits = text.filter { $0 != "-" }.lowercased()
    return digits.utf8.count == 32 && digits.allSatisfy(\.isHexDigit) ? digits : nil
  }

  /// Only the guest's own files count: what this host calls a user is another one there.
  private static func account(_ user: String, of guest: Guest, inRoot root: String) -> Account? {
    Account(
      user, passwd: database("passwd", of: guest, inRoot: root), group: database("group", of: guest, inRoot: root))
  }

  /// The text of the guest's own /etc/NAME; nil when there is none.
  static func database(_ name: String, of guest: Guest, inRoot root: String) -> String? {
    // /etc is empty then.
    if guest.files.volatile == .yes { return nil }
    let path = (guest.exec.pivotRoot?.new ?? "") + "/etc/" + name
    return (try? readFile(path, inRoot: root, limit: 4 << 20)).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func topLevelLinks(ofRoot root: String) -> [TopLevelLink] {
    ["bin", "sbin", "lib", "lib32", "lib64", "libx32"].compactMap { name in
      (try? readLink("\(root)/\(name)")).map { TopLevelLink(name, to: $0) }
    }
  }

  /// A daemon in a container, or below a device policy, may hold CAP_MKNOD and still not use it: only trying tells.
  private static func canMakeNodes(in directory: String) -> Bool {
    let path = "\(directory)/.node"
    unlink(path)
    // /dev/null
    guard mknod(path, S_IFCHR | 0o600, dev_t(1 << 8 | 3)) == 0 else { return false }
    unlink(path)
    return true
  }

  /// A directory of devices is not looked into: only what a line names is meant to be used.
  private static func boundDevices(_ mounts: [CustomMount]) -> [Device] {
    mounts.compactMap { mount in
      guard case .bind(let source, _, _, _, _, _) = mount,
        let status = try? FileStatus(source, followingLinks: true)
      else { return nil }
      switch status.kind {
      case .characterDevice: return Device(.character, status.device.major, status.device.minor)
      case .blockDevice: return Device(.block, status.device.major, status.device.minor)
      case .regular, .directory, .symbolicLink, .fifo, .socket: return nil
      }
    }
  }

  private static func newUUID() -> String? {
    guard let text = try? readFile("/proc/sys/kernel/random/uuid", limit: 64) else { return nil }
    return String(decoding: text.prefix(36), as: UTF8.self)
  }

  private static func hostLimits() -> HostLimits {
    var limits = HostLimits()
    guard let text = try? readFile("/proc/1/limits", limit: 16 << 10) else { return limits }
    for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      func hard(_ name: String) -> UInt64? {
        guard line.hasPrefix(name) else { return nil }
        let fields = line.dropFirst(name.count).split(separator: " ")
        return fields.count < 2 ? nil : fields[1] == "unlimited" ? .max : UInt64(fields[1])
      }
      if let value = hard("Max processes") { limits.processes = value }
      if let value = hard("Max pending signals") { limits.pendingSignals = value }
    }
    if let text = try? readFile("/proc/sys/fs/nr_open", limit: 64),
      let most = UInt64(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
    {
      limits.descriptors = min(limits.descriptors, most)
    }
    return limits
  }
}

extension HostOSRelease {
  /// Of os-release(5).
  fileprivate init(_ variables: [String: String]) {
    self.init()
    (id, buildID, variantID) = (variables["ID"], variables["BUILD_ID"], variables["VARIANT_ID"])
    versionID = variables["VERSION_ID"]
  }
}
