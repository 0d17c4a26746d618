import FoundationEssentials

/// Prints a value as JSON, its keys in the order of the alphabet.
func printJSON(_ value: some Encodable) {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  // What came out of JSON can be put into it again.
  guard let text = try? encoder.encode(value) else { return }
  print(String(decoding: text, as: UTF8.self))
}
