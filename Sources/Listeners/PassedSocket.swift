import GuestSpec
import Linux

/// What is known of a socket that the service manager passed: by this it finds its guest.
package struct PassedSocket {
  let name: String
  private let local: SocketAddress?
  private let kind: Linux.SocketKind?

  package init(_ descriptor: borrowing OwnedFD, name: String) {
    self.name = name
    // Passed once: what is not recognised is closed, and its address is taken for as long as the service manager has it.
    local = try? insisting { () throws(SystemError) in try localAddress(of: descriptor) }
    kind = try? insisting { () throws(SystemError) in try Linux.kind(of: descriptor) }
  }

  package var address: String { local?.description ?? "a descriptor that is no socket" }

  /// Whether clients come to it: a connection of the guest has the same address.
  func takesClients(_ descriptor: borrowing OwnedFD) -> Bool {
    kind == .datagram || (try? isListening(descriptor)) == true
  }

  package struct Match {
    package var listen: Listen
    package var group: SocketGroup
    /// The name agrees too, not the address alone.
    package var isNamed: Bool
  }

  /// The line of the guest's files that asks for this socket, if one does.
  package func match(_ guest: Guest) -> Match? {
    for group in guest.sockets {
      for listen in group.listen where listen.kind.inKernel == kind {
        if let wanted = try? SocketAddress(listen.address), wanted == local {
          return Match(listen: listen, group: group, isNamed: name == group.name(in: guest.name))
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
