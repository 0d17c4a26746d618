// The kinds of values, one line each: what a message calls the kind, and the function that reads it. `ValueChoice.swift` has those that are
// one word of a list.

extension Value<Bool> {
  static let boolean = Value("a boolean", readBoolean)
}

extension Value<Signal> {
  static let signal = Value("a signal", readSignal)
}

extension Value<[String]> {
  static let words = Value("words", readWords)
  static let userNames = Value("names of users", readUserNames)
}

extension Value<[EnvironmentVariable]> {
  static let environment = Value("environment variables", readEnvironment)
}

extension Value<[CapabilityChoice]> {
  static let droppedCapabilities = Value("capabilities", readDroppedCapabilities)
  static let addedCapabilities = Value("more capabilities", readAddedCapabilities)
}

extension Value<[Capabilities]> {
  static let ambient = Value("names of capabilities", readAmbient)
}

extension Value<Int16> {
  static let oomScore = Value("a score from -1000 to 1000", readOomScore)
}

extension Value<[ClosedRange<Int>]> {
  static let processors = Value("numbers of processors", readProcessors)
}

extension Value<PivotRoot> {
  static let pivotRoot = Value("directories to pivot to", readPivotRoot)
}

extension Value<ResourceLimit> {
  static func limit(_ unit: ResourceLimit.Unit) -> Value<ResourceLimit> {
    Value(unit.words) { (text, _) throws(WrongValue) in try readLimit(text, unit) }
  }
}

extension Value<String> {
  static let directory = Value("an absolute path", readDirectory)
  static let hostname = Value("a host name", readHostname)
  static let descriptorName = Value("a descriptor name", readDescriptorName)
  static let account = Value("a user or group", readAccount)
  static let machineID = Value("a machine ID", readMachineID)
  static let interface = Value("an interface's name", readInterface)
  static let zone = Value("a network zone", readZone)
}

extension Value<UInt16> {
  static let mode = Value("an access mode", readMode)
}

extension Value<Int> {
  static let terminals = Value("a number of terminals", readTerminals)
}

extension Value<UInt32> {
  static let unsigned = Value("a number", readUnsigned)
  static let processorShare = Value("a share of a processor", readProcessorShare)
  static let weight = Value("a weight", readWeight)
  static let starts = Value("a number of starts", readStarts)
}

extension Value<UInt32?> {
  static let probes = Value("a number of probes", readProbes)
}

extension Value<UInt64?> {
  static let bufferSize = Value("a size", readBufferSize)
}

extension Value<Resources.Amount> {
  static let diskLimit = Value("a limit of disk space", readDiskLimit)
  static let freeSpace = Value("an amount of free space", readFreeSpace)
  static let memory = Value("an amount of memory", readMemory)
  static let memoryLimit = Value("a limit of memory", readMemoryLimit)
  static let tasks = Value("a number of tasks", readTasks)
}

extension Value<Resources.Weight> {
  static let processorWeight = Value("a weight or idle", readProcessorWeight)
}

extension Value<[SystemCallChoice]> {
  static let systemCalls = Value("system calls", readSystemCalls)
}

extension Value<AddressFamilies?> {
  static let addressFamilies = Value("address families", readAddressFamilies)
}

extension Value<PrivateUsers> {
  static let privateUsers = Value("private users", readPrivateUsers)
}

extension Value<UsersOwnership> {
  static let ownershipByChown = Value("a boolean", readOwnershipByChown)
}

extension Value<BindUserShell> {
  static let bindUserShell = Value("a boolean or a shell's path", readBindUserShell)
}

extension Value<Credential> {
  static let setCredential = Value("a credential with its value", readSetCredential)
  static let loadCredential = Value("a credential with its file", readLoadCredential)
}

extension Value<Listen> {
  static func listen(_ kind: Listen.Kind) -> Value<Listen> {
    Value("an address") { (text, context) throws(WrongValue) in try readListen(text, &context, kind) }
  }
}

extension Value<CustomMount> {
  static func bind(readOnly: Bool) -> Value<CustomMount> {
    Value("a bind mount") { (text, context) throws(WrongValue) in try readBind(text, &context, readOnly: readOnly) }
  }
  static let temporaryFileSystem = Value("a tmpfs mount", readTemporaryFileSystem)
  static let inaccessible = Value("a path to hide", readInaccessible)
  static func overlay(readOnly: Bool) -> Value<CustomMount> {
    Value("an overlay") { (text, context) throws(WrongValue) in try readOverlay(text, &context, readOnly: readOnly) }
  }
}

extension Value<InterfacePair> {
  static let virtualEthernet = Value("a pair of interfaces", readVirtualEthernet)
}

extension Value<[InterfacePair]> {
  static func interfaces(prefix: String) -> Value<[InterfacePair]> {
    Value("interfaces") { (text, context) throws(WrongValue) in try readInterfaces(text, &context, prefix: prefix) }
  }
}

extension Value<ForwardedPort> {
  static let port = Value("a port", readPort)
}

extension Value<Duration?> {
  static let timeSpan = Value("a time span", readTimeSpan)
  static let timeout = Value("a timeout", readTimeout)
  static let tcpSeconds = Value("a time span of at most 32767s", readTCPSeconds)
}
