// The table of `io.dormouse.Manager`. A new method is one entry here, its case of `Call`, and its line in the daemon.

extension Interface {
  static let managerName = "io.dormouse.Manager"

  /// The interface of the daemon.
  static let manager = Interface(
    name: managerName,
    comment: """
      Dormouse runs containers, called guests, that sleep until a connection wakes them.
      Times are microseconds since 1970-01-01 UTC. Names that end in Ms are milliseconds. A key without a value is null, never missing.
      Later versions may add methods, errors, keys, and values of enumerations. None is removed, and none changes its meaning.
      A client ignores a key that it does not know. It shows the value of an enumeration that it does not know as it stands, and
      decides nothing by it.
      """,
    types: managerTypes,
    methods: [
      .list, .status, .why, .wake, .sleep, .freeze, .thaw, .subscribeGuests, .attach, .resize, .reload,
    ],
    errors: ManagerError.types)
}

extension Method {
  static let list = Method("List", "Lists all guests, sorted by name.", reply: .guestList) { _ in .call(.list) }

  static let status = Method(
    "Status", "Describes one guest. With console the reply has the end of its console output.",
    [.guest, .console], reply: .guestStatus, errors: [.noSuchGuest]
  ) { arguments throws(ServiceError) in
    .call(.status(name: try arguments.string(.guest), console: arguments.flag(.console)))
  }

  static let why = Method(
    "Why", "Explains what keeps a guest awake, or what would wake it.",
    [.guest], reply: .explanation, errors: [.noSuchGuest]
  ) { arguments throws(ServiceError) in .call(.why(name: try arguments.string(.guest))) }

  static let wake = Method(
    "Wake", "Starts a guest. The reply comes when the guest is ready, at once if it already is.",
    [.guest], reply: .nothing, errors: [.noSuchGuest, .badSetting, .wakeFailed, .tooManyWaiting]
  ) { arguments throws(ServiceError) in .call(.wake(name: try arguments.string(.guest))) }

  static let sleep = Method(
    "Sleep",
    """
    Stops a guest. The reply comes when the guest has ended, at once if none runs. A guest in use is not stopped, unless now is true.
    """,
    [.guest, .now], reply: .nothing, errors: [.noSuchGuest, .badSetting, .sleepFailed, .tooManyWaiting]
  ) { arguments throws(ServiceError) in
    .call(.sleep(name: try arguments.string(.guest), now: arguments.flag(.now)))
  }

  static let freeze = Method(
    "Freeze",
    """
    Freezes a running guest. The reply comes when the guest is frozen, at once if it already is. The next connection thaws it.
    A guest in use is not frozen, unless now is true; then one of its clients who sends something thaws it too.
    """,
    [.guest, .now], reply: .nothing, errors: [.noSuchGuest, .badSetting, .freezeFailed, .tooManyWaiting]
  ) { arguments throws(ServiceError) in
    .call(.freeze(name: try arguments.string(.guest), now: arguments.flag(.now)))
  }

  static let thaw = Method(
    "Thaw", "Thaws a frozen guest. Nothing happens to one that is not frozen.",
    [.guest], reply: .nothing, errors: [.noSuchGuest, .badSetting]
  ) { arguments throws(ServiceError) in .call(.thaw(name: try arguments.string(.guest))) }

  static let subscribeGuests = Method(
    "SubscribeGuests",
    """
    Reports the state of all guests, or of the named one, and then each change of it. The first reply has all of them. A further reply
    comes when a guest changes its state, is added, or is removed. The replies end with the connection, or with an error.
    """,
    [.optionalGuest], flag: .more, reply: .changes,
    errors: [.noSuchGuest, .badSetting, .tooManySubscribers, .tooManyWaiting, .subscriberTooSlow]
  ) { arguments in .call(.subscribeGuests(name: arguments.optionalString(.optionalGuest))) }

  static let attach = Method(
    "Attach",
    """
    Connects to a terminal of a guest. After the reply the connection carries the terminal's bytes in both directions. Without a number
    it is the console, with one a terminal of Terminals=. rows and columns are the size of the client's own terminal.
    """,
    [.guest, .terminal, .optionalRows, .optionalColumns], flag: .upgrade, reply: .attached,
    errors: [.noSuchGuest, .badSetting, .consoleFailed]
  ) { arguments throws(ServiceError) in
    .call(
      .attach(
        name: try arguments.string(.guest), terminal: arguments.optionalInt(.terminal), size: try arguments.size()))
  }

  static let resize = Method(
    "Resize", "Reports that the client's own terminal has another size.",
    [.guest, .terminal, .rows, .columns], reply: .nothing, errors: [.noSuchGuest, .badSetting, .consoleFailed]
  ) { arguments throws(ServiceError) in
    guard let size = try arguments.size() else { throw .invalidParameter(Field.rows.name) }
    return .call(
      .resize(name: try arguments.string(.guest), terminal: arguments.optionalInt(.terminal), size: size))
  }
}

extension Method {
  static let reload = Method(
    "Reload",
    """
    Reads the guest files again, as SIGHUP does. The reply is an error when some of them have one; all others are in force then.
    """,
    reply: .nothing, errors: [.reloadFailed]
  ) { _ in .call(.reload) }
}

extension Field {
  static let guest = Field("name", .string)
  static let optionalGuest = Field("name", .optional(.string))
  static let console = Field("console", .optional(.bool))
  static let now = Field("now", .optional(.bool))
  static let terminal = Field("terminal", .optional(.int))
  static let rows = Field("rows", .int)
  static let columns = Field("columns", .int)
  static let optionalRows = Field("rows", .optional(.int))
  static let optionalColumns = Field("columns", .optional(.int))
  static let reason = Field("reason", .string)
}
