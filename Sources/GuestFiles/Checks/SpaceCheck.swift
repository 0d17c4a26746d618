import GuestSpec
import Linux
import UnitSyntax

/// The space for what a guest writes to an overlay of ours.
enum SpaceCheck: GuestCheck {
  static func problems(of subject: CheckedGuest) -> [Diagnostic] {
    guard subject.guest.needsScratch, let space = try? FileSystemSpace(of: scratchParent), !space.isInMemory else {
      return []
    }
    let file = subject.lines.whole.file
    let own = file.lastIndex(of: "/").map { [String(file[..<$0])] } ?? []
    let settings = GuestFiles(searchPath: own + GuestFiles.defaultSearchPath).loadDaemon().settings
    return problem(
      SpaceFloor(settings.keepFree).shortage(at: scratchParent, free: space.free, total: space.total), file)
  }

  private static func problem(_ shortage: SpaceShortage?, _ file: String) -> [Diagnostic] {
    shortage.map { [Diagnostic(file: file, .error, "the guest does not start now: \($0)")] } ?? []
  }
}
