#include "prices.hpp"

asm(R"(
.pushsection .text
  .balign 16
  .globl begins_with_jrcxz
  .type begins_with_jrcxz, @function
begins_with_jrcxz:
  jrcxz 1f
  xorl %eax, %eax
  nop
  nop
  nop
1:
  ret
  .size begins_with_jrcxz, .-begins_with_jrcxz
  .balign 16
  .globl begins_with_loop
  .type begins_with_loop, @function
begins_with_loop:
  subl $1, %edi
  cmpl $0, %edi
  jg begins_with_loop
  movl %edi, %eax
  ret
  .size begins_with_loop, .-begins_with_loop
  .balign 16
.popsection
)");

namespace app {

int price(int number) {
  if (number < 0) return -1;
  int sum = 0;
  for (int i = 0; i < number; ++i) sum += i % 2 == 0 ? 2 : 0;
  return number % 2 == 0 ? sum : sum - 1;
}

int Shop::rate(int number) const { return number * factor_; }

}  // namespace app
