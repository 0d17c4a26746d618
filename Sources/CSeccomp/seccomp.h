/* libseccomp, which compiles programs for seccomp(2). */
#include <seccomp.h>
#include <stdint.h>

/* Macros that Swift does not import. */
static const uint32_t dormouse_arch_x86 = SCMP_ARCH_X86;
static const uint32_t dormouse_arch_amd64 = SCMP_ARCH_X86_64;
static const uint32_t dormouse_arch_arm = SCMP_ARCH_ARM;
static const uint32_t dormouse_arch_arm64 = SCMP_ARCH_AARCH64;
static const uint32_t dormouse_action_allow = SCMP_ACT_ALLOW;
static inline uint32_t dormouse_action_errno(int32_t error) { return SCMP_ACT_ERRNO((uint32_t)error); }
