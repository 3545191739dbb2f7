// A thread's registers, in DWARF's numbering for x86-64 (psABI, figure 3.36).
#pragma once

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace moult::internal {

enum Register : std::size_t { rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rip };
inline constexpr std::size_t register_count = 17;

using Registers = std::array<std::uint64_t, register_count>;

inline Registers registers_of(const ucontext_t& context) noexcept {
  const greg_t* from = context.uc_mcontext.gregs;
  auto get = [from](int index) { return static_cast<std::uint64_t>(from[index]); };
  return {get(REG_RAX), get(REG_RDX), get(REG_RCX), get(REG_RBX), get(REG_RSI), get(REG_RDI),
          get(REG_RBP), get(REG_RSP), get(REG_R8),  get(REG_R9),  get(REG_R10), get(REG_R11),
          get(REG_R12), get(REG_R13), get(REG_R14), get(REG_R15), get(REG_RIP)};
}

/// Gives one of the thread's registers another value, with which it will continue.
inline void set_register(ucontext_t& context, Register number, std::uint64_t word) noexcept {
  constexpr std::array<int, register_count> indices{REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                                    REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                    REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  context.uc_mcontext.gregs[indices[number]] = static_cast<greg_t>(word);
}

/// The vector registers xmm0 to xmm15 as words. Nothing if the kernel has not saved them.
inline std::span<const std::uint64_t> vector_words_of(const ucontext_t& context) noexcept {
  if (context.uc_mcontext.fpregs == nullptr) return {};
  constexpr std::size_t words = 32;  // two for each register
  static_assert(sizeof context.uc_mcontext.fpregs->_xmm == words * 8);
  return {reinterpret_cast<const std::uint64_t*>(&context.uc_mcontext.fpregs->_xmm), words};
}

/// The calling function's registers that a walk of its stack needs: those that calls preserve. Always inlined, so that
/// the frame which they describe still exists.
[[gnu::always_inline]] inline Registers current_registers() noexcept {
  Registers registers{};
  asm volatile(
      "movq %%rbx, 3*8(%0)\n\t"
      "movq %%rbp, 6*8(%0)\n\t"
      "movq %%rsp, 7*8(%0)\n\t"
      "movq %%r12, 12*8(%0)\n\t"
      "movq %%r13, 13*8(%0)\n\t"
      "movq %%r14, 14*8(%0)\n\t"
      "movq %%r15, 15*8(%0)\n\t"
      "leaq 0(%%rip), %%rax\n\t"
      "movq %%rax, 16*8(%0)"
      :
      : "r"(registers.data())
      : "rax", "memory");
  return registers;
}

}  // namespace moult::internal
