import CLaunch
import GuestSpec
import Linux
import Planning

extension Step {
  /// The record of this step. launch.h says what the fields of each operation mean.
  ///
  /// - Throws: `SystemError` when libseccomp cannot make the program of a filter.
  func compiled(into block: inout TextBlock) throws(SystemError) -> launch_step {
    switch self {
    case .newSession: launch_step(LAUNCH_SESSION)
    case .newKeyring: launch_step(LAUNCH_KEYRING)
    case .awaitPlacement: launch_step(LAUNCH_PLACE)
    case .newCgroupNamespace: launch_step(LAUNCH_UNSHARE, Kernel.newCgroup)
    case .enter(.network, let slot): launch_step(LAUNCH_ENTER, UInt64(slot), Kernel.newNetwork)
    case .actAsRoot(let user, let group): launch_step(LAUNCH_ACT, UInt64(user), UInt64(group))
    case .cross(let slot, let pin): launch_step(LAUNCH_CROSS, UInt64(slot), text: block.append([pin]))
    case .unpin: launch_step(LAUNCH_UNPIN)
    case .map(let slot, let users, _, let recursive):
      launch_step(LAUNCH_MAP, UInt64(slot), UInt64(users), flags(recursive: recursive))
    case .propagate(let propagation, let path):
      launch_step(LAUNCH_PROPAGATE, propagation.mountFlags, text: block.append([path]))
    case .open(let slot, let source, let attributes, let recursive, let optional):
      launch_step(
        LAUNCH_OPEN, UInt64(slot), attributes.attributes, flags(optional: optional, recursive: recursive),
        text: block.append([source]))
    case .openOwn(let slot, let source, let attributes):
      launch_step(
        LAUNCH_OPEN, UInt64(slot), attributes.attributes, UInt64(LAUNCH_RECURSIVE.rawValue | LAUNCH_NO_LINK.rawValue),
        text: block.append([source]))
    case .attach(let slot, _, let target):
      launch_step(LAUNCH_ATTACH, UInt64(slot), text: block.append([target]))
    case .attachTerminals(let target):
      launch_step(LAUNCH_ATTACH, 0, text: block.append([target]))
    case .mount(let type, let target, let mountFlags, let data, let optional):
      launch_step(
        LAUNCH_MOUNT, mountFlags.mountFlags, 0, flags(optional: optional),
        text: block.append([type, target, data]))
    case .change(let path, let set, let recursive):
      launch_step(
        LAUNCH_CHANGE, set.attributes, 0, flags(recursive: recursive), text: block.append([path]))
    case .rebind(let path, let set, let clear, let optional):
      launch_step(
        LAUNCH_REBIND, set.attributes, clear.attributes, flags(optional: optional),
        text: block.append([path]))
    case .bindOwn(let source, let target, let attributes, let recursive, let optional):
      launch_step(
        LAUNCH_BIND, attributes.attributes, 0, flags(optional: optional, recursive: recursive),
        text: block.append([source, target]))
    case .detach(let path): launch_step(LAUNCH_DETACH, text: block.append([path]))
    case .mask(let path, let optional):
      launch_step(
        LAUNCH_MASK, 0, 0, flags(optional: optional), text: block.append([path] + Self.coverings))
    case .switchRoot(let staging): launch_step(LAUNCH_ROOT, text: block.append([staging, ""]))
    case .pivotRoot(let new, let old): launch_step(LAUNCH_ROOT, text: block.append([new, old ?? ""]))
    case .makeDirectory(let path, let mode):
      launch_step(LAUNCH_DIRECTORY, UInt64(mode), text: block.append([path]))
    case .makeLink(let path, let target): launch_step(LAUNCH_LINK, text: block.append([path, target]))
    case .makeNode(let node, let path, let mode):
      launch_step(
        LAUNCH_NODE, node.type | UInt64(mode), node.device.major, node.device.minor,
        text: block.append([path]))
    case .writeFile(let path, let mode, let contents):
      file(path, mode, Array(contents.utf8), 0, &block)
    case .replaceFile(let path, let mode, let contents, let keepsLink, let lenient):
      file(path, mode, contents, (keepsLink ? UInt64(LAUNCH_KEEP_LINK.rawValue) : 0) | flags(lenient: lenient), &block)
    case .replaceLink(let path, let target, let lenient):
      launch_step(
        LAUNCH_LINK, 0, 0, UInt64(LAUNCH_REPLACE.rawValue) | flags(lenient: lenient),
        text: block.append([path, target]))
    case .remove(let path): launch_step(LAUNCH_REMOVE, text: block.append([path]))
    case .setHostname(let name): launch_step(LAUNCH_HOSTNAME, text: block.append([name]))
    case .setSysctl(let path, let text, let lenient):
      launch_step(LAUNCH_SET, 0, 0, flags(lenient: lenient), text: block.append([path, text]))
    case .bringUpLoopback: launch_step(LAUNCH_LOOPBACK)
    case .limit(let resource, let soft, let hard):
      launch_step(LAUNCH_LIMIT, UInt64(resource.rawValue), soft, hard)
    case .setPersonality(let is32Bit): launch_step(LAUNCH_PERSONALITY, is32Bit ? Kernel.personality32 : 0)
    case .setAffinity(let processors):
      launch_step(
        LAUNCH_AFFINITY, UInt64(Self.mask(processors).count), text: block.append(bytes: Self.mask(processors)))
    case .changeDirectory(let path): launch_step(LAUNCH_CHDIR, text: block.append([path]))
    case .becomeUser(let account):
      launch_step(
        LAUNCH_USER, UInt64(account.uid), UInt64(account.gid), UInt64(account.groups.count),
        text: block.append(bytes: account.groups.flatMap { withUnsafeBytes(of: $0, Array.init) }))
    case .setUmask(let mask): launch_step(LAUNCH_UMASK, UInt64(mask))
    case .openConsole(let path): launch_step(LAUNCH_CONSOLE, text: block.append([path]))
    case .keepCapabilities(let capabilities, let untilExecuted):
      launch_step(LAUNCH_KEEP, capabilities.rawValue, untilExecuted.rawValue)
    case .raiseCapabilities(let capabilities): launch_step(LAUNCH_RAISE, capabilities.rawValue)
    case .noNewPrivileges: launch_step(LAUNCH_NO_NEW_PRIVILEGES)
    case .filterSystemCalls(let filter): try Self.filtering(filter.program(), &block)
    case .blockSignals(let signals):
      launch_step(LAUNCH_BLOCK, signals.reduce(0) { $0 | 1 << UInt64($1.kernelNumber - 1) })
    case .leaveInit(let slot, let arguments, let environment):
      launch_step(
        LAUNCH_INIT, UInt64(slot), UInt64(arguments.count), UInt64(environment.count),
        text: block.append(arguments + environment.map(\.assignment)))
    case .execute(let candidates, let namesItself):
      launch_step(
        LAUNCH_EXECUTE, UInt64(candidates.count), namesItself ? 1 : 0, text: block.append(candidates))
    }
  }

