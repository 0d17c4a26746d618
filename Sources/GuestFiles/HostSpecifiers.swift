import GuestSpec
import Linux

extension Specifiers {
  /// The values of those specifiers of systemd.unit(5) that depend on the host. One that cannot be read is missing.
  static func ofThisHost() -> [Character: String] {
    var values: [Character: String] = ["T": "/tmp", "V": "/var/tmp"]
    values["m"] = firstLine("/etc/machine-id")
    values["b"] = firstLine("/proc/sys/kernel/random/boot_id").map { $0.filter { $0 != "-" } }
    values["v"] = firstLine("/proc/sys/kernel/osrelease")
    values["a"] = architecture
    if let name = firstLine("/proc/sys/kernel/hostname") {
      values["H"] = name
      values["l"] = String(name.prefix { $0 != "." })
    }
    values["q"] = variables("/etc/machine-info")?["PRETTY_HOSTNAME"] ?? values["H"]
    if let release = variables("/etc/os-release") ?? variables("/usr/lib/os-release") {
      let names: [Character: String] = [
        "A": "IMAGE_VERSION", "B": "BUILD_ID", "M": "IMAGE_ID", "o": "ID", "w": "VERSION_ID", "W": "VARIANT_ID",
      ]
      // A variable that os-release(5) leaves out is empty, as in systemd.
      for (letter, name) in names { values[letter] = release[name] ?? "" }
    }
    return values
  }

  private static func firstLine(_ path: String) -> String? {
    guard let bytes = try? readFile(path, limit: 4096) else { return nil }
    let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    return line.isEmpty ? nil : line
  }

  private static func variables(_ path: String) -> [String: String]? {
    (try? readFile(path, limit: 1 << 16)).map { assignments(in: String(decoding: $0, as: UTF8.self)) }
  }

  /// This program's architecture by its name in `ConditionArchitecture=`.
  private static var architecture: String? {
    #if arch(x86_64)
      "x86-64"
    #elseif arch(arm64)
      "arm64"
    #elseif arch(riscv64)
      "riscv64"
    #elseif arch(s390x)
      "s390x"
    #else
      nil
    #endif
  }
}
