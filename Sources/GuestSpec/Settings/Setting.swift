/// One key of one section: how its value is read and where it goes.
struct Setting<Target: Defaulted>: Sendable {
  let key: String
  /// The kind of value; nil for a key that is known but not carried out.
  let expects: String?
  /// Its value is in no message.
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

  /// In the manual and understood as a name, but nothing is done about it yet.
  static func known(_ key: String) -> Setting { Setting(key, nil) { (_, _, _) in } }

  /// The same, with a value that no message shows.
  var secret: Setting {
    var setting = self
    setting.isSecret = true
    return setting
  }

  /// The last assignment counts; an empty one goes back to the default.
  static func value<T>(
    _ key: String, _ value: Value<T>, _ place: WritableKeyPath<Target, T> & Sendable
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      target[keyPath: place] =
        text.isEmpty ? Target.defaults[keyPath: place] : try value.parse(text, &context)
    }
  }

  /// As `value`, for what has no default.
  static func optional<T>(
    _ key: String, _ value: Value<T>, _ place: WritableKeyPath<Target, T?> & Sendable
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      target[keyPath: place] = text.isEmpty ? nil : try value.parse(text, &context)
    }
  }

  /// Each assignment adds its elements; an empty one forgets those before it.
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

  /// As `optional`, where a later assignment is joined to those before it.
  static func joined<T>(
    _ key: String, _ value: Value<T?>, _ place: WritableKeyPath<Target, T?> & Sendable,
    by join: @escaping @Sendable (T?, T?) -> T?
  ) -> Setting {
    Setting(key, value.expects) { (text, target, context) throws(WrongValue) in
      target[keyPath: place] = text.isEmpty ? nil : join(target[keyPath: place], try value.parse(text, &context))
    }
  }

  /// As `list`, of one element each, several keys in one list; an empty assignment forgets those that `forgets` names.
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

/// What settings are read into: something that exists before the first of them.
protocol Defaulted: Sendable {
  static var defaults: Self { get }
}

extension Guest: Defaulted {
  static var defaults: Guest { Guest(name: "") }
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
