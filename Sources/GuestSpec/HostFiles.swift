/// systemd.nspawn(5) `Timezone=`.
public enum Timezone: String, Equatable, Sendable, CaseIterable {
  case off, copy, bind, symlink, delete, auto
}

/// systemd.nspawn(5) `ResolvConf=`.
public enum ResolvConf: Equatable, Sendable {
  case off, delete, auto
  /// The contents are copied; a symbolic link in the guest is kept.
  case copy(Source)
  /// The contents are copied; a symbolic link in the guest is replaced.
  case replace(Source)
  /// The file is bind mounted.
  case bind(Source)

  /// The file of the host that is used.
  public enum Source: String, Equatable, Sendable, CaseIterable {
    case host, `static`, uplink, stub

    /// The path of the file, as in systemd-resolved(8).
    public var path: String {
      switch self {
      case .host: "/etc/resolv.conf"
      case .static: "/usr/lib/systemd/resolv.conf"
      case .uplink: "/run/systemd/resolve/resolv.conf"
      case .stub: "/run/systemd/resolve/stub-resolv.conf"
      }
    }
  }

  /// The words of the setting: `off`, `delete`, `auto`, and `copy-host` and so on.
  static var words: [(word: String, meaning: ResolvConf)] {
    let plain: [(String, ResolvConf)] = [("off", .off), ("delete", .delete), ("auto", .auto)]
    let verbs: [(String, (Source) -> ResolvConf)] = [
      ("copy", ResolvConf.copy), ("replace", ResolvConf.replace), ("bind", ResolvConf.bind),
    ]
    return plain
      + verbs.flatMap { verb, mode in Source.allCases.map { ("\(verb)-\($0.rawValue)", mode($0)) } }
  }

  /// The files of the host that may be used; the first that exists is taken.
  public var candidates: [String] {
    switch self {
    case .off, .delete: []
    case .auto: [Source.stub.path, Source.host.path]
    case .copy(let source), .replace(let source), .bind(let source): [source.path]
    }
  }
}

/// systemd.nspawn(5) `LinkJournal=`.
public enum LinkJournal: String, Equatable, Sendable, CaseIterable {
  case no, host, guest, auto
  case tryHost = "try-host"
  case tryGuest = "try-guest"
}
