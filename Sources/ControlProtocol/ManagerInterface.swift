/// The interface `io.dormouse.Manager`: its name, its errors' names, and its description in Varlink's own language.
public enum ManagerInterface {
  /// As Varlink names interfaces.
  public static let name = "io.dormouse.Manager"
  static let noSuchGuest = "\(name).NoSuchGuest"
  static let wakeFailed = "\(name).WakeFailed"
  static let sleepFailed = "\(name).SleepFailed"
  static let freezeFailed = "\(name).FreezeFailed"
  static let consoleFailed = "\(name).ConsoleFailed"

  /// What `varlinkctl introspect` prints. Every key of a reply is always there: a `?` type is null where there is nothing to say.
  public static let description =
    #"""
    # Guests of Dormouse: containers that sleep until a connection wakes them.
    # Times are microseconds since 1970-01-01 UTC, names ending in Ms are milliseconds. A key that has nothing to say is
    # null, it is never left out. Keys may be added, none will be taken away or change its meaning.
    interface io.dormouse.Manager

    # systemd's words for the state of a unit, and frozen between the last use and the halt
    type GuestState (
      inactive,
      activating,
      active,
      frozen,
      deactivating,
      failed
    )

    # One guest in a list
    type GuestSummary (
      # The guest file's name without .guest
      name: string,
      state: GuestState,
      # When it came into this state
      since: int,
      # The addresses held for it, as systemd.socket(5) writes them
      sockets: []string,
      # How many connections it has, those that wait in an accept queue included
      connections: int,
      # How often it was started since the daemon was
      wakes: int,
      # The host's number of the guest's PID 1
      pid: ?int
    )

    # The three kinds of systemd.socket(5)
    type SocketType (
      stream,
      datagram,
      sequentialPacket
    )

    # One of the sockets that are held for a guest
    type SocketStatus (
      # As systemd.socket(5) writes it
      address: string,
      kind: SocketType,
      # The name it is passed by: FileDescriptorName=
      name: string,
      # Its number in /proc/PID/fd and in ss(8)
      inode: ?int,
      # Taken from the service manager that started the daemon, not bound by the daemon
      passed: bool,
      # Whether the running guest keeps it open, null when none runs or that is not known yet
      adopted: ?bool,
      # Connections, or bytes of datagrams, that nobody took yet
      queued: ?int
    )

    # What a guest was woken by
    type WakeCause (
      connection,
      request,
      reboot
    )

    # How a guest was woken
    type WakeReport (
      cause: WakeCause,
      # The address whose connection or datagram it was
      socket: ?string,
      # When the daemon learnt of it: what follows is measured from here
      at: int,
      # Until PID 1 was executed
      startedMs: ?float,
      # Until PID 1 had its signal handlers, null for a systemd before 256
      handlersMs: ?float,
      # Until the guest was ready
      readyMs: ?float,
      # Why it did not become ready
      failure: ?string
    )

    # Why a guest came to its end: shutdown and reboot are the guest's own, crash is any other end that nobody asked for,
    # listenerClosed that it let go of a socket at which clients waited, parkedTooLong that clients waited at one which only the next run has
    type StopCause (
      idle,
      request,
      shutdown,
      reboot,
      crash,
      startTimeout,
      listenerClosed,
      parkedTooLong,
      daemon,
      configuration
    )

    # How a guest came to its end
    type StopReport (
      cause: StopCause,
      # When it was asked to halt or, when nobody had asked, when it was gone
      at: int,
      # From there until it was gone; null when nobody had asked
      tookMs: ?float,
      # It did not halt by itself and was ended by SIGKILL
      killed: bool,
      # PID 1's exit status, when it exited
      exitStatus: ?int,
      # The signal PID 1 died of: SIGINT is how the kernel reports a halt, SIGHUP a reboot
      signal: ?string,
      # The argument of its reboot
      rebootParameter: ?string
    )

    # What a guest's PID 1 said on the notify socket
    type GuestReport (
      ready: bool,
      reloading: bool,
      status: ?string,
      # The unit whose start or stop it waits for, and where its SSH server listens on this host
      reaching: ?string,
      sshAddress: ?string,
      hostname: ?string,
      machineID: ?string,
      signalsLevel: ?int,
      # The targets that are active, in the order reached
      units: []string,
      # poweroff, halt, reboot, kexec or exit
      shutdown: ?string,
      rebootParameter: ?string,
      exitStatus: ?int,
      errno: ?int
    )

