import Linux
import Listeners
import Systemd

// Sockets from the service manager: those of its own socket units, and those that an earlier daemon put into its store.
extension Manager {
  /// Gives each socket to the guest that asks for its address; what nobody asks for is closed.
  ///
  /// - Returns: how many were wanted that are the service manager's own.
  func offer(_ passed: PassedDescriptors, _ store: SocketStore) -> Int {
    var taken = 0
    var stored: [(HeldSocket, StoredName)] = []
    for index in 0..<passed.count {
      guard let descriptor = passed.take(index) else { continue }
      let word = passed.names[index]
      do throws(SystemError) {
        let socket = try HeldSocket(descriptor)
        if let name = StoredName(word, inode: socket.inode) {
          stored.append((socket, name))
        } else if try offer(socket, named: word) {
          taken += 1
        }
      } catch {
        log.write(.cannotTakeSocket(name: word, error: "\(error)"))
      }
    }
    if taken > 0 {
      for supervisor in supervisors.values { supervisor.logNotPassed() }
    }
    // The store has no order, and a second socket belongs to a first one.
    for (socket, name) in stored where name.role == .primary { takeBack(socket, name, store) }
    for (socket, name) in stored where name.role == .standby { takeBack(socket, name, store) }
    return taken
  }

  private func offer(_ offered: HeldSocket, named name: String) throws(SystemError) -> Bool {
    let socket = PassedSocket(offered.descriptor, name: name)
    let wanting = supervisors.values.sorted { $0.name < $1.name }.compactMap { supervisor in
      socket.match(supervisor.guest).map { (supervisor, $0) }
    }.filter { supervisor, match in !supervisor.listeners.all.contains { $0.listen == match.listen } }
    // Two guests may want one address under different names: the name decides.
    guard let (supervisor, match) = wanting.first(where: { $0.1.isNamed }) ?? wanting.first else {
      log.write(.notWanted(name: name, address: socket.address))
      return false
    }
    supervisor.listeners.add(try Listener(offered, as: match.listen, of: match.group, passed: true))
    return true
  }

  private func takeBack(_ socket: HeldSocket, _ name: StoredName, _ store: SocketStore) {
    socket.isStored = true
    let found = PassedSocket(socket.descriptor, name: "\(name)")
    let listeners = supervisors[name.guest]?.listeners
    let match = supervisors[name.guest].flatMap { found.match($0.guest) }
    if let listeners, let match, (try? listeners.takeBack(socket, name, match)) == true { return }
    log.write(.notWanted(name: "\(name)", address: found.address))
    store.drop(socket, as: name)
  }
}
