import Glibc
import Testing

@testable import Linux

@Suite("The devices of a cgroup")
struct CgroupDevicesTests {
  @Test("the device program compares type, major and minor, and allows nothing else")
  func program() {
    let device = AllowedDevice(isBlock: false, major: 1, minor: 3)
    let terminals = AllowedDevice(isBlock: false, major: 136, minor: nil)
    #expect(
      DeviceProgram.instructions([device, terminals]) == [
        0x0000_0000_0000_1261, 0x0000_ffff_0000_0254, 0x0000_0000_0004_1361, 0x0000_0000_0008_1461,
        0x0000_0002_0004_0256, 0x0000_0001_0003_0356, 0x0000_0003_0002_0456, 0x0000_0001_0000_00b7, 0x95,
        0x0000_0002_0003_0256, 0x0000_0088_0002_0356, 0x0000_0001_0000_00b7, 0x95,
        0x0000_0000_0000_00b7, 0x95,
      ])
  }

  @Test(
    "a cgroup's processes can open a device that is allowed, and no other", .enabled(if: Cgroup2.canRestrictDevices))
  func restricted() throws {
    let path = try Cgroup2.ownDirectory() + "/test-devices-\(getpid())"
    mkdir(path, 0o755)
    defer { rmdir(path) }
    let cgroup = OwnedFD(owning: try retrying("open") { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    let null = AllowedDevice(isBlock: false, major: 1, minor: 3)
    try Cgroup2.restrictDevices(of: cgroup, to: [null])
    let node = "/tmp/dormouse-test-node-\(getpid())"
    defer { unlink(node) }
    let command = """
      echo $$ >\(path)/cgroup.procs; </dev/null && echo null; </dev/zero || echo no zero; \
      mknod \(node) c 1 3 && echo node; rm \(node); mknod \(node) b 7 0 || echo no node; \
      echo $$ >\(path)/../cgroup.procs
      """
    guard let pipe = popen("exec 2>/dev/null; cd /; \(command)", "r") else { throw SystemError("popen", errno: errno) }
    var output = ""
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, pipe) != nil {
      output += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    pclose(pipe)
    #expect(output == "null\nno zero\nnode\nno node\n")
  }
}
