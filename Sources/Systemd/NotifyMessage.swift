/// The content of one datagram to a notify socket (sd_notify(3)), as far as a container manager needs it.
///
/// The keys are those that systemd sends as PID 1 of a container. The sender is not trusted: any bytes are a message, unknown keys and
/// invalid values are ignored, and text is made safe to print. If a key occurs twice, the first counts, as for systemd.
public struct NotifyMessage: Equatable, Sendable {
  /// `READY=1`: the guest's job queue is empty after its boot or after a reload. It may be sent more than once.
  public private(set) var isReady = false
  /// `RELOADING=1`; `READY=1` follows.
  public private(set) var isReloading = false
  /// `STOPPING=1`. systemd as PID 1 never sends it; another init may.
  public private(set) var isStopping = false
  /// `STATUS=`: one line for a person.
  public private(set) var status: String?
  /// `EXIT_STATUS=`: the guest's exit status.
  public private(set) var exitStatus: UInt8?
  /// `ERRNO=`: why the guest's PID 1 failed.
  public private(set) var errno: Int32?
  /// `X_SYSTEMD_SIGNALS_LEVEL=`: 2 once PID 1 handles SIGRTMIN+n.
  public private(set) var signalsLevel: Int?
  /// `X_SYSTEMD_UNIT_ACTIVE=`: target units that became active.
  public private(set) var activeUnits: [String] = []
  /// `X_SYSTEMD_UNIT_INACTIVE=`: target units that stopped being active.
  public private(set) var inactiveUnits: [String] = []
  /// `X_SYSTEMD_SHUTDOWN=`: how the guest shuts down.
  public private(set) var shutdown: Shutdown?
  /// `X_SYSTEMD_REBOOT_PARAMETER=`: the argument of a reboot.
  public private(set) var rebootParameter: String?
  /// `X_SYSTEMD_HOSTNAME=`: the guest's host name.
  public private(set) var hostname: String?
  /// `X_SYSTEMD_MACHINE_ID=`: the guest's machine id.
  public private(set) var machineID: MachineID?

  /// The ways in which a guest shuts itself down, in systemd's terms.
  public enum Shutdown: String, Sendable {
    case reboot, halt, poweroff, kexec, exit
  }

  /// The longest datagram that is read, as in systemd (NOTIFY_BUFFER_MAX).
  public static let limit = 4096

  /// systemd's UNIT_NAME_MAX, and the kernel's HOST_NAME_MAX.
  private static let (longestUnit, longestHostname) = (255, 64)

  /// Reads a datagram.
  ///
  /// - Returns: nil when it is longer than ``limit``.
  public init?(_ bytes: [UInt8]) {
    if bytes.count > Self.limit { return nil }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
      assign(String(decoding: line[..<equals], as: UTF8.self), line[(equals + 1)...])
    }
  }

  private mutating func assign(_ key: String, _ bytes: ArraySlice<UInt8>) {
    var value: String { String(decoding: bytes, as: UTF8.self).harmless }
    switch key {
    case "READY": isReady = isReady || value == "1"
    case "RELOADING": isReloading = isReloading || value == "1"
    case "STOPPING": isStopping = isStopping || value == "1"
    case "STATUS": status = status ?? value
    case "EXIT_STATUS": exitStatus = exitStatus ?? number(value)
    case "ERRNO": errno = errno ?? number(value).flatMap { (1...4095).contains($0) ? $0 : nil }
    case "X_SYSTEMD_SIGNALS_LEVEL": signalsLevel = signalsLevel ?? number(value)
    case "X_SYSTEMD_UNIT_ACTIVE": activeUnits += name(value, atMost: Self.longestUnit)
    case "X_SYSTEMD_UNIT_INACTIVE": inactiveUnits += name(value, atMost: Self.longestUnit)
    case "X_SYSTEMD_SHUTDOWN": shutdown = shutdown ?? Shutdown(rawValue: value)
    case "X_SYSTEMD_REBOOT_PARAMETER": rebootParameter = rebootParameter ?? value
    case "X_SYSTEMD_HOSTNAME": hostname = hostname ?? name(value, atMost: Self.longestHostname).first
    case "X_SYSTEMD_MACHINE_ID": machineID = machineID ?? MachineID(value)
    default: break
    }
  }
}

/// A list of one name, or an empty one when the name is longer than any of its kind.
private func name(_ text: String, atMost length: Int) -> [String] { text.utf8.count <= length ? [text] : [] }

/// A decimal number without a sign; nil when `text` is not one, or is out of range.
private func number<Number: FixedWidthInteger>(_ text: String) -> Number? {
  text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Number(text) : nil
}
