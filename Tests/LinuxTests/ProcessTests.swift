import Glibc
import Testing

@testable import Linux

@Suite("Processes by pidfd")
struct ProcessTests {
  private func spawn(_ command: String) throws -> pid_t {
    var pid: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] =
      ["sh", "-c", command].map { (text: String) in strdup(text) } + [nil]
    defer { for argument in arguments { free(argument) } }
    let code = posix_spawn(&pid, "/bin/sh", nil, nil, &arguments, nil)
    if code != 0 { throw SystemError("posix_spawn", errno: code) }
    return pid
  }

  private func ended(_ process: borrowing ProcessHandle) -> Bool {
    var polled = pollfd(fd: process.descriptor.raw, events: Int16(POLLIN), revents: 0)
    return poll(&polled, 1, 60_000) == 1
  }

  @Test("the exit code of a child is read once", arguments: [0, 1, 133, 255] as [Int32])
  func exits(code: Int32) throws {
    let process = try ProcessHandle(opening: spawn("exit \(code)"))
    let hasEnded = ended(process)
    #expect(hasEnded)
    #expect(try process.reap() == .exited(code))
    #expect(throws: SystemError.self) { try process.signal(0) }
  }

  @Test("a running child has no exit status, and a killed one has the number of the signal")
  func killed() throws {
    let process = try ProcessHandle(opening: spawn("exec sleep 1000"))
    #expect(try process.reap() == nil)
    try process.signal(SIGKILL)
    let hasEnded = ended(process)
    #expect(hasEnded)
    #expect(try process.reap() == .killed(signal: SIGKILL))
  }

  @Test("a process that waits for signals hears of one, and a process that does nothing about it does not")
  func hears() throws {
    let waiting = try spawn("exec python3 -c 'import signal; signal.sigwait([signal.SIGUSR2])'")
    // It does not keep the signals that the threads of the tests block.
    let mask = "signal.pthread_sigmask(signal.SIG_SETMASK, [])"
    let idle = try spawn("exec python3 -c 'import signal, time; \(mask); time.sleep(1000)'")
    defer {
      for pid in [waiting, idle] {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
      }
    }
    // Python takes a moment until it is there.
    let end = Clocks.monotonic + .seconds(60)
    func become(_ pid: pid_t, _ expected: Bool) throws -> Bool {
      while try ProcessFacts(pid: pid).hears(signal: SIGUSR2) != expected, Clocks.monotonic < end { poll(nil, 0, 10) }
      return try ProcessFacts(pid: pid).hears(signal: SIGUSR2) == expected
    }
    #expect(try become(waiting, true))
    #expect(try become(idle, false))
  }

  @Test("the exit code of a process that is not a child is read while it is a zombie")
  func foreign() throws {
    // The shell in between reaps its own child only after the test has read its status.
    let path = "/tmp/dormouse-test-foreign-\(getpid())"
    for fifo in [path, path + ".go"] { mkfifo(fifo, 0o600) }
    defer { for fifo in [path, path + ".go"] { unlink(fifo) } }
    let parent = try ProcessHandle(opening: spawn("sh -c 'echo $$ >\(path); exit 9' & read x <\(path).go; wait"))
    defer { try? parent.signal(SIGKILL); _ = ended(parent); _ = try? parent.reap() }
    let text = String(decoding: try readFile(path, limit: 64), as: UTF8.self).prefix { $0 != "\n" }
    let process = try ProcessHandle(opening: #require(Int32(text)))
    let hasEnded = ended(process)
    #expect(hasEnded)
    #expect(try process.reap() == .exited(9))
  }

  @Test("opening a process that does not exist is an error")
  func missing() {
    #expect(throws: SystemError("pidfd_open \(Int32.max)", errno: ESRCH)) {
      _ = try ProcessHandle(opening: .max)
    }
  }

  @Test("a descriptor list closes its descriptors when it is released, and not before")
  func list() throws {
    var list: DescriptorList? = DescriptorList()
    let first = open("/dev/null", O_RDONLY | O_CLOEXEC)
    list?.append(OwnedFD(owning: first))
    list?.append(OwnedFD(owning: open("/dev/zero", O_RDONLY | O_CLOEXEC)))
    #expect(list?.count == 2)
    var before = stat()
    #expect(list?.numbers.first == first && fstat(first, &before) == 0)
    // The peer reports that the descriptor was closed, even if its number is in use again.
    let pair = try SocketPair(SOCK_STREAM)
    list?.append(pair.theirs)
    list = nil
    var byte: UInt8 = 0
    try waitForInput(pair.mine)
    #expect(read(pair.mine.raw, &byte, 1) == 0)
  }
}
