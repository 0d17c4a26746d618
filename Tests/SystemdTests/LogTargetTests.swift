import Systemd
import Testing

@Suite struct LogTargetTests {
  @Test(
    "a terminal is written to, else the journal when there is one, else stderr in the form its reader understands",
    arguments: [
      (true, false, true, LogTarget.stderr), (true, false, false, .stderr), (false, true, true, .journal),
      (false, false, true, .journal), (false, true, false, .prefixedStderr), (false, false, false, .stderr),
    ])
  func decides(isTerminal: Bool, isStream: Bool, hasSocket: Bool, target: LogTarget) {
    let surroundings = LogTarget.Surroundings(
      stderrIsTerminal: isTerminal, stderrIsJournalStream: isStream, journalSocketExists: hasSocket)
    #expect(LogTarget(surroundings) == target)
  }
}
