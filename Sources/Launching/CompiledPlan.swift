import CLaunch
import GuestSpec
import Linux
import Planning

/// A plan in the form that CLaunch reads: records of fixed size, and offsets into one block of text.
///
/// It owns the memory that the child reads and writes until the child has executed.
final class CompiledPlan {
  private let steps: UnsafeMutableBufferPointer<launch_step>
  private let text: UnsafeMutableBufferPointer<CChar>
  private let arguments: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
  private let environment: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>
  private let descriptors: UnsafeMutableBufferPointer<Int32>
  private let record: UnsafeMutablePointer<launch_plan>

  /// `listeners` and `preloaded` are descriptor numbers in the plan's order, borrowed until the launch has finished.
  ///
  /// - Throws: `LaunchError` when a step cannot be compiled.
  init(
    _ plan: LaunchPlan, listeners: [Int32], preloaded: [Int32], sources: CheckedSources
  ) throws(LaunchError) {
    var block = TextBlock()
    var records: [launch_step] = []
    for step in plan.steps {
      do throws(SystemError) {
        records.append(try step.compiled(into: &block, sources))
      } catch {
        throw LaunchError("\(step.description) (\(error.call))", errno: error.errno)
      }
    }
    steps = .copy(records)
    let argumentOffsets = plan.arguments.map { block.append([$0]) }
    let environmentOffsets = plan.environment.map { block.append([$0.assignment]) }
    let text = UnsafeMutableBufferPointer.copy(block.bytes)
    self.text = text
    func pointers(_ offsets: [UInt32]) -> UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?> {
      .copy(offsets.map { text.baseAddress.map { [offset = Int($0)] in $0 + offset } } + [nil])
    }
    arguments = pointers(argumentOffsets)
    environment = pointers(environmentOffsets)
    // The place between is for the channel to the daemon.
    descriptors = .copy(listeners + [-1] + preloaded)
    var record = launch_plan()
    record.steps = UnsafePointer(steps.baseAddress)
    record.step_count = UInt32(steps.count)
    record.text = text.baseAddress
    record.argv = arguments.baseAddress
    record.envp = environment.baseAddress
    record.descriptors = descriptors.baseAddress
    record.listener_count = UInt32(listeners.count)
    record.preloaded_count = UInt32(preloaded.count)
    record.slot_count = UInt32(plan.slotCount)
    record.namespaces = Kernel.newMounts | Kernel.newHostname | Kernel.newIPC | Kernel.newProcesses
    record.crosses = plan.crosses ? 1 : 0
    record.has_init = plan.hasInit ? 1 : 0
    self.record = .allocate(capacity: 1)
    self.record.initialize(to: record)
  }

  deinit {
    record.deallocate()
    steps.deallocate()
    text.deallocate()
    arguments.deallocate()
    environment.deallocate()
    descriptors.deallocate()
  }

  /// Executes the plan, once, as far as the sync point before execve(2). `cgroup` is the directory of the cgroup that the guest's PID 1 is
  /// made in. If nothing failed, `launch_finish` must follow.
  func start(in cgroup: borrowing OwnedFD) -> launch_result {
    record.pointee.cgroup = cgroup.raw
    return launch_start(record)
  }
}

/// Consecutive strings, each with its NUL.
struct TextBlock {
  private(set) var bytes: [CChar] = [0]

  /// - Returns: the offset of the first string; the others follow it.
  mutating func append(_ strings: [String]) -> UInt32 {
    let offset = UInt32(bytes.count)
    // A NUL inside would end the string early and shift the ones that follow.
    for string in strings { bytes += string.utf8.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0] }
    return offset
  }

  /// - Returns: the offset of the first byte.
  mutating func append(bytes more: [UInt8]) -> UInt32 {
    let offset = UInt32(bytes.count)
    bytes += more.map { CChar(bitPattern: $0) }
    return offset
  }

  /// As `append`, and appends bytes after the strings, which may contain NULs.
  mutating func append(_ strings: [String], contents: [UInt8]) -> UInt32 {
    let offset = append(strings)
    _ = append(bytes: contents)
    return offset
  }
}

extension UnsafeMutableBufferPointer {
  fileprivate static func copy(_ elements: [Element]) -> UnsafeMutableBufferPointer {
    let buffer = allocate(capacity: elements.count)
    _ = buffer.initialize(from: elements)
    return buffer
  }
}
