extension Manager {
  /// As CHANGELOG.md has it.
  public static let version = "0.1.0"
}
