/// An architecture of `Personality=`, by systemd's names.
public enum Personality: String, Hashable, Sendable, CaseIterable {
  case x86
  case amd64 = "x86-64"
  case arm
  case arm64
}
