/// The init that `Boot=yes` runs as PID 1. Inits differ in the signals that stop them, and in whether they send READY=1.
public enum InitSystem: Hashable, Sendable {
  case systemd
  /// sysvinit. Version 3.11 was the first with a signal for powering off.
  case sysvinit(powersOff: Bool)
  /// openrc-init. Where another init runs OpenRC, it is that init.
  case openrc
  case runit
  case finit
  case busybox
  /// s6-svscan as PID 1, without s6-linux-init.
  case s6
  /// s6-svscan, started and set up by s6-linux-init.
  case s6LinuxInit
  case dinit
  /// Any other init. It is expected to follow systemd's Container Interface.
  case other

  /// The paths of a guest's init, tried in systemd-nspawn's order.
  public static let paths = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init"]
  /// The size in bytes up to which a program is read for `init(path:program:)`.
  public static let programLimit = 256 << 10

  /// Recognises an init.
  ///
  /// - Parameters:
  ///   - path: the path of its program, without symbolic links.
  ///   - program: the bytes of the program, which are read only if the path does not tell.
  public init(path: String, program: () -> [UInt8]) {
    if let name = path.split(separator: "/").last, let known = Self.byName[String(name)] {
      self = known
    } else {
      self.init(program: program())
    }
  }

  private static let byName: [String: InitSystem] = [
    "systemd": .systemd, "openrc-init": .openrc, "runit-init": .runit, "runit": .runit, "finit": .finit,
    "busybox": .busybox, "s6-svscan": .s6, "s6-linux-init": .s6LinuxInit, "dinit": .dinit,
  ]

  /// A text that is in the program of this init, and in no other init's.
  private static let marks: [(text: String, InitSystem)] = [
    ("OpenRC init version", .openrc), ("/etc/runit/stopit", .runit), ("Finit version", .finit), ("BusyBox v", .busybox),
    // s6-linux-init-maker writes a script as /sbin/init.
    ("s6-linux-init", .s6LinuxInit), ("s6-svscan", .s6), ("dinit:", .dinit),
  ]

  private init(program: [UInt8]) {
    let version = "INIT_VERSION=sysvinit-"
    if let mark = program.firstRange(of: Array(version.utf8)) {
      self = .sysvinit(powersOff: Self.handlesPowerOff(program[mark.upperBound...].prefix(8)))
    } else {
      let mark = Self.marks.first { program.firstRange(of: Array($0.text.utf8)) != nil }
      self = mark?.1 ?? .other
    }
  }

  private static func handlesPowerOff(_ version: ArraySlice<UInt8>) -> Bool {
    let numbers = version.split { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      .map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
    return !numbers.prefix(2).lexicographicallyPrecedes([3, 11])
  }
}

extension InitSystem {
  /// The signal that stops it: the first of `stopSignals`.
  public var stopSignal: Signal { stopSignals.first ?? .sigterm }

  /// The signals at which it stops all processes and ends: it powers off, halts or reboots.
  public var stopSignals: [Signal] {
    switch self {
    case .systemd, .other: Signal.stopsOfSystemd
    // At SIGINT it runs the line ctrlaltdel of its inittab(5). Before version 3.11 it has no other signal for that.
    case .sysvinit(powersOff: true): [.realtime(4), .sigint]
    case .sysvinit(powersOff: false): [.sigint]
    case .openrc: [.sigterm, .sigpwr, .sigint]
    // Debian's runit stops at SIGPWR. Any runit stops at SIGCONT if /etc/runit/stopit is an executable file.
    case .runit: [.sigpwr, .sigcont]
    case .finit: [.sigusr2, .sigterm]
    case .busybox: [.sigusr2, .sigusr1, .sigterm]
    case .s6: [.sigterm, .sigint, .sigquit, .sighup]
    case .s6LinuxInit: [.sigusr1, .sigusr2, .sigpwr, .sigint]
    case .dinit: [.sigterm, .sigint, .sigquit]
    }
  }

  /// Whether it sends READY=1 to the notify socket, as systemd does.
  public var sendsReady: Bool {
    switch self {
    case .systemd, .other: true
    case .sysvinit, .openrc, .runit, .finit, .busybox, .s6, .s6LinuxInit, .dinit: false
    }
  }

  /// Its name, for messages.
  public var name: String {
    switch self {
    case .systemd: "systemd"
    case .sysvinit: "sysvinit"
    case .openrc: "openrc-init"
    case .runit: "runit"
    case .finit: "finit"
    case .busybox: "busybox init"
    case .s6: "s6-svscan"
    case .s6LinuxInit: "s6-linux-init"
    case .dinit: "dinit"
    case .other: "an unknown init"
    }
  }
}
