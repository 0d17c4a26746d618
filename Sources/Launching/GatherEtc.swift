import Glibc
import GuestSpec
import Linux
import Planning

extension HostEtc {
  /// Larger than any of these files is in practice.
  private static let limit = 64 << 10

  /// Reads what `Timezone=` and `ResolvConf=` need, on the host and in the guest's `root`. An unreadable file counts as missing.
  init(for guest: Guest, root: String) {
    self.init()
    timezone = Self.hostTimezone()
    if [.copy, .auto].contains(guest.exec.integration.timezone) {
      localtime = try? readFile("/etc/localtime", limit: Self.limit)
    }
    for path in guest.exec.integration.resolvConf.candidates {
      guard let contents = try? readRegularFile(path, limit: Self.limit) else { continue }
      resolvConf = HostFile(path: path, contents: contents)
      break
    }
    // The guest gets an empty /etc at each start.
    if guest.files.volatile == .yes {
      self.guest.exists = true
    } else {
      self.guest.exists = Self.stat("/etc", root)?.kind == .directory
      self.guest.localtime = Self.entry("/etc/localtime", root)
      self.guest.resolvConf = Self.entry("/etc/resolv.conf", root)
    }
    self.guest.hasTimezone =
      timezone.map { Self.stat("/usr/share/zoneinfo/" + $0, root)?.kind == .regular } ?? false
  }

  /// The time zone that /etc/localtime links to. Without the file it is UTC (localtime(5)).
  private static func hostTimezone() -> String? {
    let text: String
    do throws(SystemError) {
      text = try readLink("/etc/localtime")
    } catch {
      return error.errno == ENOENT ? "UTC" : nil
    }
    for prefix in ["/usr/share/zoneinfo/", "../usr/share/zoneinfo/"] where text.hasPrefix(prefix) {
      let zone = String(text.dropFirst(prefix.count))
      return isZone(zone) ? zone : nil
    }
    return nil
  }

  /// Whether `text` is a path below /usr/share/zoneinfo: names of letters, digits and `+-_`, joined by slashes.
  private static func isZone(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy { part in
      !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-_".contains($0)) }
    }
  }

  private static func stat(_ path: String, _ root: String) -> FileInRoot? {
    try? FileInRoot(path, inRoot: root, limit: 0)
  }

  private static func entry(_ path: String, _ root: String) -> Entry {
    guard let file = stat(path, root) else { return .missing }
    if let target = file.link { return .link(target: target) }
    return file.kind == .regular ? .file : .other
  }
}
