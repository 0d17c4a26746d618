import Glibc
import Systemd

/// Calls `body` on a thread of its own, where it can make and run a loop, and returns its result.
///
/// A loop blocks its thread, and the few threads of the concurrency pool must not block.
package func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    let main = Main { continuation.resume(with: Swift.Result(catching: body)) }
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Main>.fromOpaque(argument).takeRetainedValue().call() }
        return nil
      }, Unmanaged.passRetained(main).toOpaque())
    precondition(code == 0, "pthread_create")
    pthread_detach(thread)
  }
}

private final class Main: Sendable {
  let call: @Sendable () -> Void

  init(_ call: @escaping @Sendable () -> Void) { self.call = call }
}

/// A value that the closures of one thread share: handlers write it, and the test reads it.
package final class Box<Value> {
  package var value: Value

  package init(_ value: Value) { self.value = value }
}
