extension Manager {
  /// Of `dormoused` and `dormouse` alike: the release whose changes stand first in CHANGELOG.md.
  public static let version = "0.1.0"
}
