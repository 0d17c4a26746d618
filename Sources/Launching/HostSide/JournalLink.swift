import Glibc
import GuestSpec
import Linux
import Planning

/// `LinkJournal=`: the host's /var/log/journal/ID, where ID is the guest's machine ID.
struct JournalLink {
  /// What to do on the host, by the setting and by what exists.
  enum Decision: Equatable {
    case leave
    /// Bind the host's directory in the guest. It is made if it is missing, and replaces a symbolic link.
    case bind(makes: Bool, removesLink: Bool)
    /// Make a symbolic link on the host to the guest's directory. It replaces another link or an empty directory.
    case link(replaces: Place)
    case refuse(JournalError)
  }

  /// What exists at the host's path.
  enum Place: Equatable {
    case missing, directory, mountPoint, other
    case link(target: String)
  }

  let mode: LinkJournal
  let directory: String
  /// The host's path of the guest's directory.
  let guests: String
  /// Whether the host has the same machine ID.
  let isHostsID: Bool
  /// Whether /var/log/journal exists, so that this host keeps a persistent journal.
  let isKept: Bool
  let place: Place

  private static let journals = "/var/log/journal"

  /// Reads the state of the host. An unreadable file counts as missing.
  init(_ mode: LinkJournal, machineID: String, root: String) {
    directory = "\(Self.journals)/\(machineID)"
    self.mode = mode
    guests = (root == "/" ? "" : root) + directory
    let hosts = (try? readFile("/etc/machine-id", limit: 256)) ?? []
    isHostsID = hosts.starts(with: machineID.utf8)
    isKept = access(Self.journals, F_OK) == 0
    place = Self.place(at: directory)
  }

  init(_ mode: LinkJournal, directory: String, guests: String, isHostsID: Bool, isKept: Bool, place: Place) {
    self.mode = mode
    self.directory = directory
    self.guests = guests
    self.isHostsID = isHostsID
    self.isKept = isKept
    self.place = place
  }

  private static func place(at path: String) -> Place {
    switch try? FileStatus(path, followingLinks: false).kind {
    case nil: return .missing
    case .symbolicLink: return .link(target: (try? readLink(path)) ?? "")
    case .directory:
      let mounts = (try? MountInfo.read()) ?? []
      return mounts.contains { $0.target == path } ? .mountPoint : .directory
    case .regular, .characterDevice, .blockDevice, .fifo, .socket: return .other
    }
  }

  var decision: Decision {
    let isTry = [.tryHost, .tryGuest, .auto].contains(mode)
    func refuse(_ reason: JournalError.Reason) -> Decision {
      isTry ? .leave : .refuse(JournalError(directory: directory, reason: reason))
    }
    if mode == .no { return .leave }
    if isHostsID { return refuse(.hostsID) }
    if !isKept { return refuse(.notKept) }
    switch (mode, place) {
    case (.no, _): return .leave
    case (_, .mountPoint): return refuse(.mountPoint)
    case (_, .other): return refuse(.other)
    case (.auto, .directory): return .bind(makes: false, removesLink: false)
    case (.auto, .link(guests)): return .link(replaces: place)
    case (.auto, .link), (.auto, .missing): return .leave
    case (.host, .directory), (.tryHost, .directory): return .bind(makes: false, removesLink: false)
    case (.host, .missing), (.tryHost, .missing): return .bind(makes: true, removesLink: false)
    case (.host, .link), (.tryHost, .link): return .bind(makes: true, removesLink: true)
    case (.guest, .missing), (.guest, .directory), (.guest, .link), (.tryGuest, .missing), (.tryGuest, .directory),
      (.tryGuest, .link):
      return .link(replaces: place)
    }
  }

  /// Executes the decision on the host. Its result stays after the guest's end, so that the journal can be read then.
  ///
  /// - Throws: `JournalError`, which names the directory.
  func prepare() throws(JournalError) -> Journal {
    if case .refuse(let error) = decision { throw error }
    do throws(SystemError) {
      return try carryOut()
    } catch {
      if [.tryGuest, .tryHost, .auto].contains(mode) { return .guests }
      let reason: JournalError.Reason = error.errno == ENOTEMPTY ? .notEmpty : .failed(error)
      throw JournalError(directory: directory, reason: reason)
    }
  }

  private func carryOut() throws(SystemError) -> Journal {
    switch decision {
    case .leave, .refuse: return .guests
    case .bind(let makes, let removesLink):
      if removesLink { removeFile(directory) }
      if makes { try retrying("mkdir \(directory)") { mkdir(directory, 0o755) } }
      return .hosts(directory: directory)
    case .link(.link(guests)): return .linked
    case .link(let place):
      if place == .directory {
        try retrying("rmdir \(directory)") { rmdir(directory) }
      } else {
        removeFile(directory)
      }
      try retrying("symlink \(directory)") { symlink(guests, directory) }
      return .linked
    }
  }
}

/// Why a journal cannot be linked.
public struct JournalError: Error, Equatable, CustomStringConvertible {
  enum Reason: Equatable {
    case hostsID, notKept, mountPoint, other, notEmpty
    case failed(SystemError)
  }

  let directory: String
  let reason: Reason

  public var description: String {
    switch reason {
    case .hostsID: "LinkJournal=: the guest has this host's machine ID, so the journal would be the host's own"
    case .notKept:
      "LinkJournal=: this host keeps no persistent journal; make /var/log/journal, or write try-host or try-guest"
    case .mountPoint: "LinkJournal=: \(directory) is a mount point"
    case .other: "LinkJournal=: \(directory) is neither a directory nor a symbolic link"
    case .notEmpty:
      "LinkJournal=: \(directory) is not empty, so it cannot be replaced by a link to the guest's journals; move its files away"
    case .failed(let error): "LinkJournal=: \(error)"
    }
  }
}
