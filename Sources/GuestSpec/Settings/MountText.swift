/// `SOURCE`, `SOURCE:DESTINATION` or `SOURCE:DESTINATION:OPTIONS`, as systemd-nspawn(1) `--bind=`.
func readBind(_ text: String, _ context: inout ValueContext, readOnly: Bool) throws(WrongValue) -> CustomMount {
  var parts: [String] = []
  for part in text.splitAtColons() { parts.append(try context.expand(part)) }
  guard (1...3).contains(parts.count) else {
    throw WrongValue("too many ':'; write SOURCE:DESTINATION:OPTIONS, with \\: for a colon in a path")
  }
  var source = parts[0]
  let isOptional = source.hasPrefix("-")
  if isOptional { source.removeFirst() }
  let isOwn = source.hasPrefix("+")
  if isOwn { source.removeFirst() }
  if source.isEmpty, parts.count == 1 || isOptional || isOwn {
    throw WrongValue("the source is missing; write SOURCE:DESTINATION, or :DESTINATION for a temporary directory")
  }
  if !source.isEmpty { source = try absolutePath(source) }
  let (recursive, owners) = try options(parts.count > 2 ? parts[2] : "")
  if isOwn {
    return .bindOwn(
      source: source, destination: try guestPath(parts.count > 1 ? parts[1] : source), readOnly: readOnly,
      recursive: recursive, optional: isOptional)
  }
  return .bind(
    source: source, destination: try guestPath(parts.count > 1 ? parts[1] : source), readOnly: readOnly,
    recursive: recursive, optional: isOptional, owners: owners)
}

private func options(_ options: String) throws(WrongValue) -> (recursive: Bool, owners: BindOwners) {
  var recursive = true
  var owners = BindOwners.noidmap
  for option in options.split(at: UInt8(ascii: ",")) where !option.isEmpty {
    if let named = BindOwners(rawValue: option) {
      owners = named
    } else if option == "rbind" || option == "norbind" {
      recursive = option == "rbind"
    } else {
      let names = ["rbind", "norbind"] + BindOwners.allCases.map(\.rawValue)
      throw WrongValue(
        "\"\(option.shortened)\" is not an option of a bind mount; \(remedy(for: option, among: names))")
    }
  }
  return (recursive, owners)
}

/// `PATH` or `PATH:OPTIONS`, as systemd-nspawn(1) `--tmpfs=`; the default option is the same mode.
func readTemporaryFileSystem(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> CustomMount {
  let parts = text.splitAtColons()
  let path = try guestPath(context.expand(parts[0]))
  let options = try context.expand(parts.dropFirst().joined(separator: ":"))
  if options.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
    throw WrongValue("the options contain white space; separate them with commas")
  }
  return .temporaryFileSystem(path: path, options: options.isEmpty ? "mode=0755" : options)
}

func readInaccessible(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> CustomMount {
  .inaccessible(path: try guestPath(context.expand(text)))
}

func guestPath(_ text: String) throws(WrongValue) -> String {
  let path = try absolutePath(text)
  if path == "/" {
    throw WrongValue("the root of the guest is set by Directory= in [Guest]; write a path below it")
  }
  return path
}
