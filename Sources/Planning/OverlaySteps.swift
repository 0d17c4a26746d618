import GuestSpec

/// `Overlay=` or `OverlayReadOnly=`: one overlay.
struct OverlaySteps {
  /// Opens the host's layers.
  private(set) var opening: [Step] = []
  /// Makes the overlay after the switch.
  private(set) var mounting: [Step] = [
    .makeDirectory(path: Self.stage, mode: 0o700),
    .mount(type: "tmpfs", target: Self.stage, flags: .inert, data: "mode=0700", optional: false),
  ]

  /// Where the layers are mounted while an overlay is made of them. overlayfs takes paths, and after the switch these are the guest's.
  private static let stage = "/run/.layers"

  init(
    _ layers: [OverlayLayer], at destination: String, readOnly: Bool, _ slots: inout Slots, _ scratch: inout Scratch
  ) throws(PlanError) {
    var lower: [String] = []
    for (number, layer) in (readOnly ? layers : layers.dropLast()).enumerated() {
      switch layer {
      case .host(let path): lower.append(attach(path, number, &slots))
      case .own(let path): lower.append(path)
      // Reading the guest's file rejects a temporary layer below another one. Here it is an empty layer.
      case .temporary: lower.append(attach(try directory(destination, &scratch), number, &slots))
      }
    }
    // overlayfs expects the uppermost layer first.
    var options: [(String, [String])] = [("lowerdir", lower.reversed())]
    var isDiscarded = false
    if !readOnly, let last = layers.last {
      let (upper, work) = try writable(last, destination, &slots, &scratch)
      mounting.append(.makeDirectory(path: work, mode: 0o700))
      options += [("upperdir", [upper]), ("workdir", [work])]
      isDiscarded = last == .temporary
    }
    mounting.append(.makeDirectory(path: destination, mode: 0o755))
    mounting.append(.overlay(options, at: destination, readOnly ? .readOnly : [], discarded: isDiscarded))
    mounting.append(.detach(path: Self.stage))
  }

  /// The upper layer, and the work directory, which overlayfs needs in the same mount.
  private mutating func writable(
    _ layer: OverlayLayer, _ destination: String, _ slots: inout Slots, _ scratch: inout Scratch
  ) throws(PlanError) -> (upper: String, work: String) {
    let path: String
    let parent: String
    switch layer {
    case .temporary:
      let mount = attach(try directory(destination, &scratch), Self.writableNumber, &slots)
      mounting.append(.makeDirectory(path: mount + "/upper", mode: 0o755))
      return (mount + "/upper", mount + "/work")
    case .host(let upper):
      path = upper
      parent = attach(Self.parent(upper), Self.writableNumber, &slots)
    case .own(let upper):
      path = upper
      parent = Self.parent(upper) == "/" ? "" : Self.parent(upper)
    }
    let name = path.split(separator: "/").last.map(String.init) ?? ""
    return ("\(parent)/\(name)", "\(parent)/.\(name).dormouse-work")
  }

  private static let writableNumber = 1000

  /// Opens a layer, and attaches it below `stage`, where the overlay finds it.
  private mutating func attach(_ path: String, _ number: Int, _ slots: inout Slots) -> String {
    let layer = slots.open(path)
    let target = "\(Self.stage)/\(number)"
    opening.append(layer.opening)
    mounting.append(layer.attached(at: target))
    return target
  }

  private mutating func directory(_ destination: String, _ scratch: inout Scratch) throws(PlanError) -> String {
    let directory = try scratch.directory(for: destination)
    opening.append(directory.making)
    return directory.path
  }

  private static func parent(_ path: String) -> String {
    let names = path.split(separator: "/").dropLast()
    return "/" + names.joined(separator: "/")
  }
}

extension Step {
  /// Mounts an overlay, whose options are lists of paths.
  ///
  /// - Parameters:
  ///   - options: the names of the options and their paths.
  ///   - target: where it is mounted.
  ///   - flags: of the mount.
  ///   - discarded: the changes are discarded when the guest ends, so nothing is written to the disk for their sake. Otherwise the end of
  ///     the last process, also of a killed one, waits until the whole file system of the upper layer is written back. That is the host's,
  ///     and may have gigabytes to write.
  /// - Returns: the step.
  static func overlay(
    _ options: [(String, [String])], at target: String, _ flags: MountFlags, discarded: Bool = false
  ) -> Step {
    let data =
      options.map { name, paths in "\(name)=" + paths.map(escaped).joined(separator: ":") }
      + (discarded ? ["volatile"] : [])
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
