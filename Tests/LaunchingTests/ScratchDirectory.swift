import Glibc
import Linux

/// A directory for one test below /var/tmp. It is removed with everything in it when the value is deinitialized.
final class ScratchDirectory {
  let path: String

  init(named name: String) throws(SystemError) {
    var template = Array("/var/tmp/\(name)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp", errno: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? removeTree(path) }
}
