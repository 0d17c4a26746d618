import GuestSpec
import Linux

/// What a socket is called in the service manager's store: by it the next daemon knows it from what was passed otherwise, and knows
/// what to do with it.
package struct StoredName: Equatable, CustomStringConvertible {
  /// Which of the two sockets at one address it is (`Listener`).
  package enum Role: String { case primary, standby }

  package let role: Role
  package let guest: String
  /// What distinguishes it from all others.
  let inode: UInt64
  /// Of what the guest file asked of it; 0 for the standby, which follows the first.
  let options: UInt32

  init(_ role: Role, of group: SocketGroup, inode: UInt64, guest: String) {
    self.role = role
    self.guest = guest
    self.inode = inode
    options = role == .primary ? group.fingerprint : 0
  }

  /// - Returns: nil for a name that is none of ours, or not of the socket whose inode this is: anybody may call a socket what he likes.
  package init?(_ text: String, inode: UInt64) {
    let parts = text.split(separator: ".", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0] == Self.mark, let role = Role(rawValue: String(parts[1])),
      UInt64(parts[2]) == inode, let options = UInt32(parts[3], radix: 16)
    else { return nil }
    self.role = role
    self.guest = String(parts[4])
    self.inode = inode
    self.options = options
  }

  private static let mark = "dormouse"

  package var description: String { "\(Self.mark).\(role.rawValue).\(inode).\(String(options, radix: 16)).\(guest)" }
}

extension SocketGroup {
  /// A number that changes when the section asks for something else of its sockets. What it does not mention counts for nothing, so that a
  /// later release with more settings comes to the same.
  var fingerprint: UInt32 {
    var asked = self
    (asked.listen, asked.fileDescriptorName) = ([], nil)
    let settings = zip(Mirror(reflecting: asked).children, Mirror(reflecting: SocketGroup()).children)
      .map { ("\($0.label ?? "")=\($0.value)", "\($1.value)", "\($0.value)") }
      .filter { $0.1 != $0.2 }.map(\.0).sorted()
    // FNV-1a: the same in every process, unlike Hasher.
    return settings.joined(separator: ";").utf8.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
  }
}
