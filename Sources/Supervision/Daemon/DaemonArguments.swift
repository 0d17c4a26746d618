import ControlProtocol
import GuestFiles

/// The command line of `dormoused [--config DIR]... [--runtime DIR] [NAME...]`.
public struct DaemonArguments: Equatable, Sendable {
  /// `--config`, in the order given; nil: the default search path.
  public var searchPath: [String]?
  /// `--runtime`.
  public var runtime = "/run/dormouse"
  /// Only these guests; all when empty.
  public var guests: [String] = []

  /// The files of the guests, and of the daemon's own settings.
  var guestFiles: GuestFiles { GuestFiles(searchPath: searchPath) }

  /// What `--help` prints.
  public static let usage = """
    usage: dormoused [--config DIR]... [--runtime DIR] [NAME...]

      --config DIR   read guest files from DIR only; may be repeated, the first has precedence
      --runtime DIR  the directory of the control socket (default: /run/dormouse)
      NAME           manage only these guests
    """

  /// Why the daemon does not run with these arguments. `help` and `version` are no errors.
  public enum Problem: Error, Equatable, CustomStringConvertible {
    case help
    case version
    case unknownOption(String)
    case missingValue(String)

    public var description: String {
      switch self {
      case .help: DaemonArguments.usage
      case .version: "dormoused \(DormouseVersion.current)"
      case .unknownOption(let option): "unknown option \(option)\n\(DaemonArguments.usage)"
      case .missingValue(let option): "\(option) needs a directory\n\(DaemonArguments.usage)"
      }
    }
  }

  /// - Parameter arguments: without the program's name.
  /// - Throws: `Problem`, whose description is for the user.
  public init(_ arguments: [String]) throws(Problem) {
    var config: [String] = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      let (option, inline) = Self.split(argument)
      switch option {
      case "--config": config.append(try Self.value(of: option, inline, &rest))
      case "--runtime": runtime = try Self.value(of: option, inline, &rest)
      case "--help", "-h": throw .help
      case "--version": throw .version
      case "--":
        guests += rest
        rest = []
      case _ where option.hasPrefix("-"): throw .unknownOption(option)
      case _: guests.append(argument)
      }
    }
    if !config.isEmpty { searchPath = config }
  }

  /// `--option=value` in two parts.
  private static func split(_ argument: String) -> (option: String, value: String?) {
    guard argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") else { return (argument, nil) }
    return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
  }

  private static func value(
    of option: String, _ inline: String?, _ rest: inout ArraySlice<String>
  ) throws(Problem) -> String {
    guard let value = inline ?? rest.popFirst(), !value.isEmpty else { throw .missingValue(option) }
    return value
  }
}
