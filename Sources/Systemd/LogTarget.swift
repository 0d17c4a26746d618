import Glibc

/// Where log messages go. Decided once, at the start.
public enum LogTarget: Equatable, Sendable {
  /// To journald, with fields.
  case journal
  /// To stderr, which somebody reads who understands sd-daemon(3)'s `<priority>` before a line.
  case prefixedStderr
  /// To stderr, for a person.
  case stderr

  /// What decides it.
  public struct Context: Sendable {
    /// Whether stderr is a terminal: somebody sits there and wants to read it.
    public var stderrIsTerminal: Bool
    /// Whether stderr is the stream that `$JOURNAL_STREAM` speaks of: systemd put it there.
    public var stderrIsJournalStream: Bool
    /// Whether journald's native socket is there.
    public var journalSocketExists: Bool

    public init(stderrIsTerminal: Bool, stderrIsJournalStream: Bool, journalSocketExists: Bool) {
      self.stderrIsTerminal = stderrIsTerminal
      self.stderrIsJournalStream = stderrIsJournalStream
      self.journalSocketExists = journalSocketExists
    }
  }

  /// The target for these context.
  public init(_ context: Context) {
    // Whoever put another stderr in the place of systemd's wants to have the messages there.
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
  /// Those of this process, now.
  public static var current: LogTarget.Context {
    var stream = stat()
    var isJournalStream = false
    // `DEVICE:INODE` of the stream, since a child may have a stderr of its own and still the variable.
    if let variable = getenv("JOURNAL_STREAM"), fstat(STDERR_FILENO, &stream) == 0 {
      isJournalStream = String(cString: variable) == "\(stream.st_dev):\(stream.st_ino)"
    }
    return LogTarget.Context(
      stderrIsTerminal: isatty(STDERR_FILENO) == 1,
      stderrIsJournalStream: isJournalStream,
      journalSocketExists: access("/run/systemd/journal/socket", F_OK) == 0)
  }
}
