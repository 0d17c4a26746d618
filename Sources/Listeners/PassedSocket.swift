import GuestSpec
import Linux

/// Kind and address of a socket that the service manager passed, by which the guest is found that it belongs to.
package struct PassedSocket {
  let name: String
  private let local: SocketAddress?
  private let kind: Linux.SocketKind?

  package init(_ descriptor: borrowing OwnedFD, name: String) {
    self.name = name
    // Tried several times: a socket that is not recognised is closed, and the service manager goes on holding its address.
    local = try? insisting { () throws(SystemError) in try localAddress(of: descriptor) }
    kind = try? insisting { () throws(SystemError) in try Linux.kind(of: descriptor) }
  }

  package var address: String { local?.description ?? "a descriptor that is no socket" }

  /// Whether clients come to it. A connection that the guest accepted has the same address as its listener.
  func takesClients(_ descriptor: borrowing OwnedFD) -> Bool {
    kind == .datagram || (try? isListening(descriptor)) == true
  }

  package struct Match {
    package var listen: Listen
    package var group: SocketGroup
    /// Whether the name agrees too, not only the address.
    package var isNamed: Bool
    /// Whether the guest has a network of its own, so that the socket, which belongs to the host's, has to be confined.
    package var isConfined: Bool
  }

  /// The line of the guest's files that asks for this socket. Nil when none does.
  package func match(_ guest: Guest) -> Match? {
    for group in guest.sockets {
      for listen in group.listen where listen.kind.inKernel == kind {
        if let wanted = try? SocketAddress(listen.address), wanted == local {
          return Match(
            listen: listen, group: group, isNamed: name == group.name(in: guest.name),
            isConfined: guest.network.isOfItsOwn)
        }
      }
    }
    return nil
  }
}

extension SocketGroup {
  /// What `LISTEN_FDNAMES` calls its sockets: `FileDescriptorName=`, else the name that systemd gives.
  func name(in guest: String) -> String { fileDescriptorName ?? "\(guest).socket" }
}
