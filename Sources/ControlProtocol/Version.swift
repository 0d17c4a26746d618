/// The version of `dormoused` and `dormouse` alike.
public enum DormouseVersion {
  /// The release whose changes stand first in CHANGELOG.md.
  public static let current = "0.1.0"
}
