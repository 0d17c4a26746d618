import UnitSyntax

/// Reads the assignments of a file such as os-release(5) or machine-info(5): lines `NAME=value`, with values quoted as in a shell.
///
/// Comments and lines without an assignment are ignored.
public func assignments(in text: String) -> [String: String] {
  var variables: [String: String] = [:]
  for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
    guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
    let words = try? Words(String(Substring(line[line.index(after: equals)...])))
    variables[String(Substring(line[..<equals]))] = words?.words.first ?? ""
  }
  return variables
}
