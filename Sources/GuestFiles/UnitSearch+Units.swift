import UnitSyntax

extension UnitSearch {
  /// Reads a unit's file and its drop-ins.
  ///
  /// - Returns: the files, and the unit's own name if `name` is an alias. Nil when the unit is masked or does not exist.
  func unit(_ name: String) -> (name: String, files: [UnitFile])? {
    if name.contains("/") { return nil }
    var found = try? find(name)
    var unit = name
    switch found {
    case .file(_, let resolved):
      let target = String(resolved.split(separator: "/").last ?? "")
      // A link from an instance to its template is no alias (systemd.unit(5)).
      if target.hasSuffix(".socket"), !target.contains("@.") { unit = target }
    case .masked: return nil
    case .missing, nil: found = UnitFileNames.template(of: name).flatMap { try? find($0) }
    }
    guard case .file(let fragment, _) = found else { return nil }
    let paths = [fragment] + dropIns(UnitFileNames.dropInFolders(of: unit)).paths
    return (unit, paths.map(read))
  }
}

/// The names of a unit's files, by the rules of systemd.unit(5).
enum UnitFileNames {
  /// The template of an instance: `foo@.socket` of `foo@x.socket`.
  static func template(of name: String) -> String? {
    guard let at = name.firstIndex(of: "@"), let dot = name.lastIndex(of: "."), at < dot,
      name.index(after: at) != dot
    else { return nil }
    return String(name[...at]) + String(name[dot...])
  }

  /// The directories of a unit's drop-ins, most specific first: of its own name, its template's, its name cut off at each dash, its type.
  static func dropInFolders(of name: String) -> [String] {
    guard let dot = name.lastIndex(of: ".") else { return [name + ".d"] }
    let suffix = String(name[name.index(after: dot)...])
    var folders = [name, template(of: name)].compactMap { $0.map { $0 + ".d" } }
    var stem = name[..<dot]
    stem = stem.firstIndex(of: "@").map { stem[..<$0] } ?? stem
    while let dash = stem.dropLast().lastIndex(of: "-"), dash > stem.startIndex {
      stem = stem[...dash]
      folders.append("\(stem).\(suffix).d")
    }
    return folders + ["\(suffix).d"]
  }
}
