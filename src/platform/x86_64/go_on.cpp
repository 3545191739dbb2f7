#include "platform/x86_64/go_on.hpp"

#include <cstddef>

#include "platform/poison.hpp"

namespace moult::internal {

static_assert(offsetof(CallerState, r15) == 40 && offsetof(CallerState, return_address_at) == 48,
              "the assembly below knows the places");

void enter_instead(const CallerState& caller, CodeAddress code, std::uint64_t first_argument) noexcept {
  forget_stack();
  asm volatile(
      "movq 0(%0), %%rbx\n\t"
      "movq 8(%0), %%rbp\n\t"
      "movq 16(%0), %%r12\n\t"
      "movq 24(%0), %%r13\n\t"
      "movq 32(%0), %%r14\n\t"
      "movq 40(%0), %%r15\n\t"
      "movq 48(%0), %%rsp\n\t"
      "cld\n\t"
      "jmp *%%rax"
      :
      : "d"(&caller), "a"(value(code)), "D"(first_argument)
      : "memory");
  __builtin_unreachable();
}

}  // namespace moult::internal
