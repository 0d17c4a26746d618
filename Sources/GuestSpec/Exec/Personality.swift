/// An architecture of `Personality=`, under the name that systemd has for it.
public enum Personality: String, Hashable, Sendable, CaseIterable {
  case x86
  case amd64 = "x86-64"
  case arm
  case arm64

  /// Whether its programs are 32-bit ones.
  public var is32Bit: Bool { self == .x86 || self == .arm }
}
