import Fakes
import Glibc
import Linux
import Systemd
import Testing

@Suite("A helper process")
struct HelperProcessTests {
  /// Runs a shell in a helper process until it is done.
  private static func run(
    _ script: String, passing: [Int32] = [], deadline: Duration? = nil, limit: Int = 1024
  ) async throws -> HelperResult? {
    try await onOwnThread {
      let loop = try EventLoop()
      let result = Box<HelperResult?>(nil)
      let list = DescriptorList()
      for number in passing { list.append(OwnedFD(owning: dup(number))) }
      let helper = try HelperProcess(
        .at("/bin/sh", ["-c", script]), passing: list, deadline: deadline, outputLimit: limit, on: loop
      ) {
        result.value = $0
        loop.exit()
      }
      try loop.run()
      withExtendedLifetime(helper) {}
      return result.value
    }
  }

  @Test("the result of a helper process is its exit status and what it wrote")
  func result() async throws {
    let result = try await Self.run("echo one; echo two; exit 3")
    #expect(result == HelperResult(ending: .ended(.exited(3)), output: Array("one\ntwo\n".utf8)))
    #expect(try await Self.run("kill -9 $$")?.ending == .ended(.killed(signal: SIGKILL)))
  }

  @Test("a helper process is killed at its deadline, and what it wrote before is kept")
  func deadline() async throws {
    let result = try await Self.run("echo begun; exec sleep 1000", deadline: .milliseconds(300))
    #expect(result == HelperResult(ending: .timedOut, output: Array("begun\n".utf8)))
  }

  @Test("a helper process that writes more than it may is killed, and only so much is kept")
  func tooMuch() async throws {
    let result = try await Self.run("exec cat /dev/zero", limit: 5000)
    #expect(result?.ending == .tooMuchOutput)
    #expect(result?.output.count == 5000)
  }

  @Test("a helper process has none of the daemon's descriptors and variables, and blocks no signal")
  func inheritsNothing() async throws {
    // Names that no other test of this process reads.
    setenv("DORMOUSE_TEST_NOTIFY", "/run/none", 1)
    setenv("DORMOUSE_TEST_LISTEN", "1", 1)
    let inheritable = open("/dev/null", O_RDONLY)
    defer { close(inheritable) }
    // A shell opens descriptors and blocks signals while it starts a command, so what is looked at takes the shell's place.
    let words = [
      // ls lists itself: 3 is the directory that it reads.
      ("exec ls /proc/self/fd", "0\n1\n2\n3\n"),
      ("exec grep SigBlk /proc/self/status", "SigBlk:\t0000000000000000\n"),
      ("env -u PWD -u OLDPWD | cut -d= -f1", "LANG\nPATH\n"),
    ]
    for (script, expected) in words {
      let result = try await Self.run(script)
      let lines = String(decoding: result?.output ?? [], as: UTF8.self).split(separator: "\n").sorted()
      #expect(lines.joined(separator: "\n") + "\n" == expected)
    }
  }

  @Test("a helper process has the descriptors that it is passed, in order, from 3 on")
  func passing() async throws {
    let pipe = try Pipe()
    let words = Array("through the pipe".utf8)
    write(pipe.writing.raw, words, words.count)
    let nothing = open("/dev/null", O_RDONLY)
    defer { close(nothing) }
    let result = try await Self.run(
      "readlink /proc/$$/fd/3; head -c \(words.count) <&4", passing: [nothing, pipe.reading.raw])
    #expect(result?.output == Array("/dev/null\n".utf8) + words)
  }

  @Test("a helper process that is released is killed and reaped, and does not report")
  func released() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      var helper: HelperProcess? = try HelperProcess(
        .at("/bin/sh", ["-c", "exec sleep 1000"]), deadline: nil, on: loop
      ) { _ in Issue.record("a released helper process reported") }
      let pid = try #require(Self.children().first)
      #expect(helper != nil)
      helper = nil
      let gone = try ProcessHandle(opening: pid)
      let turns = Box<EventSource?>(nil)
      func look() throws {
        if Self.children().isEmpty { return loop.exit() }
        turns.value = try loop.after(.milliseconds(5)) { try? look() }
      }
      try look()
      try loop.run()
      #expect(throws: SystemError.self) { try gone.signal(0) }
    }
  }

  /// The children that this thread made.
  private static func children() -> [pid_t] {
    let text = (try? readFile("/proc/thread-self/children", limit: 4096)) ?? []
    return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
  }

  @Test("a program that cannot be executed is an error at the start of a helper process")
  func missing() async throws {
    try await onOwnThread {
      let loop = try EventLoop()
      #expect(throws: SystemError("execute /none", errno: ENOENT)) {
        _ = try HelperProcess(.at("/none"), deadline: nil, on: loop) { _ in }
      }
    }
  }

  @Test("the command line of a helper task leads to the same task, and no daemon's command line to any")
  func tasks() {
    #expect(HelperTask.of(["dormoused", "--helper", "remove-tree", "/a", "/b"])?.arguments == ["/a", "/b"])
    #expect(HelperTask.of(["dormoused", "--helper", "no-such-task"])?.task == nil)
    #expect(HelperTask.of(["dormoused", "web"])?.task == nil)
  }
}
