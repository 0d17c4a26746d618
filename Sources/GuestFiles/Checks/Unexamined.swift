import Glibc
import Linux

/// The warning about a path that the user who runs `dormouse check` may not look at. The daemon runs as root, so the guest is not affected.
func unexamined(_ setting: String, _ error: SystemError) -> String? {
  guard error.errno == EACCES else { return nil }
  return "\(setting) cannot be examined as this user (\(error.reason)); run dormouse check as root"
}
