/// `LOWER:…:UPPER:DESTINATION`, or `LOWER:UPPER`, where the upper directory is the destination, as systemd-nspawn(1) `--overlay=`.
func readOverlay(_ text: String, _ context: inout ValueContext, readOnly: Bool) throws(WrongValue) -> CustomMount {
  var parts: [String] = []
  for part in text.splitAtColons() { parts.append(try context.expand(part)) }
  guard parts.count >= 2, let last = parts.last else {
    throw WrongValue("an overlay needs two directories; write LOWER:UPPER:DESTINATION, with \\: for a colon")
  }
  var layers: [OverlayLayer] = []
  for part in parts.count == 2 ? parts : Array(parts.dropLast()) { layers.append(try layer(part)) }
  if layers.dropLast().contains(.temporary) || readOnly && layers.contains(.temporary) {
    throw WrongValue("only the uppermost directory of a writable overlay can be empty")
  }
  if parts.count == 2, layers.last == .temporary { throw WrongValue("the destination is missing") }
  let destination = last.hasPrefix("+") ? String(last.dropFirst()) : last
  return .overlay(layers: layers, destination: try guestPath(destination), readOnly: readOnly)
}

private func layer(_ text: String) throws(WrongValue) -> OverlayLayer {
  if text.isEmpty { return .temporary }
  if text.hasPrefix("+") { return .own(try absolutePath(String(text.dropFirst()))) }
  return .host(try guestPath(text))
}
