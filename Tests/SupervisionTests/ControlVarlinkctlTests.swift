import ControlProtocol
import Testing

@testable import Supervision

@Suite("systemd's varlinkctl", .enabled(if: Varlinkctl.isThere, "needs root and Tests/guests/make-guest trixie"))
struct ControlVarlinkctlTests {
  private static let address = "/mnt/io.dormouse"

  @Test("shows the vendor, the product and the interfaces of the service")
  func info() async throws {
    try await withControlDaemon { _, runtime in
      let info = try Varlinkctl.run(runtime, "info", Self.address)
      #expect(info.status == 0, "\(info.errors)")
      for word in ["Dormouse", "dormoused", "1.2.3"] { #expect(info.output.contains(word)) }
      let list = try Varlinkctl.run(runtime, "list-interfaces", Self.address)
      #expect(list.output == "io.dormouse.Manager\norg.varlink.service\n", "\(list.errors)")
    }
  }

  @Test("parses the description of each interface", arguments: ["io.dormouse.Manager", "org.varlink.service"])
  func introspect(interface: String) async throws {
    try await withControlDaemon { _, runtime in
      let result = try Varlinkctl.run(runtime, "introspect", Self.address, interface)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("interface \(interface)"))
    }
  }

  @Test("calls a method, and shows an error by its name")
  func call() async throws {
    try await withControlDaemon { _, runtime in
      let parameters = #"{"name":"web"}"#
      let status = try Varlinkctl.run(runtime, "call", "-j", Self.address, "io.dormouse.Manager.Status", parameters)
      #expect(status.status == 0, "\(status.errors)")
      #expect(status.output.contains(#""state":"active""#))
      #expect(status.output.contains(#""pid":null"#))
      for (method, error) in [
        ("io.dormouse.Manager.Why", "io.dormouse.Manager.NoSuchGuest"),
        ("io.dormouse.Manager.List", "org.varlink.service.InvalidParameter"),
        ("io.dormouse.Manager.Nap", "org.varlink.service.MethodNotFound"),
        ("io.other.Nap", "org.varlink.service.InterfaceNotFound"),
      ] {
        let result = try Varlinkctl.run(runtime, "call", "-j", Self.address, method, parameters)
        #expect(result.status != 0)
        #expect(result.errors.contains(error), "\(result)")
      }
    }
  }

  @Test("prints each reply of a subscription until the daemon ends")
  func subscription() async throws {
    try await withControlDaemon { daemon, runtime in
      async let result = daemon.client {
        try Varlinkctl.run(runtime, "call", "--more", "-j", Self.address, "io.dormouse.Manager.SubscribeGuests", "{}")
      }
      await daemon.called(1)
      await daemon.change("web", to: .active)
      await daemon.change("web", to: nil)
      await daemon.close()
      let output = try await result.output
      #expect(output.contains(#""guests":[]"#), "\(output)")
      #expect(output.contains(#""state":"active""#), "\(output)")
      #expect(output.contains(#""removed":["web"]"#), "\(output)")
    }
  }

  @Test("waits for a guest that wakes")
  func wait() async throws {
    try await withControlDaemon { daemon, runtime in
      async let result = daemon.client {
        try Varlinkctl.run(runtime, "call", "-j", Self.address, "io.dormouse.Manager.Wake", #"{"name":"web"}"#)
      }
      await daemon.called(1)
      await daemon.answer(.done)
      let ending = try await result
      #expect(ending.status == 0, "\(ending.errors)")
    }
  }
}
