import ControlProtocol
import Glibc
import Testing

@Suite("The machine ID of a guest")
struct IdentityTests {
  @Test("no two running guests have the same machine ID: a copy of a guest gets another one, with a warning")
  func machineID() throws {
    try World.with { world in
      let id = "0123456789abcdef0123456789abcdef"
      let uuid = "container_uuid=01234567-89ab-cdef-0123-456789abcdef"
      try world.addTiny("one", "ListenStream=127.0.0.1:8001", settings: "MachineID=\(id)")
      try world.addTiny("two", "ListenStream=127.0.0.1:8002", settings: "MachineID=\(id)")
      try world.startDaemon()
      #expect(try world.connect("127.0.0.1:8001").askList("env").contains(uuid))
      #expect(try world.status("one").messages.isEmpty)
      let copy = try world.connect("127.0.0.1:8002").askList("env")
      #expect(!copy.contains(uuid) && copy.contains { $0.hasPrefix("container_uuid=") })
      #expect(try world.status("two").messages.contains { $0.text.contains("guest one runs with the same machine ID") })
      // The copy has the ID when no other guest runs with it.
      try world.sleep("one")
      try world.sleep("two")
      #expect(try world.connect("127.0.0.1:8002").askList("env").contains(uuid))
    }
  }
}
