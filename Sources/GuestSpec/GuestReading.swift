import UnitSyntax

/// A guest as its files say it, and everything that is wrong with them.
public struct GuestReading: Equatable, Sendable {
  /// What could be read; a setting with a wrong value has its default here.
  public var guest: Guest
  /// Every problem of every file, in the order of the files.
  public var diagnostics: [Diagnostic]
  /// The listeners of all `guest.sockets` in their order, each with the line that asks for it.
  public var listeners: [PlacedListener]

  /// A guest with errors is not started; warnings do not keep it from running.
  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// A listener, the options of its group that decide what else it is in the way of, and where it is written.
public struct PlacedListener: Equatable, Sendable {
  /// What it listens to.
  public var listen: Listen
  /// Its group's `BindIPv6Only=`.
  public var bindIPv6Only: BindIPv6Only
  /// Its group's `ReusePort=`.
  public var reusePort: Bool
  /// Where it is written.
  public var file: String
  /// Counted from 1.
  public var line: Int

  public init(_ listen: Listen, in group: SocketGroup, file: String, line: Int) {
    self.listen = listen
    bindIPv6Only = group.bindIPv6Only
    reusePort = group.reusePort
    self.file = file
    self.line = line
  }
}

extension Guest {
  /// Hostname rules and at most 64 characters: the name is a machine's name, a cgroup's and a file's.
  public static func isValid(name: String) -> Bool { isHostname(name) }

  /// Puts a guest together from its files, lowest precedence first: `NAME.nspawn`, `NAME.guest`, then its drop-ins
  /// `*.conf`.
  ///
  /// Sections and settings that stand again later add to a list or replace a value, as in systemd.unit(5). `[Socket]`
  /// is the exception, because it may repeat: each time it stands there, in a drop-in too, it begins a group of its
  /// own; an empty `ListenStream=` (or `ListenDatagram=`, `ListenSequentialPacket=`) in a drop-in forgets the
  /// addresses of all groups before it, so that a drop-in can replace them.
  ///
  /// In `.nspawn` files specifiers are not replaced, as in systemd-nspawn.
  ///
  /// - Parameters:
  ///   - name: the file's name without `.guest`.
  ///   - files: with the diagnostics of their syntax, which come out again among the others.
  ///   - specifiers: what `%` stands for on this host.
  /// - Returns: the guest and every problem; it never fails.
  public static func read(name: String, from files: [UnitFile], specifiers: Specifiers) -> GuestReading {
    var reader = GuestReader(name: name, specifiers: specifiers)
    for file in files { reader.read(file) }
    return reader.finish(files.last?.path ?? name)
  }
}
