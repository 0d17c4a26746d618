import Glibc
import GuestSpec
import Linux
import Planning

/// What a start makes on the host for a guest, besides its process: gone when this is.
///
/// All of it has places that follow from the daemon's runtime directory and the guest's name, so a later daemon can clear up after
/// one that was killed.
public final class HostSide {
  private let name: String
  private let runtime: String
  /// What the launcher hands to the child.
  public let mounts = HandedMounts()
  private var journal = Journal.guests
  private var scratch: String?
  private let discard: (DiscardedScratch) -> Void
  /// Held open, for reading and writing: no reader in the guest sees an end of it.
  private var kernelMessages: OwnedFD?

  /// Takes over what an earlier daemon has made for a guest that runs. `discard` as below.
  public init(
    adopting name: String, runtime: String, discard: @escaping (DiscardedScratch) -> Void = { _ = $0.remove() }
  ) {
    self.name = name
    self.runtime = runtime
    self.discard = discard
  }

  /// - Parameters:
  ///   - guest: the guest that is about to start.
  ///   - runtime: the daemon's runtime directory.
  ///   - facts: of this start, as far as they are known.
  ///   - discard: gets the scratch directory, to be removed, at the end: unless somebody has time for it later, at once.
  /// - Throws: `HostSideError`; nothing is left then.
  public init(
    making guest: Guest, runtime: String, facts: StartFacts,
    discard: @escaping (DiscardedScratch) -> Void = { _ = $0.remove() }
  ) throws(HostSideError) {
    name = guest.name
    self.runtime = runtime
    self.discard = discard
    remove()
    let owner = facts.users?.map.users.outer ?? 0
    do throws(SystemError) {
      try makeDirectories(incoming)
      if guest.needsScratch { scratch = try makeScratch() }
      try makeKernelMessages(owner)
      try makeUnixExport(owner)
    } catch {
      throw .system(error)
    }
    try makeCredentials(guest.policy.credentials, owner)
    // What is thrown away has no journal to be kept.
    let link = JournalLink(
      guest.exec.ephemeral ? .no : guest.exec.linkJournal, machineID: facts.machineID, root: facts.root)
    do throws(JournalError) { journal = try link.prepare() } catch { throw .journal(error) }
  }

  deinit { remove() }

  /// Where the sockets are on the host that a guest has in its `/run/host/unix-export`.
  public static func unixExport(of guest: String, runtime: String) -> String { "\(runtime)/unix-export/\(guest)" }

  /// Tells a plan of it.
  public func complete(_ facts: inout StartFacts) {
    facts.handed = mounts.kinds
    facts.incoming = incoming
    facts.kernelMessages = kernelMessagesPath
    facts.journal = journal
    facts.scratch = scratch
  }

  private var incoming: String { "\(runtime)/propagate/\(name)" }
  private var unixExport: String { Self.unixExport(of: name, runtime: runtime) }
  private var kernelMessagesPath: String { "\(runtime)/\(name).kmsg" }

  private func remove() {
    removeMounts(at: unixExport)
    removeDirectory(unixExport)
    removeDirectory(incoming)
    removeFile(kernelMessagesPath)
    if let scratch = DiscardedScratch(takingOver: scratchNote, runtime: runtime) { discard(scratch) }
  }

  private var scratchNote: String { "\(runtime)/\(name).scratch" }

  /// The note comes first: a daemon killed in between leaves a note about nothing, never a directory that nobody finds.
  private func makeScratch() throws(SystemError) -> String {
    let path = scratchPath(for: name)
    try writeFile(scratchNote, path)
    try retrying("mkdir \(path)") { mkdir(path, 0o700) }
    return path
  }

  private func makeKernelMessages(_ owner: UInt32) throws(SystemError) {
    kernelMessages = try makeFIFO(kernelMessagesPath, mode: 0o600, owner: owner)
  }

  /// The guest puts sockets in there that the host connects to (Container Interface, /run/host/unix-export). What it may do to the host
  /// with it is little: so many files, no devices, no programs, and no symbolic link that the host would follow.
  private func makeUnixExport(_ owner: UInt32) throws(SystemError) {
    try makeDirectories(unixExport)
    let options = [
      ("size", "4M"), ("nr_inodes", "64"), ("mode", "0755"), ("uid", String(owner)), ("gid", String(owner)),
    ]
    let attributes: MountAttributes = [.noSetUID, .noDevices, .noExecute, .noSymlinkFollow]
    let system = try NewFileSystem(of: "tmpfs", options: options, attributes: attributes)
    try attachMount(system.mount, at: unixExport)
    // Below a shared mount, as /run is, it became one; the guest's clone would be its peer, and what the guest mounts there the host's.
    try makePrivate(system.mount)
    let guests = try cloneMount(at: unixExport)
    try setAttributes(of: system.mount, .readOnly)
    mounts.append(.unixExport, guests)
  }

  private func makeCredentials(_ wanted: [Credential], _ owner: UInt32) throws(HostSideError) {
    if wanted.isEmpty { return }
    let searchPath = Credentials.searchPath(
      ["CREDENTIALS_DIRECTORY": getenv("CREDENTIALS_DIRECTORY")].compactMapValues {
        $0.map { String(cString: $0) }
      })
    let credentials: Credentials
    do throws(CredentialError) {
      credentials = try Credentials(wanted, searchPath: searchPath)
    } catch {
      throw .credential(error)
    }
    if credentials.contents.isEmpty { return }
    do throws(SystemError) {
      mounts.append(.credentials, try credentials.mount(owner: owner))
    } catch {
      throw .system(error)
    }
  }
}
