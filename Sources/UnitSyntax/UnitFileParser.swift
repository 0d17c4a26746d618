extension UnitFile {
  /// The longest line in bytes after continuation lines are joined, as in systemd.
  public static let lineLimit = 1 << 20
  /// The size in bytes of the largest file that is parsed.
  public static let sizeLimit = 4 << 20
  /// The largest number of problems that are reported for one file.
  public static let diagnosticLimit = 100

  /// Parses the bytes of a file as systemd.syntax(7) describes. It never fails: errors are in `diagnostics`, and the rest
  /// of the file is parsed all the same.
  ///
  /// - Parameters:
  ///   - path: the path for diagnostics; no file is opened.
  ///   - bytes: the contents of the whole file.
  public init(path: String, bytes: [UInt8]) {
    var parser = UnitFileParser(file: UnitFile(path: path))
    parser.parse(bytes)
    self = parser.file
  }
}

private struct UnitFileParser {
  var file: UnitFile
  /// Whether the last section header was invalid. Its assignments belong to no section, and one message for each of them would hide
  /// the cause.
  var isBelowBrokenHeader = false

  /// A line with its continuation lines.
  struct LogicalLine {
    var number: Int
    var bytes: [UInt8] = []
    var isBroken = false
  }

  mutating func parse(_ bytes: [UInt8]) {
    if bytes.count > UnitFile.sizeLimit {
      report(0, .error, "the file is larger than \(UnitFile.sizeLimit >> 20) MiB and was not read")
      return
    }
    var body = bytes[...]
    if body.starts(with: [0xEF, 0xBB, 0xBF]) {
      body = body.dropFirst(3)
      report(1, .warning, "the file starts with a byte order mark, which is ignored; save it as UTF-8 without one")
    }
    reportCarriageReturns(body)
    var pending: LogicalLine?
    var number = 0
    for line in Lines(body) {
      number += 1
      // A comment between the parts of a continued line is not a part of it, and a backslash at its end continues nothing.
      if let first = line.first(where: { !Byte.isSpace($0) }), first == UInt8(ascii: "#") || first == UInt8(ascii: ";")
      {
        continue
      }
      var logical = pending ?? LogicalLine(number: number)
      // A second reference to the array would make every append copy all lines before it.
      pending = nil
      append(line, number, to: &logical)
      if line.continues {
        pending = logical
      } else {
        finish(logical)
      }
    }
    if let pending { finish(pending) }
  }

  private mutating func append(_ line: ArraySlice<UInt8>, _ number: Int, to logical: inout LogicalLine) {
    if logical.isBroken { return }
    if line.contains(0) {
      report(number, .error, "the line contains a NUL byte; the file is damaged or not a text file")
      logical.isBroken = true
    } else if String(validating: line, as: UTF8.self) == nil {
      report(number, .error, "the line is not valid UTF-8; save the file as UTF-8")
      logical.isBroken = true
    } else if logical.bytes.count + line.count > UnitFile.lineLimit {
      report(logical.number, .error, "the line is longer than 1 MiB; use several assignments")
      logical.isBroken = true
    } else {
      logical.bytes += line.continues ? line.dropLast() + [Byte.space] : line
    }
  }

  private mutating func finish(_ line: LogicalLine) {
    if line.isBroken { return }
    let bytes = line.bytes.stripped
    if bytes.isEmpty { return }
    if bytes.first == UInt8(ascii: "[") {
      header(bytes, line.number)
    } else {
      assignment(bytes, line.number)
    }
  }

  private mutating func header(_ bytes: ArraySlice<UInt8>, _ number: Int) {
    isBelowBrokenHeader = true
    let text = String(decoding: bytes.prefix(80), as: UTF8.self)
    guard bytes.last == UInt8(ascii: "]") else {
      report(number, .error, "\(text): the section header does not end in ']'; the section was ignored")
      return
    }
    let name = bytes.dropFirst().dropLast()
    guard !name.isEmpty, !name.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      report(number, .error, "\(text): not a section name; the section was ignored")
      return
    }
    isBelowBrokenHeader = false
    file.sections.append(Section(String(decoding: name, as: UTF8.self), file: file.path, line: number))
  }

  private mutating func assignment(_ bytes: ArraySlice<UInt8>, _ number: Int) {
    if isBelowBrokenHeader { return }
    let text = String(decoding: bytes.prefix(80), as: UTF8.self)
    guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else {
      report(number, .error, "\(text): not a comment, a [Section] or Key=value; the '=' is missing")
      return
    }
    let key = bytes[..<equals].stripped
    if key.isEmpty {
      report(number, .error, "\(text): the key before '=' is missing")
    } else if file.sections.isEmpty {
      report(number, .error, "\(text): the assignment is in no section; write a [Section] above it")
    } else {
      let entry = Entry(
        String(decoding: key, as: UTF8.self),
        String(decoding: bytes[(equals + 1)...].stripped, as: UTF8.self),
        file: file.path, line: number)
      file.sections[file.sections.count - 1].entries.append(entry)
    }
  }

  private mutating func reportCarriageReturns(_ body: ArraySlice<UInt8>) {
    guard let place = body.firstIndex(of: Byte.carriageReturn) else { return }
    let line = body[..<place].count { $0 == Byte.newline } + 1
    report(line, .warning, "the line ends in a carriage return (CR); save the file with Unix line endings")
  }

  private mutating func report(_ line: Int, _ severity: Diagnostic.Severity, _ message: String) {
    switch file.diagnostics.count {
    case ..<UnitFile.diagnosticLimit:
      file.diagnostics.append(Diagnostic(file: file.path, line: line, severity, message))
    case UnitFile.diagnosticLimit:
      let more = "the file has more than \(UnitFile.diagnosticLimit) problems; the others are not shown"
      file.diagnostics.append(Diagnostic(file: file.path, .error, more))
    default:
      break
    }
  }
}
