import UnitSyntax

private func id(_ text: String, _ context: ValueContext) throws(WrongValue) -> String {
  let id = try context.expand(text)
  guard Credential.isValid(id: id) else {
    throw WrongValue("not a credential name; use printable ASCII without ':' and '/', at most 255 characters")
  }
  return id
}

/// `ID:VALUE`, as systemd.exec(5) `SetCredential=`: the value may contain C-style escapes, also of NUL, and no specifiers.
func readSetCredential(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> Credential {
  guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
    throw WrongValue("the ':' is missing; write ID:VALUE")
  }
  let id = try id(String(text[..<colon]), context)
  guard let bytes = unescaped(text[text.utf8.index(after: colon)...]) else {
    throw WrongValue("the value contains an invalid escape; write \\\\ for a backslash, \\xHH for any byte")
  }
  if bytes.count > Credential.sizeLimit { throw WrongValue("larger than the limit of 1 MiB for credentials") }
  return Credential(id, .value(Secret(bytes)))
}

/// `ID:PATH` or `ID`, as systemd.exec(5) `LoadCredential=`.
func readLoadCredential(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> Credential {
  let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
  let id = try id(String(parts.first ?? ""), context)
  let place = parts.count > 1 ? try context.expand(String(parts[1])) : id
  if place.utf8.first == UInt8(ascii: "/") { return Credential(id, .path(try absolutePath(place))) }
  guard Credential.isValid(id: place) else {
    throw WrongValue("the file is neither an absolute path nor a credential name; write ID:/PATH or ID:NAME")
  }
  return Credential(id, .store(name: place))
}
