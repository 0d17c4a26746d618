func readDirectory(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> String {
  try absolutePath(context.expand(text))
}

func readHostname(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> String {
  let name = try context.expand(text)
  guard isHostname(name) else {
    throw WrongValue("not a host name; use letters, digits, dashes and single dots, at most 64 characters")
  }
  return name
}

/// A name that may be in `LISTEN_FDNAMES`, as in sd_listen_fds_with_names(3).
func readDescriptorName(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> String {
  let name = try context.expand(text)
  guard name.utf8.count <= 255, name.utf8.allSatisfy({ $0 > 0x1F && $0 < 0x7F && $0 != UInt8(ascii: ":") }) else {
    throw WrongValue("not a descriptor name; use printable ASCII without ':', at most 255 characters")
  }
  // systemd 261 or later as PID 1 would put a socket of this name into the FD store of a unit.
  guard name != "systemd-fdstore-mapping", !name.hasPrefix("sub-fdstore-") else {
    throw WrongValue("systemd keeps this name for stored descriptors; use another")
  }
  return name
}

/// A user or a group, by name or by number. Whether it exists is checked later, when it is used.
func readAccount(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> String {
  let name = try context.expand(text)
  let isNumber = name.utf8.allSatisfy(isDigit)
  let isName =
    name.utf8.first != UInt8(ascii: "-") && name.utf8.count <= 256
    && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") }
  // 65535 and 4294967295 are the 16-bit and 32-bit forms of -1, which means "no change" to the kernel.
  guard isNumber ? decimal(name).map({ $0 != UInt32.max && $0 != 65535 }) == true : isName else {
    throw WrongValue("not the name or number of a user or group")
  }
  return name
}

/// A machine ID as in machine-id(5): 32 hexadecimal digits, or a UUID.
func readMachineID(_ text: String, _ context: inout ValueContext) throws(WrongValue) -> String {
  let written = try context.expand(text)
  let digits = Array(written.utf8.filter { $0 != UInt8(ascii: "-") })
  let isUUID = written.utf8.count == 36 && written.split(at: UInt8(ascii: "-")).map(\.utf8.count) == [8, 4, 4, 4, 12]
  guard written.utf8.count == 32 || isUUID, digits.count == 32,
    digits.allSatisfy({ isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20) })
  else { throw WrongValue("not a machine ID; write 32 hexadecimal digits, such as systemd-id128 new prints") }
  if digits.allSatisfy({ $0 == UInt8(ascii: "0") }) { throw WrongValue("a machine ID must not be zero") }
  return String(decoding: digits, as: UTF8.self).lowercased()
}
