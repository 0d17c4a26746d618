import CLinux

/// Why rules of the packet filter were not set.
public enum NftablesError: Error, Equatable, CustomStringConvertible {
  /// libnftables is not installed.
  case noLibrary
  /// What it says, in one line.
  case refused(String)

  public var description: String {
    switch self {
    case .noLibrary: "libnftables.so.1 is not here (Debian has it in libnftables1)"
    case .refused(let words): words
    }
  }
}

/// The packet filter of the thread's network namespace, by libnftables: the library of nft(8), whose language is what it takes.
public enum Nftables {
  /// Carries out commands of nft(8), all or none.
  ///
  /// - Throws: `NftablesError`.
  public static func run(_ commands: String) throws(NftablesError) {
    var words = [CChar](repeating: 0, count: 1024)
    let result = linux_nftables(commands, &words, words.count)
    switch result {
    case LINUX_NFTABLES_DONE: return
    case LINUX_NFTABLES_MISSING: throw .noLibrary
    default:
      // The first line says what; the ones after it show where in the text.
      let text = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw .refused(text.split(separator: "\n").first.map(String.init) ?? "no reason given")
    }
  }
}
