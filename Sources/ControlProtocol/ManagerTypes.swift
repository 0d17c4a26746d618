// The named types of `io.dormouse.Manager` in Varlink's own language. A test compares them with the Swift types that are sent.
extension Interface {
  static let managerTypes = """
    \(enumeration("GuestState", "systemd's words for the state of a unit, and frozen. bad_setting: its file has an error", GuestState.self))

    \(enumeration("SocketType", "The three kinds of systemd.socket(5)", SocketType.self))

    \(enumeration("WakeCause", "What started a guest", WakeCause.self))

    \(enumeration(
      "StopCause",
      """
      Why a guest ended. shutdown and reboot are the guest's own; crash is any other end that nobody requested. listenerClosed: the guest
      closed a listening socket at which clients waited. parkedTooLong: clients waited at a socket that only the next instance has.
      """, StopCause.self))

    \(enumeration("MessageLevel", "How severe a message is", MessageLevel.self))

    \(enumeration(
      "LossReason",
      """
      Why a connection or a datagram was lost. notAdopted: no process of the guest took the listening socket. notUnparked: it was parked
      and could not be moved to a guest. unanswered: a stopping guest closed it without a reply. killed: it was open when the guest was
      killed. failed: the guest had failed to start too often, so its clients were refused until it was tried again.
      """, LossReason.self))

    \(enumeration(
      "UnservedReason",
      """
      Why nobody serves at a socket. noUnit: no enabled .socket unit in the guest has the address. nearMiss: the same, and one has an
      address that resembles it. wrongFamily: the same, with the other version of IP. unitFailed: the unit that has the address failed.
      noProgram: the program of its service cannot be executed. noService: its service does not exist. notStarted: it was not started.
      letGo: the guest took the socket, and let it go. notTaken: no process of the guest took it.
      """, UnservedReason.self))

    # Why nobody serves at a socket
    type UnservedSocket (
      reason: UnservedReason,
      # The unit in the guest that has the address
      unit: ?string,
      # systemd's word for that unit's failure
      result: ?string,
      # In words, with what would help
      text: string
    )

    # A unit in a guest that has failed
    type FailedUnit (
      unit: string,
      # systemd's word for the failure
      result: string,
      # The exit status of a service's main process, or the signal that ended it
      status: int,
      # The last line of its log, empty if there is none
      log: string
    )

    # One guest in a list
    type GuestSummary (
      # The name of the guest file without .guest
      name: string,
      state: GuestState,
      # When the guest came into this state
      since: int,
      # The addresses of its sockets, written as in systemd.socket(5)
      sockets: []string,
      # How many connections it has, including those in an accept queue
      connections: int,
      # How often it was started since the daemon started
      wakes: int,
      # The process ID of its PID 1 on the host
      pid: ?int,
      # What somebody ought to know of it: why it has failed, what is wrong with its file, who holds its sockets
      note: ?string
    )

    # A socket of a guest
    type SocketStatus (
      # Written as in systemd.socket(5)
      address: string,
      kind: SocketType,
      # FileDescriptorName=
      name: string,
      # The number in /proc/PID/fd and in ss(8)
      inode: ?int,
      # Whether the service manager passed it to the daemon; false: the daemon has bound it
      passed: bool,
      # Whether the running guest has it open, null when no guest runs or that is not known yet
      adopted: ?bool,
      # Why nobody serves there, null while somebody does, when no guest runs, and when that is not known yet
      unserved: ?UnservedSocket,
      # How many connections, or bytes of datagrams, no process has taken yet
      queued: ?int
    )

    # How a guest was started
    type WakeReport (
      cause: WakeCause,
      # The address of the socket to which the connection or datagram came
      socket: ?string,
      # When the daemon noticed it. The following are measured from here
      at: int,
      # Until PID 1 was executed
      startedMs: ?float,
      # Until PID 1 had installed its signal handlers, null for systemd before 256
      handlersMs: ?float,
      # Until the guest was ready
      readyMs: ?float,
      # Why it did not become ready
      failure: ?string
    )

    # How a guest ended
    type StopReport (
      cause: StopCause,
      # When the daemon told it to stop or, if it did not, when it ended
      at: int,
      # From there until it ended, null if the daemon did not tell it to stop
      tookMs: ?float,
      # Whether it did not stop in time and was ended by SIGKILL
      killed: bool,
      # The exit status of PID 1, if it exited
      exitStatus: ?int,
      # The signal that ended PID 1. The kernel reports a halt as SIGINT and a reboot as SIGHUP
      signal: ?string,
      # The argument of its reboot
      rebootParameter: ?string
    )

    # What the guest's PID 1 sent to its notify socket: sd_notify(3), systemd(1)
    type GuestReport (
      ready: bool,
      reloading: bool,
      status: ?string,
      # The unit whose start or stop systemd waits for
      reaching: ?string,
      # The address of the guest's SSH server on this host
      sshAddress: ?string,
      hostname: ?string,
      machineID: ?string,
      signalsLevel: ?int,
      # The active targets, in the order in which they became active
      units: []string,
      # The units that have failed, when it was asked last
      failedUnits: []FailedUnit,
      # poweroff, halt, reboot, kexec or exit
      shutdown: ?string,
      rebootParameter: ?string,
      exitStatus: ?int,
      errno: ?int
    )

    # Something that an administrator should look at
    type GuestMessage (
      at: int,
      level: MessageLevel,
      text: string
    )

    # How many connections and datagrams were lost for one reason
    type LossCount (
      reason: LossReason,
      count: int
    )

    # What happened since the daemon started
    type GuestCounters (
      # Starts after which the guest did not become ready
      failedWakes: int,
      # How often the guest was frozen
      freezes: int,
      # Instances that ended, for whatever cause
      stops: int,
      # Instances that did not stop within TimeoutStopSec= and were ended by SIGKILL
      kills: int,
      # Instances that ended without a request and without a shutdown of their own
      crashes: int,
      # How often the guest rebooted and was started again
      reboots: int,
      # Connections that were closed because no process of the guest took the listening socket
      connectionsRefused: int,
      # Connections to the guest. An AF_UNIX connection that began and ended between two scans is missing
      accepted: int,
      # TCP connections, of those, that ended without a byte from the guest
      unanswered: int,
      # Connections and datagrams that were queued already when their guest started
      handedOver: int,
      # Connections and datagrams that came while a guest stopped, and waited for the next instance
      parked: int,
      # Connections and datagrams that were parked and then moved to the same instance, because its stop was cancelled
      unparked: int,
      # Connections and datagrams that could not be moved out of the queues of a stopping guest, which served or closed them
      undrained: int,
      # Connections and datagrams that were lost
      lost: []LossCount,
      # Messages to the notify socket that did not come from the guest's PID 1
      notifyRefused: int,
      # Processes of the guest that the kernel killed because memory ran out
      memoryKills: int
    )

    # A resource limit of a running guest
    type LimitStatus (
      # A setting of the guest file, without its =
      setting: string,
      # As the kernel has it
      value: string,
      # Whether the guest file does not have the setting
      isDefault: bool
    )

    # Everything that is known about one guest
    type GuestStatus (
      name: string,
      state: GuestState,
      since: int,
      connections: int,
      wakes: int,
      pid: ?int,
      # The directory of its cgroup
      cgroup: ?string,
      # Empty while no instance runs
      limits: []LimitStatus,
      # Lowest precedence first: a .nspawn file, the guest file, its drop-ins
      files: []string,
      sockets: []SocketStatus,
      # null before the first start since the daemon started
      lastWake: ?WakeReport,
      # null before the first stop since the daemon started
      lastStop: ?StopReport,
      # In the state failed: until when connections do not start it
      retryAt: ?int,
      # When it will be stopped if nobody uses it until then
      stopAt: ?int,
      # Of this instance or, while none runs, of the last one
      report: ?GuestReport,
      # Oldest first
      messages: []GuestMessage,
      counters: GuestCounters,
      # The end of its console output, at most 64 KiB. Bytes that are not UTF-8 are replaced by U+FFFD
      console: ?string
    )

    # A connection to a guest
    type ConnectionStatus (
      # The address of the listening socket it came to
      socket: string,
      # The address of this end: ADDRESS:PORT, or the path of an AF_UNIX socket
      local: string,
      # The address of the other end, null if it has none
      remote: ?string,
      # A state of RFC 9293, also for AF_UNIX: ESTABLISHED, CLOSE-WAIT
      state: string,
      # Whether it waits in the accept queue
      queued: bool,
      # When the daemon first saw it
      since: ?int,
      # The time since something was sent or received on it
      silentMs: ?int
    )

    # Why a guest is in its state, and what would change that
    type GuestExplanation (
      name: string,
      state: GuestState,
      since: int,
      # The connections that keep it awake
      connections: []ConnectionStatus,
      # What else keeps it in this state, one sentence each
      reasons: []string,
      # The units in the guest that have failed
      failedUnits: []FailedUnit,
      # When it was last used, null while it is in use
      idleSince: ?int,
      # When it will be frozen if nobody uses it until then
      freezeAt: ?int,
      # When it will be stopped if nobody uses it until then
      stopAt: ?int,
      # In the state failed: until when connections do not start it
      retryAt: ?int,
      # The addresses at which a connection would wake it now
      wakeBy: []string
    )
    """

  private static func enumeration<Value: ExtensibleEnum>(
    _ name: String, _ comment: String, _ type: Value.Type
  ) -> String {
    "\(commentLines(comment))type \(name) (\(type.known.map(\.rawValue).joined(separator: ", ")))"
  }
}
