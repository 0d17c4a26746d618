import ControlProtocol
import Foundation
import Testing

/// Programs of Debian packages, without changes for Dormouse.
@Suite("Real software")
struct SoftwareTests {
  @Test("a client logs in with OpenSSH, its session keeps the guest awake, and the guest sleeps afterwards")
  func ssh() throws {
    try World.with { world in
      let client = try makeKey(world)
      try world.addDebian(
        "shell", image: "trixie-ssh", units: nil, "ListenStream=22",
        settings: "[Files]\nBindReadOnly=\(world.directory)/keys:/root/.ssh:idmap\n[Guest]\nIdleStopSec=500ms")
      try world.addTiny("clock", "ListenStream=127.0.0.1:8009", settings: "[Guest]\nIdleStopSec=500ms")
      let daemon = try world.startDaemon()

      let once = try world.run(client + ["root@127.0.0.1", "cat /etc/hostname; systemctl is-system-running --wait"])
      #expect(once.output == "trixie-ssh\nrunning\n", "\(once.errors)")
      try world.wait("shell", .inactive)

      let session = try world.start(
        client + ["root@::1", "echo here; exec sleep 1000"], log: world.directory + "/session")
      try daemon.until("the session is open") { text(of: world.directory + "/session.out") == "here\n" }
      // Each cycle of the guest that serves as the clock takes IdleStopSec=.
      for _ in 1...4 {
        _ = try world.ask("127.0.0.1:8009", "tick")
        try world.wait("clock", .inactive)
      }
      #expect(try world.summary("shell").state == .active)
      #expect(try world.summary("shell").connections == 1)
      session.signal(15)
      #expect(session.wait() != nil)
      try world.wait("shell", .inactive)
      #expect(try world.status("shell").lastStop?.cause == .idle)
      #expect(try world.summary("shell").wakes == 2)
    }
  }

  @Test("the status shows the boot of a guest: its host name, its ID, its units and the address of its SSH server")
  func progress() throws {
    try World.with { world in
      let client = try makeKey(world)
      try world.addDebian(
        "shell", image: "trixie-ssh", units: nil, "ListenStream=127.0.0.1:8001",
        settings: "[Files]\nBindReadOnly=\(world.directory)/keys:/root/.ssh:idmap")
      try world.startDaemon()
      // No unit of the guest takes the socket, which is what the command then says.
      _ = try world.dormouse("wake", "shell")
      let address = "\(world.runtime)/unix-export/shell/ssh"
      try eventually("the guest announces its SSH server") {
        try world.status("shell").report?.sshAddress == "unix\(address)"
      }
      let report = try #require(try world.status("shell").report)
      #expect(report.hostname == "trixie-ssh")
      #expect(report.machineID?.count == 32)
      #expect(report.units.contains("multi-user.target") && report.units.contains("ssh-access.target"))
      #expect(report.ready && report.status == "Ready." && report.reaching == nil)
      let text = try world.dormouse("status", "shell").output
      #expect(text.contains("SSH: ssh unix\(address)\n") && text.contains("Hostname: trixie-ssh\n"))
      // A connected socket is passed to ssh, as systemd-ssh-proxy(1) does, which older hosts lack.
      let proxy = """
        import socket, sys
        guest = socket.socket(socket.AF_UNIX)
        guest.connect(sys.argv[1])
        socket.send_fds(socket.socket(fileno=1), [b"x"], [guest.fileno()])
        """
      try proxy.write(toFile: world.directory + "/proxy", atomically: true, encoding: .utf8)
      let options = ["ProxyCommand=python3 \(world.directory)/proxy \(address)", "ProxyUseFdpass=yes"]
      let login = try world.run(client + options.flatMap { ["-o", $0] } + ["root@shell", "cat /etc/hostname"])
      #expect(login.output == "trixie-ssh\n", "\(login.errors)")
      try world.sleep("shell")
      #expect(try world.status("shell").report?.sshAddress == nil)
    }
  }

  @Test("lighttpd with its packaged, hardened unit gets its listener by LISTEN_FDS")
  func lighttpd() throws {
    try World.with { world in
      try world.addDebian(
        "web", image: "trixie-ssh", units: try world.writeUnits(["lighttpd.socket": "[Socket]\nListenStream=80\n"]),
        "ListenStream=80", "BindIPv6Only=both",
        settings: """
          [Files]
          BindReadOnly=\(try writeSite(world)):/etc/lighttpd
          [Guest]
          IdleStopSec=3s
          """)
      try world.startDaemon()
      for round in 1...2 {
        for host in ["127.0.0.1", "[::1]"] {
          let fetched = try world.run("curl", "--silent", "--show-error", "http://\(host)/index.txt")
          #expect(fetched.output == "served by lighttpd\n", "\(fetched.errors)")
        }
        try world.wait("web", .inactive)
        #expect(try world.summary("web").wakes == round)
      }
    }
  }

  /// Makes a key pair and returns the ssh client that uses it.
  private func makeKey(_ world: World) throws -> [String] {
    let keys = world.directory + "/keys"
    try FileManager.default.createDirectory(
      atPath: keys, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try require("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", world.directory + "/key")
    try FileManager.default.copyItem(atPath: world.directory + "/key.pub", toPath: keys + "/authorized_keys")
    return [
      "ssh", "-F", "none", "-i", world.directory + "/key", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
      "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
    ]
  }

  private func writeSite(_ world: World) throws -> String {
    let directory = world.directory + "/lighttpd"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try "served by lighttpd\n".write(toFile: directory + "/index.txt", atomically: true, encoding: .utf8)
    try """
    server.systemd-socket-activation = "enable"
    server.bind = "[::]"
    server.port = 80
    server.document-root = "/etc/lighttpd"
    mimetype.assign = ( ".txt" => "text/plain" )
    """.write(toFile: directory + "/lighttpd.conf", atomically: true, encoding: .utf8)
    return directory
  }
}
