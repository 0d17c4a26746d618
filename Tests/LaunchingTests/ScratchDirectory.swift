import Glibc
import Linux

/// A directory of a test's own below /var/tmp, gone with everything in it at the end of its life.
final class ScratchDirectory {
  let path: String

  init(named name: String) throws(SystemError) {
    var template = Array("/var/tmp/\(name)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { _ = TreeRemoval(of: path).removeNext() }
}
