// A thread's registers, in DWARF's numbering for x86-64 (psABI, figure 3.36).
#pragma once

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace moult::platform {

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

}  // namespace moult::platform
