extension ManagerInterface {
  /// The second half of the description: what can be asked, and the errors.
  static let methods = #"""
    # All guests, sorted by name
    method List() -> (guests: []GuestSummary)

    # One guest in full, with its console when that is true
    method Status(name: string, console: ?bool) -> (guest: GuestStatus)

    # What keeps a guest awake, or would wake it
    method Why(name: string) -> (guest: GuestExplanation)

    # Starts a guest: answered when it is ready, at once when it is already
    method Wake(name: string) -> ()

    # Halts a guest: answered when it is gone, at once when it is already. One that is in use is left alone, unless now is true
    method Sleep(name: string, now: ?bool) -> ()

    # Freezes a guest that serves: answered when all of it is frozen, at once when it is already. The next connection thaws it.
    # One that is in use is left alone, unless now is true
    method Freeze(name: string, now: ?bool) -> ()

    # Thaws a frozen guest; any other is left as it is
    method Thaw(name: string) -> ()

    # Makes the connection carry, both ways, the bytes of a guest's terminal: its console, or with a number one of those that
    # Terminals= makes. To be called with upgrade; rows and columns are the size of the client's own terminal
    method Attach(name: string, terminal: ?int, rows: ?int, columns: ?int) -> ()

    # Tells a terminal of the guest that the client's own has another size
    method Resize(name: string, terminal: ?int, rows: int, columns: int) -> ()

    # There is no guest file of this name
    error NoSuchGuest (name: string)

    # The guest did not become ready
    error WakeFailed (name: string, reason: string)

    # The guest is in use, or did not halt
    error SleepFailed (name: string, reason: string)

    # The guest does not run, is in use, or did not freeze
    error FreezeFailed (name: string, reason: string)

    # The guest does not run or is frozen, or has no such terminal
    error ConsoleFailed (name: string, reason: string)
    """#
}
