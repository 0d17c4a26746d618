/// A key of a section: how its value is read, and where it is stored.
struct Setting<Target: Defaulted>: Sendable {
  let key: String
  /// The kind of value; nil for a key that is known but not supported.
  let expects: String?
  /// Whether no message may show the value.
  private(set) var isSecret = false
  let assign: @Sendable (String, inout Target, inout ValueContext) throws(WrongValue) -> Void

  private init(
    _ key: String, _ expects: String?,
    _ assign: @escaping @Sendable (String, inout Target, inout ValueContext) throws(WrongValue) -> Void
  ) {
    self.key = key
    self.expects = expects
    self.assign = assign
  }

  /// A key of systemd's manual that this version does not support.
  static func known(_ key: String) -> Setting { Setting(key, nil) { (_, _, _) in } }

  /// The same setting, with a value that no message shows.
  var secret: Setting {
    var setting = self
    setting.isSecret = true
    return setting
  }

  /// A setting with a default: the last assignment wins, and an empty one restores the default.
  static func value<T>(
    _ key: String, _ value: Value<T>, _ place: WritableKeyPath<Target, T> & Sendable
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      target[keyPath: place] =
        text.isEmpty ? Target.defaults[keyPath: place] : try value.parse(text, &context)
    }
  }

  /// A setting without a default: the last assignment wins, and an empty one removes the value.
  static func optional<T>(
    _ key: String, _ value: Value<T>, _ place: WritableKeyPath<Target, T?> & Sendable
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      target[keyPath: place] = text.isEmpty ? nil : try value.parse(text, &context)
    }
  }

  /// A list: each assignment appends its elements, and an empty one removes all before it.
  static func list<T>(
    _ key: String, _ value: Value<[T]>, _ place: WritableKeyPath<Target, [T]> & Sendable
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      if text.isEmpty {
        target[keyPath: place] = []
      } else {
        target[keyPath: place] += try value.parse(text, &context)
      }
    }
  }

  /// As `optional`, but a later assignment is combined with the earlier ones.
  static func joined<T>(
    _ key: String, _ value: Value<T?>, _ place: WritableKeyPath<Target, T?> & Sendable,
    by join: @escaping @Sendable (T?, T?) -> T?
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      target[keyPath: place] = text.isEmpty ? nil : join(target[keyPath: place], try value.parse(text, &context))
    }
  }

  /// As `list`, with one element for each assignment. Several keys may share the list: an empty assignment removes only the elements
  /// for which `forgets` is true.
  static func element<T>(
    _ key: String, _ value: Value<T>, _ place: WritableKeyPath<Target, [T]> & Sendable,
    forgets: @escaping @Sendable (T) -> Bool = { _ in true }
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      if text.isEmpty {
        target[keyPath: place].removeAll(where: forgets)
      } else {
        target[keyPath: place].append(try value.parse(text, &context))
      }
    }
  }
}

/// A type into which settings are read, with a value that has all defaults.
protocol Defaulted: Sendable {
  static var defaults: Self { get }
}

extension SocketGroup: Defaulted {
  static var defaults: SocketGroup { SocketGroup() }
}

extension CustomMount {
  var isBind: Bool {
    switch self {
    case .bind, .bindOwn: true
    case .overlay, .temporaryFileSystem, .inaccessible: false
    }
  }
  var isOverlay: Bool { if case .overlay = self { true } else { false } }
  var isTemporary: Bool { if case .temporaryFileSystem = self { true } else { false } }
  var isInaccessible: Bool { if case .inaccessible = self { true } else { false } }
}
