/// The version of systemd in a guest's root; nil when there is none, or its files do not tell.
///
/// It is in the name of the library that all of systemd's programs share, and nowhere else.
public func systemdVersion(inRoot root: String) -> Int? {
  for directory in ["/usr/lib/systemd", "/usr/lib64/systemd", "/usr/lib/x86_64-linux-gnu/systemd"]
    + ["/usr/lib/aarch64-linux-gnu/systemd", "/usr/lib/i386-linux-gnu/systemd", "/usr/lib/arm-linux-gnueabihf/systemd"]
  {
    let names = (try? FileInRoot(directory, inRoot: root, limit: 4096))?.names ?? []
    if let version = names.compactMap(systemdVersion(ofLibrary:)).max() { return version }
  }
  return nil
}

/// `libsystemd-shared-257.so`, and of some distributions `libsystemd-shared-257.10-1.fc42.so`.
func systemdVersion(ofLibrary name: String) -> Int? {
  let head = "libsystemd-shared-"
  guard name.hasPrefix(head), name.hasSuffix(".so") else { return nil }
  return Int(name.dropFirst(head.count).prefix { $0.isASCII && $0.isNumber })
}
