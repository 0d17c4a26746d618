/// The version of systemd in a guest's root; nil when there is none, or its files do not show the version.
///
/// The version is in the file name of libsystemd-shared, the library of all programs of systemd.
public func systemdVersion(inRoot root: String) -> Int? {
  for directory in ["/usr/lib/systemd", "/usr/lib64/systemd", "/usr/lib/x86_64-linux-gnu/systemd"]
    + ["/usr/lib/aarch64-linux-gnu/systemd", "/usr/lib/i386-linux-gnu/systemd", "/usr/lib/arm-linux-gnueabihf/systemd"]
  {
    let names = (try? FileInRoot(directory, inRoot: root, limit: 4096))?.names ?? []
    if let version = names.compactMap(systemdVersion(ofLibrary:)).max() { return version }
  }
  return nil
}

/// Parses `libsystemd-shared-257.so`, or on some distributions `libsystemd-shared-257.10-1.fc42.so`; nil for any other name.
func systemdVersion(ofLibrary name: String) -> Int? {
  let head = "libsystemd-shared-"
  guard name.hasPrefix(head), name.hasSuffix(".so") else { return nil }
  return Int(name.dropFirst(head.count).prefix { $0.isASCII && $0.isNumber })
}
