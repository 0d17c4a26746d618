import Linux
import Listeners
import Systemd

// Sockets from the service manager: those of its socket units, and those that an earlier daemon stored there.
extension Manager {
  /// Gives each socket to the guest whose file has its address. Other sockets are closed.
  ///
  /// - Returns: how many sockets of socket units a guest got.
  func offer(_ passed: PassedDescriptors, _ store: SocketStore) -> Int {
    var taken = 0
    var inventory = StoreInventory()
    for index in 0..<passed.count {
      guard let descriptor = passed.take(index) else { continue }
      let word = passed.names[index]
      if let name = StoredName(word) {
        inventory.add(descriptor, named: name)
        continue
      }
      do throws(SystemError) {
        if try offer(HeldSocket(descriptor), named: word) { taken += 1 }
      } catch {
        log.write(.cannotTakeSocket(name: word, error: "\(error)"))
      }
    }
    if taken > 0 {
      for supervisor in supervisors.values { supervisor.logNotPassed() }
    }
    for refused in inventory.refused {
      log.write(.cannotTakeStored(name: "\(refused.name)", reason: refused.reason))
    }
    store.batch {
      for found in store.takeBack(inventory) { takeBack(found, store) }
    }
    return taken
  }

  private func offer(_ offered: HeldSocket, named name: String) throws(SystemError) -> Bool {
    let socket = PassedSocket(offered.descriptor, name: name)
    let wanting = supervisors.values.sorted { $0.name < $1.name }.compactMap { supervisor in
      socket.match(supervisor.guest).map { (supervisor, $0) }
    }.filter { supervisor, match in !supervisor.listeners.all.contains { $0.listen == match.listen } }
    // If two guests have the address, the socket's name decides.
    guard let (supervisor, match) = wanting.first(where: { $0.1.isNamed }) ?? wanting.first else {
      log.write(.notWanted(name: name, address: socket.address))
      return false
    }
    supervisor.listeners.add(try Listener(offered, as: match.listen, of: match.group, passed: true))
    return true
  }

  private func takeBack(_ found: SocketStore.Found, _ store: SocketStore) {
    let passed = PassedSocket(found.socket.descriptor, name: "\(found.name)")
    if let description = found.description, let supervisor = supervisors[description.guest],
      let match = passed.match(supervisor.guest),
      (try? supervisor.listeners.takeBack(found.socket, description, match)) == true
    {
      return
    }
    log.write(.notWanted(name: "\(found.name)", address: passed.address))
    store.drop(found.socket)
  }
}
