import GuestSpec
import Testing

@testable import Listeners

@Suite("The name of a socket in the service manager's store")
struct StoredNameTests {
  private var group: SocketGroup {
    var group = SocketGroup()
    group.listen = [Listen(.stream, .path("/run/a:b"))]
    group.socketMode = 0o600
    return group
  }

  @Test("says what the next daemon has to know, and is one that systemd takes", arguments: ["web", "a.b-c_d"])
  func roundTrip(guest: String) throws {
    for role in [StoredName.Role.primary, .standby] {
      let name = StoredName(role, of: group, inode: 4711, guest: guest)
      #expect(StoredName("\(name)", inode: 4711) == name)
      #expect(!"\(name)".contains(":"))
    }
  }

  @Test("is not believed of another socket, or when somebody else made it")
  func foreign() {
    let name = StoredName(.primary, of: group, inode: 4711, guest: "web")
    #expect(StoredName("\(name)", inode: 4712) == nil)
    for word in ["web.socket", "dormouse.third.4711.0.web", "dormouse.primary.4711", "dormouse.primary.x.0.web", ""] {
      #expect(StoredName(word, inode: 4711) == nil)
    }
  }

  @Test("differs when the section asks for something else, and not for its addresses and its name")
  func fingerprint() {
    var other = group
    (other.listen, other.fileDescriptorName) = ([], "http")
    #expect(other.fingerprint == group.fingerprint)
    other.socketMode = 0o660
    #expect(other.fingerprint != group.fingerprint)
    #expect(SocketGroup().fingerprint != group.fingerprint)
  }
}
