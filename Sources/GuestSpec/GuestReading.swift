import UnitSyntax

/// The result of reading a guest's files: the guest, and every problem that was found.
public struct GuestReading: Equatable, Sendable {
  /// The guest; a setting with an invalid value keeps its default.
  public var guest: Guest
  /// The problems in the order of the files.
  public var diagnostics: [Diagnostic]
  /// The listeners of all `guest.sockets` in order, each with the line that asks for it.
  public var listeners: [PlacedListener]

  /// Whether the guest cannot start. Warnings do not prevent a start.
  public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
}

/// A listener with its line, and with the options that decide which other listeners it conflicts with.
public struct PlacedListener: Equatable, Sendable {
  /// The kind and the address.
  public var listen: Listen
  /// `BindIPv6Only=` of its group.
  public var bindIPv6Only: BindIPv6Only
  /// `ReusePort=` of its group.
  public var reusePort: Bool
  /// The file that asks for it.
  public var file: String
  /// The line in that file, counted from 1.
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
  /// Whether a guest may have this name, which is also the name of a machine, a cgroup and a file: the rules of hostnames, and
  /// at most 64 characters.
  public static func isValid(name: String) -> Bool { isHostname(name) }

  /// Reads a guest from its files, from the lowest precedence to the highest: `NAME.nspawn`, `NAME.guest`, and its drop-ins
  /// `*.conf`.
  ///
  /// A later assignment adds to a list or replaces a value, as in systemd.unit(5). `[Socket]` is the exception because it may
  /// occur several times: each occurrence begins a new group, in a drop-in too. An empty `ListenStream=`, `ListenDatagram=` or
  /// `ListenSequentialPacket=` in a drop-in removes the addresses of all groups before it, so that a drop-in can replace them.
  ///
  /// Specifiers in `.nspawn` files are not replaced, as in systemd-nspawn.
  ///
  /// - Parameters:
  ///   - name: the name of the guest file without `.guest`.
  ///   - files: the parsed files; their syntax errors are among the diagnostics of the result.
  ///   - specifiers: the values of the specifiers on this host.
  /// - Returns: the guest and every problem. Reading never fails.
  public static func read(name: String, from files: [UnitFile], specifiers: Specifiers) -> GuestReading {
    var reader = GuestReader(name: name, specifiers: specifiers)
    for file in files { reader.read(file) }
    return reader.finish(files.last?.path ?? name)
  }
}

extension Guest: Defaulted {
  static var defaults: Guest { Guest(name: "") }
}
