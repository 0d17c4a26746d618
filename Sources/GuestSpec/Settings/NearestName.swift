/// Finds the name that somebody probably meant.
///
/// - Returns: the name with the smallest edit distance, if that is at most a third of the word; nil when there is none.
func nearestName(to word: String, among names: [String]) -> String? {
  let limit = max(1, word.utf8.count / 3)
  // A comparison costs the product of both lengths, and no name is similar to a very long word.
  if word.utf8.count > 64 { return nil }
  let word = word.lowercased()
  let near = names.map { name in
    // The unit at the end of a time span's name is what people forget, and it is longer than a slip of the fingers.
    let whole = name.lowercased()
    let stem = whole.hasSuffix("sec") ? String(whole.dropLast(3)) : whole
    return (name: name, changes: min(changes(from: word, to: whole), changes(from: word, to: stem)))
  }
  return near.filter { $0.changes <= limit }.min { $0.changes < $1.changes }?.name
}

/// The edit distance of Levenshtein: the number of insertions, deletions and replacements.
private func changes(from first: String, to second: String) -> Int {
  let target = Array(second.utf8)
  var row = Array(0...target.count)
  for (line, byte) in first.utf8.enumerated() {
    var diagonal = row[0]
    row[0] = line + 1
    for column in target.indices {
      let replaced = diagonal + (byte == target[column] ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
    }
  }
  return row[target.count]
}
