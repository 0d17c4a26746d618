import Glibc

/// Whether a directory is where its path says whatever other users do: nobody but root, or the user of this process, can replace it or a
/// directory above it, or make files in it. A directory above it may be writable for all if it is sticky, as /tmp is: then what is in it stays
/// its owner's. A
/// directory that is not there can only be made by whoever may write above it.
public func isOnlyOurs(_ directory: String) -> Bool {
  // Both: a link on the way is safe by the directories that it lies in.
  isOurWay(directory) && (realPath(directory).map(isOurWay) ?? true)
}

private func isOurWay(_ path: String) -> Bool {
  let components = path.split(separator: "/")
  var prefix = ""
  for (index, component) in ([""] + components).enumerated() {
    if index > 0 { prefix += "/" + component }
    switch isOurs(index == 0 ? "/" : prefix, isLast: index == components.count) {
    case true?: continue
    case false?: return false
    case nil: return true
    }
  }
  return true
}

/// - Returns: nil when there is no such file.
private func isOurs(_ path: String, isLast: Bool) -> Bool? {
  var status = stat()
  guard lstat(path, &status) == 0 else { return errno == ENOENT ? nil : false }
  guard status.st_uid == 0 || status.st_uid == geteuid() else { return false }
  if status.st_mode & S_IFMT == S_IFLNK || status.st_mode & 0o022 == 0 { return true }
  // Root's own group is root.
  if status.st_mode & 0o002 == 0 && status.st_gid == 0 { return true }
  return !isLast && status.st_mode & S_ISVTX != 0
}

private func realPath(_ path: String) -> String? {
  guard let real = realpath(path, nil) else { return nil }
  defer { free(real) }
  return String(cString: real)
}
