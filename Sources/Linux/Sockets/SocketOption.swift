import CLinux
import Glibc

/// Sets a socket option whose value has a fixed size: setsockopt(2).
///
/// - Throws: `SystemError` with the call `setsockopt NAME`.
func setOption<Value: BitwiseCopyable>(
  _ fd: borrowing OwnedFD, _ level: Int32, _ option: Int32, _ value: Value, named name: String
) throws(SystemError) {
  let raw = fd.raw
  var value = value
  try retrying("setsockopt \(name)") {
    setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<Value>.size))
  }
}

/// Reads a socket option whose value has a fixed size: getsockopt(2). Bytes that the kernel does not write stay those of `value`.
///
/// - Throws: `SystemError` with the call `getsockopt NAME`.
func option<Value: BitwiseCopyable>(
  _ fd: borrowing OwnedFD, _ level: Int32, _ option: Int32, initially value: Value, named name: String
) throws(SystemError) -> Value {
  let raw = fd.raw
  var value = value
  var length = socklen_t(MemoryLayout<Value>.size)
  try retrying("getsockopt \(name)") { getsockopt(raw, level, option, &value, &length) }
  return value
}
