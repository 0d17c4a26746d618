import Glibc

/// Where log messages go. It is decided once, when the daemon starts.
public enum LogTarget: Equatable, Sendable {
  /// To journald, with fields.
  case journal
  /// To stderr, whose reader understands the `<priority>` that sd-daemon(3) puts before a line.
  case prefixedStderr
  /// To stderr, for a person.
  case stderr

  /// The facts that decide the target.
  public struct Context: Sendable {
    /// Whether stderr is a terminal, where a person reads the messages.
    public var stderrIsTerminal: Bool
    /// Whether stderr is the stream that `$JOURNAL_STREAM` names, that is, systemd connected it to the journal.
    public var stderrIsJournalStream: Bool
    /// Whether journald's native socket exists.
    public var journalSocketExists: Bool

    public init(stderrIsTerminal: Bool, stderrIsJournalStream: Bool, journalSocketExists: Bool) {
      self.stderrIsTerminal = stderrIsTerminal
      self.stderrIsJournalStream = stderrIsJournalStream
      self.journalSocketExists = journalSocketExists
    }
  }

  /// Chooses the target for these facts.
  public init(_ context: Context) {
    // Whoever redirected stderr wants the messages there.
    if context.stderrIsTerminal || !context.stderrIsJournalStream {
      self = .stderr
    } else {
      self = context.journalSocketExists ? .journal : .prefixedStderr
    }
  }

  /// The target for this process.
  public static var current: LogTarget { LogTarget(.current) }
}

extension LogTarget.Context {
  /// The facts of this process, now.
  public static var current: LogTarget.Context {
    var stream = stat()
    var isJournalStream = false
    // The variable has `DEVICE:INODE` of the stream. A child whose stderr was redirected inherits the variable, so the two are compared.
    if let variable = getenv("JOURNAL_STREAM"), fstat(STDERR_FILENO, &stream) == 0 {
      isJournalStream = String(cString: variable) == "\(stream.st_dev):\(stream.st_ino)"
    }
    return LogTarget.Context(
      stderrIsTerminal: isatty(STDERR_FILENO) == 1,
      stderrIsJournalStream: isJournalStream,
      journalSocketExists: access("/run/systemd/journal/socket", F_OK) == 0)
  }
}
