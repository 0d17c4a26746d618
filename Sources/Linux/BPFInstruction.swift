/// One eBPF instruction: linux/bpf.h's `struct bpf_insn`, in the byte order of the machines that Dormouse is built for.
func instruction(
  _ code: UInt64, _ destination: UInt64, _ source: UInt64, offset: Int16 = 0, value: UInt64 = 0
) -> UInt64 {
  code | destination << 8 | source << 12 | UInt64(UInt16(bitPattern: offset)) << 16 | value << 32
}
