import FoundationEssentials

/// Prints a value as JSON with sorted keys.
func printJSON(_ value: some Encodable) {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  // Encoding cannot fail: every value was decoded from JSON.
  guard let text = try? encoder.encode(value) else { return }
  print(String(decoding: text, as: UTF8.self))
}
