import Glibc
import Linux
import Testing

@Suite("The object files of CLaunch")
struct SymbolTests {
  /// The object files of the code that runs between clone3(2) and execve(2).
  private static let objects = [
    "hold.c.o", "init.c.o", "launch.c.o", "mounts.c.o", "operations.c.o", "privileges.c.o", "second.c.o", "users.c.o",
  ]
  /// Symbols that a compiler may add; none of them has state.
  private static let allowed: Set<String> = ["memcpy", "memset", "memmove", "__stack_chk_fail"]
  /// Symbols that the linker defines.
  private static let bounds: Set<String> = ["__start_dormouse_init", "__stop_dormouse_init"]

  private func directory() throws -> String {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &path, path.count)
    try #require(length > 0)
    // The bundle is .build/CONFIGURATION/NAME.xctest. The object files are beside it.
    let parts = String(decoding: path[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self).split(separator: "/")
    return try #require(
      parts.indices.reversed().lazy
        .map { "/" + parts[..<$0].joined(separator: "/") + "/CLaunch.build" }
        .first { access($0, F_OK) == 0 }, "no CLaunch.build above \(parts)")
  }

  @Test("the code of the small init refers to nothing outside of its section")
  func section() throws {
    let object = try directory() + "/init.c.o"
    let names = try lines(of: "objdump -h '\(object)'").filter { $0.contains("dormouse_init") }
    #expect(names.count == 1, "\(names)")
    let relocations = try lines(of: "objdump -r -j dormouse_init '\(object)'")
    #expect(!relocations.contains { $0.hasPrefix("RELOCATION") }, "\(relocations)")
  }

  @Test("the code of CLaunch calls no function of libc")
  func symbols() throws {
    let directory = try directory()
    var defined: Set<String> = []
    var undefined: Set<String> = []
    for object in Self.objects {
      for line in try lines(of: "nm '\(directory)/\(object)'") {
        let fields = line.split(separator: " ").map(String.init)
        guard let name = fields.last, fields.count >= 2 else { continue }
        if fields[fields.count - 2] == "U" { undefined.insert(name) } else { defined.insert(name) }
      }
    }
    #expect(defined.contains("launch_child"))
    #expect(undefined.subtracting(defined).subtracting(Self.allowed).subtracting(Self.bounds) == [])
  }

  private func lines(of command: String) throws -> [String] {
    guard let pipe = popen(command, "r") else { throw SystemError("popen", errno: errno) }
    var lines: [String] = []
    var line = [CChar](repeating: 0, count: 1024)
    while fgets(&line, Int32(line.count), pipe) != nil {
      lines.append(String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    pclose(pipe)
    return lines
  }
}
