import Glibc
import Systemd
import Testing

@Suite struct MachineIDTests {
  @Test("a machine id is read from 32 hexadecimal digits or a UUID, and written as 32 lower-case digits")
  func text() {
    let id = "8d3f2f3c0b0e4f3f9b7e6a5d4c3b2a19"
    #expect(MachineID(id)?.description == id)
    #expect(MachineID("8D3F2F3C-0B0E-4F3F-9B7E-6A5D4C3B2A19")?.description == id)
    for wrong in ["", "8d3f", id + "0", String(repeating: "0", count: 32), String(repeating: "g", count: 32)] {
      #expect(MachineID(wrong) == nil, "\(wrong)")
    }
  }

  @Test("the machine id of a guest is always the same, and differs from those of other names and of the host")
  func derived() throws {
    let host = try MachineID.host()
    let long = String(repeating: "a", count: 16)
    let names = ["", "a", "b", "web", "web2", "\u{0}", "a\u{0}", long, long + "a", long + long, "b" + long]
    let ids = try names.map { try MachineID.guest($0) }
    #expect(try ids == names.map { try MachineID.guest($0) })
    #expect(Set(ids + [host]).count == names.count + 1)
  }
}
