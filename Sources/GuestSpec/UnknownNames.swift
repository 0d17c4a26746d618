import UnitSyntax

/// The message for a setting that a section does not have.
///
/// - Parameters:
///   - key: the name of the setting.
///   - section: the section in which it stands.
///   - keys: the settings of that section.
///   - homes: the sections that have the setting.
/// - Returns: the message.
func unknownSetting(_ key: String, in section: String, among keys: [String], homes: [String] = []) -> String {
  var message = "unknown setting \(key.shortened)= in [\(section)]"
  if !homes.isEmpty {
    message += "; it belongs in \(homes.map { "[\($0)]" }.joined(separator: " or "))"
  } else if let near = nearestName(to: key, among: keys) {
    message += "; did you mean \(near)=?"
  }
  return message
}

/// The message for a section that a file of this kind does not have.
///
/// - Parameters:
///   - name: the name of the section.
///   - names: the sections that there are.
///   - rule: what the sections are, for a name that is near none of them.
/// - Returns: the message.
func unknownSection(_ name: String, among names: [String], rule: String) -> String {
  let hint = nearestName(to: name, among: names).map { "did you mean [\($0)]?" } ?? rule
  return "unknown section [\(name.shortened)], which has no effect; \(hint)"
}

extension String {
  /// Whether systemd.unit(5) reserves the name of a section or setting for other programs, so that it is passed over.
  var isForOtherPrograms: Bool { hasPrefix("X-") }
}
