// Arguments are in rdi, rsi, rdx, rcx, r8, r9, the number of vector registers in al, the static chain in r10, and
// vectors of any width in xmm0 to zmm7. The called function may use all vector registers incidentally (the C library's
// memcpy), so xsave keeps them, in the standard format. The frame has unwind information: a thread that waits here
// shows its callers, and exceptions that end a thread pass through.
//
// Indirect branch tracking ignores the jump at the end, which may lead into the middle of a function.
#include "platform/x86_64/gate_entry.hpp"

#include <cpuid.h>

#include <algorithm>

namespace moult::internal {
namespace {

/// SSE, AVX, and the three of AVX-512.
constexpr std::uint32_t vector_states = 0xE6;
constexpr std::uint32_t state_numbers[] = {2, 5, 6, 7};
constexpr std::uint32_t legacy_and_header = 576;

std::uint32_t saved_size() noexcept {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
  std::uint32_t d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return 0;
  std::uint32_t size = legacy_and_header;
  for (std::uint32_t number : state_numbers) {
    if (__get_cpuid_count(0xD, number, &a, &b, &c, &d) != 0 && a != 0) size = std::max(size, a + b);
  }
  return (size + 63) / 64 * 64;
}

}  // namespace

extern "C" {
[[gnu::visibility("hidden"), gnu::used]] std::uint32_t moult_gate_saved_size = saved_size();
void moult_gate_entry() __attribute__((visibility("hidden")));
}

static_assert(vector_states == 0xE6, "the assembly below knows it");

asm(R"(
  .text
  .p2align 4
  .hidden moult_gate_entry
  .globl moult_gate_entry
  .type moult_gate_entry, @function
moult_gate_entry:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  movq %rsp, %rbp
  .cfi_def_cfa_register %rbp
  pushq %rax
  pushq %rdi
  pushq %rsi
  pushq %rdx
  pushq %rcx
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  movl moult_gate_saved_size(%rip), %eax
  subq %rax, %rsp
  andq $-64, %rsp
  xorl %eax, %eax
  movq %rax, 512(%rsp)
  movq %rax, 520(%rsp)
  movq %rax, 528(%rsp)
  movq %rax, 536(%rsp)
  movq %rax, 544(%rsp)
  movq %rax, 552(%rsp)
  movq %rax, 560(%rsp)
  movq %rax, 568(%rsp)
  movl $0xE6, %eax
  xorl %edx, %edx
  xsave64 (%rsp)
  movq -72(%rbp), %rdi
  call *(%rdi)
  movq %rax, -72(%rbp)
  movl $0xE6, %eax
  xorl %edx, %edx
  xrstor64 (%rsp)
  leaq -72(%rbp), %rsp
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rcx
  popq %rdx
  popq %rsi
  popq %rdi
  popq %rax
  popq %rbp
  .cfi_restore %rbp
  .cfi_def_cfa %rsp, 8
  notrack jmp *(%r11)
  .cfi_endproc
  .size moult_gate_entry, .-moult_gate_entry
)");

GateStub stub_for(GateEntry& gate) noexcept {
  return {.gate = reinterpret_cast<std::uint64_t>(&gate), .target = reinterpret_cast<std::uint64_t>(&moult_gate_entry)};
}

bool can_keep_arguments() noexcept { return moult_gate_saved_size != 0; }

}  // namespace moult::internal
