import Glibc
import GuestSpec
import Linux
import Planning

extension StartFacts {
  /// Reads the facts from the host and the guest's root. The caller adds `listenerNames`, `notifySocket` and what `HostSide` makes.
  ///
  /// `staging` is an existing directory of the host, one for all guests. `fallbackMachineID` is the ID of a guest that has none in its file
  /// and none in its root.
  ///
  /// - Throws: `SystemError` when the root is missing or no directory.
  public static func gather(
    for guest: Guest, staging: String, fallbackMachineID: String
  ) throws(SystemError) -> StartFacts {
    let root = try resolve(guest.rootDirectory)
    // With Volatile=yes the guest does not see the root's /etc.
    let rootID = guest.files.volatile == .yes ? nil : machineID(inRoot: root)
    let wanted = guest.policy.machineID
    // MachineID= comes first, because the guest can write to its root. With Directory=/ the ID in the root is the host's own.
    let id = wanted ?? (root == "/" ? nil : rootID)
    var facts = StartFacts(root: root, staging: try resolve(staging), machineID: id ?? fallbackMachineID)
    facts.identity.hostID = wanted ?? fallbackMachineID
    facts.identity.rootMachineID = rootID
    if guest.exec.boot { facts.rootFiles.systemd = systemdVersion(inRoot: root) }
    facts.host.osReleaseFile = ["/etc/os-release", "/usr/lib/os-release"].first { access($0, R_OK) == 0 }
    if let file = facts.host.osReleaseFile, let text = try? readFile(file, limit: 64 << 10) {
      facts.host.osRelease = HostOSRelease(assignments(in: String(decoding: text, as: UTF8.self)))
    }
    if root != "/" || guest.files.volatile == .yes { facts.rootFiles.findTop(of: guest, root: root) }
    facts.host.mayMakeNodes = canMakeNodes(in: facts.staging)
    facts.host.mayRestrictDevices = Cgroup2.canRestrictDevices
    facts.host.runs32Bit = runs32BitPrograms
    facts.host.capabilities = ownCapabilities()
    facts.host.mayFilterSystemCalls = SystemCallProgram.canBeInstalled
    facts.boundDevices = boundDevices(guest.files.mounts)
    facts.host.hasSELinux = access("/sys/fs/selinux/enforce", F_OK) == 0
    facts.host.limits = hostLimits()
    if let user = guest.exec.process.user { facts.account = try account(user, of: guest, inRoot: root) }
    #if arch(arm64)
      facts.host.architecture = .arm64
    #endif
    facts.identity.bootID = newUUID()
    facts.host.machine = MachineSize.gather()
    facts.etc = HostEtc(for: guest, root: root)
    if facts.rootFiles.missing.directories.contains("etc") { facts.etc.guest.exists = true }
    return facts
  }

  /// The path of a directory, with its symbolic links resolved.
  private static func resolve(_ path: String) throws(SystemError) -> String {
    let directory = try SafePath(path)
    if directory.kind != .directory { throw SystemError("open \(path)", errno: ENOTDIR) }
    return directory.path
  }

  private static func machineID(inRoot root: String) -> String? {
    guard let bytes = try? readFile("/etc/machine-id", inRoot: root, limit: 256) else { return nil }
    let text = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
    let digits = text.filter { $0 != "-" }.lowercased()
    let isID = digits.utf8.count == 32 && digits.allSatisfy(\.isHexDigit) && digits.contains { $0 != "0" }
    return isID ? digits : nil
  }

  /// Looks the user up in the guest's own files: the same name may be another user on the host.
  private static func account(
    _ user: String, of guest: Guest, inRoot root: String
  ) throws(SystemError) -> Account? {
    Account(
      user, passwd: try database("passwd", of: guest, inRoot: root),
      group: try database("group", of: guest, inRoot: root))
  }

  /// The text of the guest's own /etc/NAME; nil when there is none, or when it cannot be read.
  ///
  /// - Throws: `SystemError`; `EFBIG` when it is larger than 1 MiB, so that its entries are not known.
  static func database(_ name: String, of guest: Guest, inRoot root: String) throws(SystemError) -> String? {
    // With Volatile=yes the guest's /etc is empty.
    if guest.files.volatile == .yes { return nil }
    let path = (guest.exec.root.pivot?.new ?? "") + "/etc/" + name
    do throws(SystemError) {
      return String(decoding: try readFile(path, inRoot: root, limit: 1 << 20), as: UTF8.self)
    } catch {
      if error.errno == EFBIG { throw SystemError("read more than 1 MiB of \(path) in \(root)", errno: EFBIG) }
      return nil
    }
  }

  /// Tries mknod(2). In a container, or under a device policy, it may fail even with CAP_MKNOD.
  private static func canMakeNodes(in directory: String) -> Bool {
    let path = "\(directory)/.node"
    unlink(path)
    // /dev/null
    guard mknod(path, S_IFCHR | 0o600, dev_t(1 << 8 | 3)) == 0 else { return false }
    unlink(path)
    return true
  }

  /// The daemon's bounding set: `CapabilityBoundingSet=` of its unit.
  private static func ownCapabilities() -> Capabilities {
    let status = String(decoding: (try? readFile("/proc/self/status", limit: 16 << 10)) ?? [], as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("CapBnd:\t") }
    return line.flatMap { UInt64($0.dropFirst(8), radix: 16) }.map(Capabilities.init(rawValue:)) ?? .all
  }

  /// The device nodes that bind mounts name as their source. Nodes in a directory that is a source do not count.
  private static func boundDevices(_ mounts: [CustomMount]) -> [Device] {
    mounts.compactMap { mount in
      guard case .bind(let source, _, _, _, _, _) = mount,
        let path = try? SafePath(source), let status = try? FileStatus(path.alias, followingLinks: true)
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
  /// Takes the fields from the variables of os-release(5).
  fileprivate init(_ variables: [String: String]) {
    self.init()
    (id, buildID, variantID) = (variables["ID"], variables["BUILD_ID"], variables["VARIANT_ID"])
    versionID = variables["VERSION_ID"]
  }
}