    # How bad a message is
    type MessageLevel (
      warning,
      error
    )

    # Something that somebody ought to look at
    type GuestMessage (
      at: int,
      level: MessageLevel,
      text: string
    )

    # Why a connection or a datagram was lost: nobody took its listener; what was parked could not be given back; a guest that was stopping
    # ended it without a byte; the guest was killed while it was open
    type LossReason (
      notAdopted,
      notUnparked,
      unanswered,
      killed
    )

    # How many were lost for one reason
    type LossCount (
      reason: LossReason,
      count: int
    )

    # How often things happened since the daemon was started
    type GuestCounters (
      # Starts that did not reach readiness
      failedWakes: int,
      # Times that it was frozen
      freezes: int,
      # Runs that ended, in whatever way
      stops: int,
      # Stops that ran into TimeoutStopSec= and were ended by SIGKILL
      kills: int,
      # Runs that ended although nobody had asked for it, and not by the guest's own shutdown
      crashes: int,
      # Times that the guest asked for a reboot and was started again
      reboots: int,
      # Connections that were closed instead of served: they came to a socket that the guest did not take
      connectionsRefused: int,
      # Connections that the guest has had; of AF_UNIX, one that came and went between two looks is not among them
      accepted: int,
      # Of these, those of TCP that ended without a byte from the guest
      unanswered: int,
      # Connections and datagrams that waited already when a start made the guest that serves them
      handedOver: int,
      # Connections and datagrams that came while a guest was stopping, and waited for the next one
      parked: int,
      # Of those that were parked for a stop, how many came to the same guest because it was cancelled
      unparked: int,
      # Connections and datagrams that could not be taken from a guest that was stopping, which served them yet or closed them
      undrained: int,
      # Connections and datagrams that were lost
      lost: []LossCount,
      # Messages on the notify socket that did not come from the guest's PID 1
      notifyRefused: int,
      # Processes of the guest that the kernel killed for want of memory
      memoryKills: int
    )

    # All that is known of one guest
    type GuestStatus (
      name: string,
      state: GuestState,
      since: int,
      connections: int,
      wakes: int,
      pid: ?int,
      # The directory of its cgroup 2
      cgroup: ?string,
      # Lowest precedence first: a .nspawn file, the guest file, its drop-ins
      files: []string,
      sockets: []SocketStatus,
      lastWake: ?WakeReport,
      lastStop: ?StopReport,
      # When state is failed: until when no connection wakes it
      retryAt: ?int,
      # When it will be stopped, if nothing uses it until then
      stopAt: ?int,
      # Of this run or, asleep, of the last one
      report: ?GuestReport,
      # Oldest first
      messages: []GuestMessage,
      counters: GuestCounters,
      # The end of what it wrote on its console, at most 64 KiB, bytes that are not UTF-8 replaced by U+FFFD
      console: ?string
    )

    # One connection to a guest
    type ConnectionStatus (
      # The address of the listening socket it came by
      socket: string,
      # This end of it: ADDRESS:PORT, or the path of an AF_UNIX socket
      local: string,
      # The other end, null where it has no address
      remote: ?string,
      # As RFC 9293 has it, for AF_UNIX too: ESTABLISHED, CLOSE-WAIT
      state: string,
      # Nobody in the guest took it yet
      queued: bool,
      # When the daemon saw it first
      since: ?int,
      # Since something was sent or received on it
      silentMs: ?int
    )

    # Why a guest is in its state, and what would change that
    type GuestExplanation (
      name: string,
      state: GuestState,
      since: int,
      # The connections that keep it awake
      connections: []ConnectionStatus,
      # What else holds it in this state, a sentence each
      reasons: []string,
      # Since when nobody uses it
      idleSince: ?int,
      # When it will be stopped, if nothing uses it until then
      stopAt: ?int,
      # When state is failed: until when no connection wakes it
      retryAt: ?int,
      # The addresses a connection to which would wake it now
      wakeBy: []string
    )

    """# + "\n" + methods
}
