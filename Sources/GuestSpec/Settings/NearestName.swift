/// Finds the name that somebody probably meant.
///
/// - Returns: the name with the smallest edit distance, if that is at most a third of the word; nil when there is none.
func nearestName(to word: String, among names: some Sequence<String>) -> String? {
  let limit = max(1, word.utf8.count / 3)
  // A comparison costs the product of both lengths, and no name is similar to a very long word.
  if word.utf8.count > 64 { return nil }
  let word = Array(word.utf8)
  var nearest: (name: String, changes: Int)?
  for name in names {
    let whole = name.utf8
    // People forget the suffix Sec of a time span's name, which is longer than a typing error.
    let lengths = name.hasSuffix("Sec") ? [whole.count, whole.count - 3] : [whole.count]
    // A difference in length is at least as many changes, so most names need no comparison.
    for length in lengths where abs(length - word.count) <= limit {
      let changes = changes(from: word, to: Array(whole.prefix(length)))
      if changes <= limit, changes < nearest?.changes ?? .max { nearest = (name, changes) }
    }
  }
  return nearest?.name
}

/// The edit distance of Levenshtein: the number of insertions, deletions and replacements. Upper and lower case are the same.
private func changes(from first: [UInt8], to second: [UInt8]) -> Int {
  func isSame(_ byte: UInt8, _ other: UInt8) -> Bool { byte == other || isLetter(byte) && byte | 0x20 == other | 0x20 }
  var row = Array(0...second.count)
  for (line, byte) in first.enumerated() {
    var diagonal = row[0]
    row[0] = line + 1
    for column in second.indices {
      let replaced = diagonal + (isSame(byte, second[column]) ? 0 : 1)
      diagonal = row[column + 1]
      row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
    }
  }
  return row[second.count]
}
