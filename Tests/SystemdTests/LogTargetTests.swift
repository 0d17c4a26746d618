import Systemd
import Testing

@Suite struct LogTargetTests {
  @Test(
    "messages go to the journal or, with a prefix, to stderr if systemd connected stderr to the journal, and otherwise to stderr",
    arguments: [
      (true, false, true, LogTarget.stderr), (true, false, false, .stderr), (false, true, true, .journal),
      (false, false, true, .stderr), (false, true, false, .prefixedStderr), (false, false, false, .stderr),
    ])
  func target(isTerminal: Bool, isStream: Bool, hasSocket: Bool, target: LogTarget) {
    let context = LogTarget.Context(
      stderrIsTerminal: isTerminal, stderrIsJournalStream: isStream, journalSocketExists: hasSocket)
    #expect(LogTarget(context) == target)
  }
}
