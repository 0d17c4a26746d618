extension Guest {
  /// Whether a start needs a scratch directory on the host, which is removed with the instance.
  public var needsScratch: Bool { files.needsScratch || isEphemeral }

  /// Whether the guest's changes go to an overlay on the host's disk. With `Volatile=` they go to memory, and `Ephemeral=` changes nothing.
  public var isEphemeral: Bool { exec.root.ephemeral && files.volatile == .no }
}

extension FilesSettings {
  /// Whether some `Bind=:/path` or `Overlay=/path::/path` needs a scratch directory.
  var needsScratch: Bool {
    mounts.contains { mount in
      switch mount {
      case .bind(let source, _, _, _, _, _): source.isEmpty
      case .overlay(let layers, _, _): layers.last == .temporary
      case .bindOwn, .temporaryFileSystem, .inaccessible: false
      }
    }
  }
}
