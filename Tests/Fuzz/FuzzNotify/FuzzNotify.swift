import CFuzzer
import Systemd

/// Any datagram is read or refused, and nothing in what was read can steer a terminal.
@main enum FuzzNotify {
  static func main() {
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    _ = LLVMFuzzerRunDriver(&count, &arguments) { start, count in
      tryDatagram(Array(UnsafeBufferPointer(start: start, count: count)))
      return 0
    }
  }
}

private func tryDatagram(_ bytes: [UInt8]) {
  guard let message = NotifyMessage(bytes) else {
    precondition(bytes.count > NotifyMessage.limit, "a datagram within the limit was refused")
    return
  }
  let texts = [message.status, message.rebootParameter, message.hostname].compactMap { $0 }
  for text in texts + message.activeUnits + message.inactiveUnits {
    for scalar in text.unicodeScalars {
      precondition(scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value), "a control character came through")
    }
  }
}
