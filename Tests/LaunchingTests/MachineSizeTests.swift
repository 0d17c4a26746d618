import Planning
import Testing

@testable import Launching

@Suite("The size of the machine")
struct MachineSizeTests {
  private func size(
    pageSize: Int = 4096, pages: Int = 1 << 20, threadsMax: UInt64? = 60_000, pidMax: UInt64? = 32_768,
    memoryMax: UInt64? = nil, pidsMax: UInt64? = nil
  ) -> [UInt64] {
    let size = MachineSize(
      pageSize: pageSize, pages: pages, threadsMax: threadsMax, pidMax: pidMax, memoryMax: memoryMax, pidsMax: pidsMax)
    return [size.memory, size.page, size.tasks]
  }

  @Test("the size of the machine is limited by the memory and the tasks of the container that it is")
  func usual() {
    #expect(size() == [4 << 30, 4096, 32_767])
    #expect(size(memoryMax: 10_000, pidsMax: 77) == [8192, 4096, 77])
    #expect(size(memoryMax: 8 << 30, pidsMax: 1 << 20) == [4 << 30, 4096, 32_767])
  }

  @Test("no answer of libc or the kernel about the machine's size causes an overflow")
  func odd() {
    #expect(size(pageSize: -1, pages: -1, memoryMax: 10_000) == [0, 4096, 32_767])
    #expect(size(pageSize: 0, pages: .max) == [.max, 4096, 32_767])
    #expect(size(threadsMax: nil, pidMax: 0) == [4 << 30, 4096, .max])
    #expect(size(threadsMax: nil, pidMax: nil, memoryMax: 0, pidsMax: 0) == [0, 4096, 0])
  }

  @Test("the size of this machine is read")
  func own() {
    let size = MachineSize.gather()
    #expect(size.memory > 0 && size.page > 0 && size.tasks > 0)
  }
}
