import ControlProtocol
import Glibc
import Testing

@Suite("A stop without eBPF")
struct ProgramFaultTests {
  @Test(
    "clients of a guest that stops without eBPF are served by the next instance, with and without tcp_migrate_req",
    arguments: [0, 1])
  func served(migrates: Int) throws {
    try World.with { world in
      _ = try world.run("sh", "-c", "echo \(migrates) >/proc/sys/net/ipv4/tcp_migrate_req")
      try world.addTiny("echo", "ListenStream=127.0.0.1:8001")
      let daemon = try world.startDaemon()
      let injection = try Injection("bpf:error=EPERM", into: daemon.pid, of: world)
      for number in 1...3 {
        try world.wake("echo")
        let pid = try #require(try world.summary("echo").pid)
        try stop(pid)
        let clients = try world.connect("127.0.0.1:8001", times: 5)
        for client in clients { try client.send("hello") }
        let stopping = try world.start([Built.dormouse, "sleep", "echo", "--now", "--runtime", world.runtime])
        try daemon.waitForLog("stopping on request (SIGTERM)", times: number)
        let late = try world.connect("127.0.0.1:8001")
        kill(pid, SIGKILL)
        for client in clients { #expect(try client.line() == "hello") }
        #expect(stopping.wait() != nil)
        for client in clients { client.close() }
        #expect(try late.ask("late") == "late")
        late.close()
      }
      injection.end()
    }
  }
}
