import Glibc
import GuestSpec
import Linux
import Planning

/// The files, directories and mounts that a start makes on the host for a guest. They are removed with this value.
///
/// Their paths derive from the daemon's runtime directory and the guest's name, so a later daemon can remove what a killed one has left.
public final class HostSide {
  private let name: String
  private let runtime: String
  /// The mounts that the child attaches.
  public let mounts = HandedMounts()
  private var journal = Journal.guests
  private var scratch: String?
  /// Whether `DiskMax=` is kept for this start.
  public private(set) var diskLimit = DiskLimit.unlimited
  private let discard: (DiscardedScratch) -> Void
  /// The FIFO, held open for reading and writing, so that a reader in the guest never reads end of file.
  private var kernelMessages: OwnedFD?

  /// Takes over what an earlier daemon has made for a guest. `discard` as below.
  public init(
    adopting name: String, runtime: String, discard: @escaping (DiscardedScratch) -> Void = { try? $0.remove() }
  ) {
    self.name = name
    self.runtime = runtime
    self.discard = discard
  }

  /// - Parameters:
  ///   - guest: the guest that is about to start.
  ///   - runtime: the daemon's runtime directory.
  ///   - facts: the facts of this start that are known so far.
  ///   - discard: receives the scratch directory at the end and removes it. The default removes it at once.
  /// - Throws: `HostSideError`, after removing everything.
  public init(
    making guest: Guest, runtime: String, facts: StartFacts,
    discard: @escaping (DiscardedScratch) -> Void = { try? $0.remove() }
  ) throws(HostSideError) {
    name = guest.name
    self.runtime = runtime
    self.discard = discard
    remove()
    let owner = facts.users?.map.users.outer ?? 0
    do throws(SystemError) {
      try makeDirectories(incoming)
      if guest.needsScratch { scratch = try makeScratch() }
      diskLimit = DiskLimit(guest, scratch: scratch, base: owner)
      try makeKernelMessages(owner)
      try makeUnixExport(owner)
    } catch {
      throw .system(error)
    }
    try makeCredentials(guest.policy.credentials, owner)
    // The root of an ephemeral guest is discarded, so there is no journal to link to.
    let link = JournalLink(
      guest.exec.root.ephemeral ? .no : guest.exec.integration.linkJournal, of: guest.name, facts.identity,
      root: facts.root)
    do throws(JournalError) { journal = try link.prepare() } catch { throw .journal(error) }
  }

  deinit { remove() }

  /// The directory of the host that a guest has as its `/run/host/unix-export`.
  public static func unixExport(of guest: String, runtime: String) -> String { "\(runtime)/unix-export/\(guest)" }

  /// Adds what was made to the facts of the start.
  public func complete(_ facts: inout StartFacts) {
    facts.hostSide.mounts = mounts.kinds
    facts.hostSide.incoming = incoming
    facts.hostSide.kernelMessages = kernelMessagesPath
    facts.hostSide.journal = journal
    facts.hostSide.scratch = scratch
  }

  private var incoming: String { "\(runtime)/propagate/\(name)" }
  private var unixExport: String { Self.unixExport(of: name, runtime: runtime) }
  private var kernelMessagesPath: String { "\(runtime)/\(name).kmsg" }

  private func remove() {
    removeMounts(at: unixExport)
    removeDirectory(unixExport)
    removeDirectory(incoming)
    removeFile(kernelMessagesPath)
    if let scratch = DiscardedScratch(takingOver: scratchRecord, runtime: runtime) { discard(scratch) }
  }

  private var scratchRecord: String { "\(runtime)/\(name).scratch" }

  /// The record is written first: a daemon killed in between leaves a record of nothing, never a directory that the next one does not find.
  private func makeScratch() throws(SystemError) -> String {
    let path = scratchPath(for: name)
    try writeFile(scratchRecord, path)
    try retrying("mkdir \(path)") { mkdir(path, 0o700) }
    return path
  }

  private func makeKernelMessages(_ owner: UInt32) throws(SystemError) {
    kernelMessages = try makeFIFO(kernelMessagesPath, mode: 0o600, owner: owner)
  }

  /// The guest makes sockets in there that the host connects to (Container Interface, /run/host/unix-export). The mount limits what a
  /// hostile guest can do to the host: few files, no device nodes, no programs, no symbolic links that the host would follow.
  private func makeUnixExport(_ owner: UInt32) throws(SystemError) {
    try makeDirectories(unixExport)
    let options = [
      ("size", "4M"), ("nr_inodes", "64"), ("mode", "0755"), ("uid", String(owner)), ("gid", String(owner)),
    ]
    let attributes: MountAttributes = [.noSetUID, .noDevices, .noExecute, .noSymlinkFollow]
    let system = try NewFileSystem(of: "tmpfs", options: options, attributes: attributes)
    try attachMount(system.mount, at: unixExport)
    // /run is a shared mount, so this one became shared too. The guest's clone would be its peer, and the guest's mounts would propagate
    // here.
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
