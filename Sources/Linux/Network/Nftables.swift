import CLinux

/// Why nftables rules could not be applied.
public enum NftablesError: Error, Equatable, CustomStringConvertible {
  /// libnftables is not installed.
  case noLibrary
  /// The first line of libnftables' message.
  case refused(String)

  public var description: String {
    switch self {
    case .noLibrary: "libnftables.so.1 is missing (on Debian: package libnftables1)"
    case .refused(let words): words
    }
  }
}

/// The packet filter of the thread's network namespace, set through libnftables, which takes the language of nft(8).
public enum Nftables {
  /// Runs commands of nft(8) in one transaction.
  ///
  /// - Throws: `NftablesError`.
  public static func run(_ commands: String) throws(NftablesError) {
    var words = [CChar](repeating: 0, count: 1024)
    let result = linux_nftables(commands, &words, words.count)
    switch result {
    case LINUX_NFTABLES_DONE: return
    case LINUX_NFTABLES_MISSING: throw .noLibrary
    default:
      // The first line is the error; the following lines quote the commands.
      let text = String(decoding: words.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw .refused(text.split(separator: "\n").first.map(String.init) ?? "no reason given")
    }
  }
}
