import Linux

// What leads to the guest without a listener of ours.
extension Supervisor {
  /// `Port=`. A guest whose ports cannot be made to lead to it runs all the same: what is held for it does.
  func forwardPorts() {
    do throws(SystemError) {
      try run?.forwardPorts(of: name, context.loop) { [unowned self] report in
        switch report {
        case .forwarding(let addresses): say(.forwarding(to: addresses))
        case .failed(let error): say(.cannotForward(error: "\(error)"))
        case .notFromLoopback(let error): say(.notFromLoopback(error: "\(error)"))
        }
      }
    } catch {
      say(.cannotForward(error: "\(error)"))
    }
  }
}