  /// The covers for a directory, a file, a FIFO, a socket, a character device and a block device.
  private static let coverings = ["dir", "reg", "fifo", "sock", "chr", "blk"].map { "/run/host/inaccessible/" + $0 }

  private static func filtering(_ program: [UInt8], _ block: inout TextBlock) -> launch_step {
    launch_step(LAUNCH_FILTER, UInt64(program.count / 8), text: block.append(bytes: program))
  }

  /// Whole words, because sched_setaffinity(2) reads these.
  private static func mask(_ processors: [ClosedRange<Int>]) -> [UInt8] {
    let most = processors.map(\.upperBound).max() ?? 0
    var mask = [UInt8](repeating: 0, count: (most / 64 + 1) * 8)
    for number in processors.joined() { mask[number / 8] |= 1 << UInt8(number % 8) }
    return mask
  }

  private func flags(optional: Bool = false, recursive: Bool = false, lenient: Bool = false) -> UInt64 {
    (optional ? UInt64(LAUNCH_OPTIONAL.rawValue) : 0) | (recursive ? UInt64(LAUNCH_RECURSIVE.rawValue) : 0)
      | (lenient ? UInt64(LAUNCH_LENIENT.rawValue) : 0)
  }

  private func file(
    _ path: String, _ mode: UInt16, _ contents: [UInt8], _ flags: UInt64, _ block: inout TextBlock
  ) -> launch_step {
    launch_step(
      LAUNCH_FILE, UInt64(mode), UInt64(contents.count), flags, text: block.append([path], contents: contents))
  }
}

extension Step.Propagation {
  fileprivate var mountFlags: UInt64 {
    switch self {
    case .slave: Kernel.slave
    case .private: Kernel.private
    case .shared: Kernel.shared
    }
  }
}

extension Step.Node {
  fileprivate var type: UInt64 {
    switch self {
    case .file: Kernel.file
    case .fifo: Kernel.fifo
    case .socket: Kernel.socket
    case .character: Kernel.character
    case .block: Kernel.block
    }
  }

  fileprivate var device: (major: UInt64, minor: UInt64) {
    switch self {
    case .file, .fifo, .socket: (0, 0)
    case .character(let major, let minor), .block(let major, let minor): (UInt64(major), UInt64(minor))
    }
  }
}

extension launch_step {
  fileprivate init(
    _ operation: launch_op, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0, text: UInt32 = 0
  ) {
    self.init(op: operation.rawValue, arg: text, a: a, b: b, c: c)
  }
}
