import CFuzzer
import GuestSpec
import UnitSyntax

/// Any bytes are a guest file, as far as they go: every problem has a line of that file, and is told in one line of
/// text. The byte 0x1E begins the next file: NAME.nspawn, NAME.guest, then drop-ins.
@main enum FuzzUnitFile {
  static func main() {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      tryFiles(Array(UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }
}

private func tryFiles(_ bytes: [UInt8]) {
  let parts = bytes.split(separator: 0x1E, maxSplits: 3, omittingEmptySubsequences: false)
  let names = ["web.guest", "web.guest.d/a.conf", "web.guest.d/b.conf", "web.guest.d/c.conf"]
  var files = zip(names, parts).map { UnitFile(path: $0, bytes: Array($1)) }
  // The same text once more under the rules of the other format.
  files.insert(UnitFile(path: "web.nspawn", bytes: Array(parts[0])), at: 0)
  let lines = ["web.nspawn": lineCount(parts[0])].merging(
    zip(names, parts.map(lineCount)), uniquingKeysWith: { first, _ in first })
  let specifiers = Specifiers(fragmentPath: "/etc/dormouse/web.guest", host: ["H": "host", "m": "0"])
  let reading = Guest.read(name: "web", from: files, specifiers: specifiers)
  precondition(reading == Guest.read(name: "web", from: files, specifiers: specifiers), "reading twice differs")
  for diagnostic in reading.diagnostics {
    guard let last = lines[diagnostic.file] else { preconditionFailure("a problem of no file: \(diagnostic)") }
    precondition((0...last).contains(diagnostic.line), "a problem of no line: \(diagnostic)")
    precondition(!diagnostic.description.utf8.contains(UInt8(ascii: "\n")), "a problem of two lines: \(diagnostic)")
  }
}

private func lineCount(_ bytes: ArraySlice<UInt8>) -> Int {
  1 + bytes.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") || $0 == 0 }
}
