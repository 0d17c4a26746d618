import Glibc

/// Calls `body` on a thread of its own, where it can make and run a loop, and returns its result.
///
/// A loop blocks its thread, and the few threads of the concurrency pool must not block. The thread goes on with the caller's task, so
/// that a failed expectation belongs to its test.
package func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withTaskExecutorPreference(NewThreads()) { try await call(body) }
}

/// Nothing is awaited in it: all of `body` runs on one thread.
@concurrent
private func call<Result: Sendable>(_ body: @Sendable () throws -> Result) async throws -> Result { try body() }

/// Runs each job on a thread that it makes for it.
private final class NewThreads: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = Job(UnownedJob(job), on: self)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(job).toOpaque())
    precondition(code == 0, "pthread_create")
    pthread_detach(thread)
  }
}

private final class Job: Sendable {
  private let job: UnownedJob
  private let executor: NewThreads

  init(_ job: UnownedJob, on executor: NewThreads) { (self.job, self.executor) = (job, executor) }

  func run() { job.runSynchronously(on: executor.asUnownedTaskExecutor()) }
}

package final class Box<Value> {
  package var value: Value

  package init(_ value: Value) { self.value = value }
}
