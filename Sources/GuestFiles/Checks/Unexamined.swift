import Glibc
import Linux

/// Words for a path that the user who runs `dormouse check` must not look at. The daemon runs as root, so nothing follows for the guest.
func unexamined(_ setting: String, _ error: SystemError) -> String? {
  guard error.errno == EACCES else { return nil }
  return "\(setting) cannot be examined as this user (\(String(cString: strerror(error.errno)))); "
    + "run dormouse check as root"
}
