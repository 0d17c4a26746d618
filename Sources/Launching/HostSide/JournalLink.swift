import Glibc
import GuestSpec
import Linux
import Planning

/// `LinkJournal=`: an entry in the host's /var/log/journal by which the host reads the guest's journal.
///
/// The guest cannot choose whose journal it gets: the host determines the machine ID that names the entry, and keeps its copy in a
/// directory of the guest's name. Root in the guest writes to that as root of the host, so it is below a directory that only root may
/// enter: elsewhere users of the host could execute set-user-ID programs in it.
struct JournalLink {
  /// What to do on the host, by the setting and by what exists.
  enum Decision: Equatable {
    case leave
    /// Bind the host's directory for the guest, and make the entry a link to it.
    case bind(replaces: Place)
    /// Make the entry a link to the guest's directory.
    case link(replaces: Place)
    case refuse(JournalError)
  }

  /// What exists at the entry.
  enum Place: Equatable {
    case missing, directory, mountPoint, other
    case link(target: String)
  }

  let mode: LinkJournal
  /// The entry.
  let entry: String
  /// The directory where the host keeps the guest's journal.
  let kept: String
  /// The host's path of the guest's directory.
  let guests: String
  /// Whether the entry would be that of the host's own journal.
  let isHostsID: Bool
  /// Whether /var/log/journal exists, so that this host keeps a persistent journal.
  let isKept: Bool
  let place: Place

  private static let journals = "/var/log/journal"
  private static let keeping = "/var/lib/dormouse/journal"

  /// Reads the state of the host. An unreadable file counts as missing.
  init(_ mode: LinkJournal, of guest: String, _ identity: StartFacts.Identity, root: String) {
    let entry = "\(Self.journals)/\(identity.hostID)"
    let hosts = (try? readFile("/etc/machine-id", limit: 256)) ?? []
    self.init(
      mode, entry: entry, kept: "\(Self.keeping)/\(guest)",
      guests: (root == "/" ? "" : root) + "\(Self.journals)/\(identity.machineID)",
      isHostsID: hosts.starts(with: identity.hostID.utf8), isKept: access(Self.journals, F_OK) == 0,
      place: Self.place(at: entry))
  }

  init(
    _ mode: LinkJournal, entry: String, kept: String, guests: String, isHostsID: Bool, isKept: Bool, place: Place
  ) {
    self.mode = mode
    self.entry = entry
    self.kept = kept
    self.guests = guests
    self.isHostsID = isHostsID
    self.isKept = isKept
    self.place = place
  }

  private static func place(at path: String) -> Place {
    switch try? FileStatus(path, followingLinks: false).kind {
    case nil: return .missing
    case .symbolicLink: return .link(target: (try? readLink(path)) ?? "")
    case .directory: return isMountPoint(path) ? .mountPoint : .directory
    case .regular, .characterDevice, .blockDevice, .fifo, .socket: return .other
    }
  }

  /// Whether a link leads to the journal of this guest, whatever machine ID the guest had when it was made.
  private func isOwn(_ target: String) -> Bool {
    target == kept || target.split(separator: "/").dropLast() == guests.split(separator: "/").dropLast()
  }

  var decision: Decision {
    let isTry = [.tryHost, .tryGuest, .auto].contains(mode)
    func refuse(_ reason: JournalError.Reason) -> Decision {
      isTry ? .leave : .refuse(JournalError(directory: entry, reason: reason))
    }
    if mode == .no { return .leave }
    if isHostsID { return refuse(.hostsID) }
    if !isKept { return refuse(.notKept) }
    switch (mode, place) {
    case (.no, _): return .leave
    case (_, .mountPoint): return refuse(.mountPoint)
    case (_, .other): return refuse(.other)
    case (.auto, .link(kept)): return .bind(replaces: place)
    case (.auto, .link(let target)) where isOwn(target): return .link(replaces: place)
    case (.auto, .link), (.auto, .missing), (.auto, .directory): return .leave
    case (_, .link(let target)) where !isOwn(target): return refuse(.others(target: target))
    case (.host, _), (.tryHost, _): return .bind(replaces: place)
    case (.guest, _), (.tryGuest, _): return .link(replaces: place)
    }
  }

  /// Executes the decision on the host. Its result stays after the guest's end, so that the journal can be read then.
  ///
  /// - Throws: `JournalError`, which names the entry.
  func prepare() throws(JournalError) -> Journal {
    if case .refuse(let error) = decision { throw error }
    do throws(SystemError) {
      return try carryOut()
    } catch {
      if [.tryGuest, .tryHost, .auto].contains(mode) { return .guests }
      let reason: JournalError.Reason = error.errno == ENOTEMPTY ? .notEmpty(kept: kept) : .failed(error)
      throw JournalError(directory: entry, reason: reason)
    }
  }

  private func carryOut() throws(SystemError) -> Journal {
    switch decision {
    case .leave, .refuse: return .guests
    case .bind(let place):
      try makeKept()
      try link(to: kept, replacing: place)
      return .hosts(directory: kept)
    case .link(let place):
      try link(to: guests, replacing: place)
      return .linked
    }
  }

  /// Makes the directory `kept`. Sets the one above to mode 0700 each time, in case somebody has changed it.
  private func makeKept() throws(SystemError) {
    let above = String(kept[..<(kept.lastIndex(of: "/") ?? kept.endIndex)])
    try makeDirectories(above)
    try retrying("chmod \(above)") { chmod(above, 0o700) }
    try makeDirectories(kept)
  }

  private func link(to target: String, replacing place: Place) throws(SystemError) {
    switch place {
    case .link(target): return
    case .directory: try retrying("rmdir \(entry)") { rmdir(entry) }
    case .link, .missing, .mountPoint, .other: removeFile(entry)
    }
    try retrying("symlink \(entry)") { symlink(target, entry) }
  }
}

/// Why a journal cannot be linked.
public struct JournalError: Error, Equatable, CustomStringConvertible {
  enum Reason: Equatable {
    case hostsID, notKept, mountPoint, other
    case others(target: String)
    case notEmpty(kept: String)
    case failed(SystemError)
  }

  let directory: String
  let reason: Reason

  public var description: String {
    switch reason {
    case .hostsID: "LinkJournal=: MachineID= is this host's own machine ID, so the journal would be the host's own"
    case .notKept:
      "LinkJournal=: this host keeps no persistent journal; make /var/log/journal, or write try-host or try-guest"
    case .mountPoint: "LinkJournal=: \(directory) is a mount point"
    case .other: "LinkJournal=: \(directory) is neither a directory nor a symbolic link"
    case .others(let target):
      "LinkJournal=: \(directory) leads to \(target), which is not of this guest; remove the link, or write another MachineID="
    case .notEmpty(let kept):
      "LinkJournal=: \(directory) is not empty; move its files to \(kept), where the host keeps this guest's journal, and "
        + "remove it"
    case .failed(let error): "LinkJournal=: \(error)"
    }
  }
}
