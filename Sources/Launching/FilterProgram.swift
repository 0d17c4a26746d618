import Glibc
import Linux
import Planning
import Synchronization

extension SystemCallFilter {
  /// A cache: making a program takes longer than the rest of a launch, and guests with the same settings share it.
  private static let made = Mutex<[SystemCallFilter: [UInt8]]>([:])
  private static let mostMade = 64

  /// The program for seccomp(2): an array of struct sock_filter.
  ///
  /// - Throws: `SystemError` of libseccomp.
  func program() throws(SystemError) -> [UInt8] {
    if let known = Self.made.withLock({ $0[self] }) { return known }
    let program = try make()
    Self.made.withLock { made in
      if made.count == Self.mostMade { made = [:] }
      made[self] = program
    }
    return program
  }

  private func make() throws(SystemError) -> [UInt8] {
    var program = try SystemCallProgram(otherwise: otherwise.kernel)
    for rule in rules {
      program.add(rule.action.kernel, rule.calls, if: rule.conditions.map(\.kernel), holdsUnseen: rule.holdsUnseen)
    }
    return try program.exported()
  }
}

extension SystemCallFilter.Action {
  fileprivate var kernel: SystemCallProgram.Action {
    switch self {
    case .allow: .allow
    case .refuse: .fail(EPERM)
    case .deny: .fail(ENOSYS)
    case .noFamily: .fail(EAFNOSUPPORT)
    case .invalid: .fail(EINVAL)
    case .pretend: .fail(0)
    }
  }
}

extension SystemCallFilter.Condition {
  fileprivate var kernel: SystemCallProgram.Condition {
    switch self {
    case .bits(let argument, let mask, let value): .init(argument: argument, mask: mask, value: value)
    case .above(let argument, let value): .init(argument: argument, mask: nil, value: value)
    }
  }
}
