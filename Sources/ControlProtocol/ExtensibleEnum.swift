/// An enumeration of the interface. Later versions may add values to it.
///
/// A client that meets a value which it does not know keeps its word, so that it can be shown as it stands.
public protocol ExtensibleEnum: Codable, Equatable, Sendable {
  /// The values of this version, in the order of the description.
  static var known: [Self] { get }
  /// A value of a later version.
  static func unrecognized(_ word: String) -> Self
  /// The value's word in JSON.
  var rawValue: String { get }
}

extension ExtensibleEnum {
  /// Any word has a value.
  public init(rawValue: String) { self = Self.known.first { $0.rawValue == rawValue } ?? .unrecognized(rawValue) }

  public init(from decoder: any Decoder) throws {
    self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}
