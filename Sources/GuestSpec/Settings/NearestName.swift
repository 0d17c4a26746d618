/// The name that somebody may have meant.
///
/// - Returns: the one with the fewest letters to change, when that is at most a third of the word; nil when none is
///   near.
func nearestName(to word: String, among names: [String]) -> String? {
  let limit = max(1, word.utf8.count / 3)
  // A very long word is near to nothing, and comparing it would cost its length times each name's.
  if word.utf8.count > 64 { return nil }
  let near = names.map { (name: $0, changes: changes(from: word.lowercased(), to: $0.lowercased())) }
  return near.filter { $0.changes <= limit }.min { $0.changes < $1.changes }?.name
}

/// The edit distance of Levenshtein: letters put in, taken out or replaced.
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
