import GuestSpec

extension Guest {
  /// Whether a start needs a scratch directory on the host, which is removed with the instance.
  public var needsScratch: Bool { files.needsScratch || isEphemeral }

  /// Whether the guest's changes go to an overlay on the host's disk. With `Volatile=` they go to memory, and `Ephemeral=` changes nothing.
  var isEphemeral: Bool { exec.ephemeral && files.volatile == .no }
}

/// `Ephemeral=`, `Overlay=` and `OverlayReadOnly=`.
extension PlanBuilder {
  /// Makes a new directory in the scratch directory.
  mutating func scratchDirectory(for destination: String) throws(PlanError) -> String {
    guard let scratch = facts.scratch else { throw .noScratchDirectory(destination: destination) }
    let directory = "\(scratch)/\(scratchCount)"
    scratchCount += 1
    steps.append(.makeDirectory(path: directory, mode: 0o755))
    return directory
  }

  /// Mounts the root as the lower layer of an overlay whose upper layer is on the host's disk. No file is copied, whatever the file system,
  /// so the start is as fast as any other. No memory is used for the changes, unlike with `Volatile=overlay`.
  mutating func mountEphemeral() throws(PlanError) {
    let scratch = try scratchDirectory(for: "/")
    mountOverlay(of: lowerDirectory(in: scratch), in: scratch)
  }

  /// Mounts the overlay of a root on the staging directory. Its upper layer is in `directory`.
  mutating func mountOverlay(of lower: String, in directory: String) {
    let (upper, work) = (directory + "/upper", directory + "/work")
    steps.append(.makeDirectory(path: upper, mode: 0o755))
    steps.append(.makeDirectory(path: work, mode: 0o755))
    steps.append(
      overlayMount([("lowerdir", [lower]), ("upperdir", [upper]), ("workdir", [work])], at: facts.staging, []))
  }

  /// Where the layers are mounted while an overlay is made of them. overlayfs takes paths, and after the switch these are the guest's.
  private static let stage = "/run/.layers"

  /// Opens the host's layers now, and returns the steps that make the overlay after the switch.
  mutating func overlay(
    _ layers: [OverlayLayer], at destination: String, readOnly: Bool
  ) throws(PlanError) -> [Step] {
    var result: [Step] = [
      .makeDirectory(path: Self.stage, mode: 0o700),
      .mount(type: "tmpfs", target: Self.stage, flags: .inert, data: "mode=0700", optional: false),
    ]
    var lower: [String] = []
    for (number, layer) in (readOnly ? layers : layers.dropLast()).enumerated() {
      switch layer {
      case .host(let path): lower.append(attach(path, number, &result))
      case .own(let path): lower.append(path)
      // Reading the guest's file rejects a temporary layer below another one. Here it is an empty layer.
      case .temporary: lower.append(attach(try scratchDirectory(for: destination), number, &result))
      }
    }
    // overlayfs expects the uppermost layer first.
    var options: [(String, [String])] = [("lowerdir", lower.reversed())]
    if !readOnly, let last = layers.last {
      let (upper, work) = try writable(last, destination, &result)
      result.append(.makeDirectory(path: work, mode: 0o700))
      options += [("upperdir", [upper]), ("workdir", [work])]
    }
    result.append(.makeDirectory(path: destination, mode: 0o755))
    result.append(overlayMount(options, at: destination, readOnly ? .readOnly : []))
    return result + [.detach(path: Self.stage)]
  }

  /// The upper layer, and the work directory, which overlayfs needs in the same mount.
  private mutating func writable(
    _ layer: OverlayLayer, _ destination: String, _ result: inout [Step]
  ) throws(PlanError) -> (upper: String, work: String) {
    let path: String
    let parent: String
    switch layer {
    case .temporary:
      let directory = try scratchDirectory(for: destination)
      let mount = attach(directory, Self.writableNumber, &result)
      result.append(.makeDirectory(path: mount + "/upper", mode: 0o755))
      return (mount + "/upper", mount + "/work")
    case .host(let upper):
      path = upper
      parent = attach(Self.parent(upper), Self.writableNumber, &result)
    case .own(let upper):
      path = upper
      parent = Self.parent(upper) == "/" ? "" : Self.parent(upper)
    }
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    return ("\(parent)/\(name)", "\(parent)/.\(name).dormouse-work")
  }

  private static let writableNumber = 1000

  private mutating func attach(_ path: String, _ number: Int, _ result: inout [Step]) -> String {
    let target = "\(Self.stage)/\(number)"
    result.append(.attach(slot: open(path), source: path, target: target))
    return target
  }

  private static func parent(_ path: String) -> String {
    let names = path.split(separator: "/").dropLast()
    return "/" + names.joined(separator: "/")
  }

  private func overlayMount(_ options: [(String, [String])], at target: String, _ flags: MountFlags) -> Step {
    let data = options.map { name, paths in "\(name)=" + paths.map(Self.escaped).joined(separator: ":") }
    return .mount(type: "overlay", target: target, flags: flags, data: data.joined(separator: ","), optional: false)
  }

  /// Escapes the characters that overlayfs gives a meaning: `:` ends a layer and `,` an option, unless a backslash precedes them.
  private static func escaped(_ path: String) -> String {
    path.reduce(into: "") { result, character in
      if ["\\", ":", ","].contains(character) { result.append("\\") }
      result.append(character)
    }
  }
}
