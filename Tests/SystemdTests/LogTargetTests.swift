import Systemd
import Testing

@Suite struct LogTargetTests {
  @Test(
    "where systemd leads stderr to the journal that is written to, or stderr in the form its reader understands; else stderr",
    arguments: [
      (true, false, true, LogTarget.stderr), (true, false, false, .stderr), (false, true, true, .journal),
      (false, false, true, .stderr), (false, true, false, .prefixedStderr), (false, false, false, .stderr),
    ])
  func decides(isTerminal: Bool, isStream: Bool, hasSocket: Bool, target: LogTarget) {
    let context = LogTarget.Context(
      stderrIsTerminal: isTerminal, stderrIsJournalStream: isStream, journalSocketExists: hasSocket)
    #expect(LogTarget(context) == target)
  }
}
