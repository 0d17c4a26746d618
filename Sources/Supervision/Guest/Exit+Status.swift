import Glibc
import Lifecycle
import Linux

extension Exit {
  /// How a guest ended, by the exit status of its PID 1. reboot(2) in a PID namespace kills its PID 1 by SIGINT for a halt and a power-off, and by
  /// SIGHUP for a restart (pid_namespaces(7)).
  init(_ status: ExitStatus) {
    switch status {
    case .exited(0), .killed(signal: SIGINT): self = .poweredOff
    case .killed(signal: SIGHUP): self = .rebooted
    case .exited, .killed, .unknown: self = .crashed
    }
  }

  /// For a person.
  func words(_ status: ExitStatus) -> String {
    switch (self, status) {
    case (.poweredOff, .killed): "powered off"
    case (.rebooted, _): "reboot requested"
    case (.poweredOff, _), (.crashed, _): status.description
    }
  }
}
