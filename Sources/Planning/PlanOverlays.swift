import GuestSpec

extension Guest {
  /// Whether a start needs a directory of the host that goes with the run.
  public var needsScratch: Bool { files.needsScratch || isEphemeral }

  /// Whether what is written to the root has to be kept apart from it; with `Volatile=` it never gets there.
  var isEphemeral: Bool { exec.ephemeral && files.volatile == .no }
}

/// `Ephemeral=`, `Overlay=` and `OverlayReadOnly=`.
extension PlanBuilder {
  /// A fresh directory of the host.
  mutating func scratchDirectory(for destination: String) throws(PlanError) -> String {
    guard let scratch = facts.scratch else { throw .noScratchDirectory(destination: destination) }
    let directory = "\(scratch)/\(scratchCount)"
    scratchCount += 1
    steps.append(.makeDirectory(path: directory, mode: 0o755))
    return directory
  }

  /// The root under a directory of the host's disk that takes what is written: no copy is made, whatever the file system, so the start
  /// takes as long as any other; and no memory is used, as it is with `Volatile=overlay`.
  mutating func mountEphemeral() throws(PlanError) {
    let scratch = try scratchDirectory(for: "/")
    mountOverlay(of: lowerDirectory(in: scratch), in: scratch)
  }

  /// Mounts the overlay of a root on the staging directory; what is written goes below `directory`.
  mutating func mountOverlay(of lower: String, in directory: String) {
    let (upper, work) = (directory + "/upper", directory + "/work")
    steps.append(.makeDirectory(path: upper, mode: 0o755))
    steps.append(.makeDirectory(path: work, mode: 0o755))
    steps.append(
      overlayMount([("lowerdir", [lower]), ("upperdir", [upper]), ("workdir", [work])], at: facts.staging, []))
  }

  /// Where the layers are mounted while an overlay is made of them: overlayfs takes paths, and they are the guest's by then.
  private static let stage = "/run/.layers"

  /// The steps that make an overlay after the switch; what is the host's is opened now.
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
      // Useless below another layer, so the guest's file is refused before; here it is an empty layer.
      case .temporary: lower.append(attach(try scratchDirectory(for: destination), number, &result))
      }
    }
    // overlayfs names the uppermost first.
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

  /// The layer that is written to, and the directory that overlayfs wants for itself beside it, in the same mount.
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

  /// overlayfs reads `:` as the end of a layer and `,` as the end of an option, unless a backslash stands before it.
  private static func escaped(_ path: String) -> String {
    path.reduce(into: "") { result, character in
      if ["\\", ":", ","].contains(character) { result.append("\\") }
      result.append(character)
    }
  }
}
