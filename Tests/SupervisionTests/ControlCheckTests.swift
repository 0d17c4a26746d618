import Glibc
import Linux
import Testing

@Suite("dormouse check")
struct ControlCheckTests {
  @Test("prints every problem of a file with its place, needs no daemon, and is silent when all is right")
  func check() throws {
    let directory = "/tmp/dormouse-check-\(getpid())"
    let path = "\(directory)/web.guest"
    defer {
      removeFile(path)
      rmdir(directory)
    }
    try makeDirectories(directory)
    try writeFile(path, "[Exec]\nBoot=perhaps\n[Socket]\nListenStream=99999\nBacklg=5\n")
    let wrong = try dormouse("check", path)
    #expect(wrong.status == 1)
    let lines = wrong.output.split(separator: "\n")
    #expect(lines.count == 3)
    for (line, start) in zip(
      lines, ["2: error: Boot=", "4: error: ListenStream=", "5: warning: unknown setting Backlg="])
    {
      #expect(line.hasPrefix("\(path):\(start)"), "\(line)")
    }
    #expect(wrong.errors == "")

    try writeFile(
      path,
      "[Exec]\nBoot=no\nParameters=/usr/bin/true\n[Socket]\nListenStream=80\n[Guest]\nDirectory=/\n[Files]\nVolatile=yes\n"
    )
    #expect(try dormouse("check", path) == CommandResult(status: 0, output: "", errors: ""))
    #expect(try dormouse("check").status == 64)
    #expect(try dormouse("check", "\(directory)/none.guest").status == 1)
  }
}
