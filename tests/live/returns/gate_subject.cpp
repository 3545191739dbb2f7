#include "gate_subject.hpp"

#include <immintrin.h>

#include <cstdarg>

#include "moult/relinking.hpp"

namespace moult::subject {

MOULT_UPDATABLE long descends(Room& room, long depth) {
  if (depth == 3) room.stay();
  if (depth == 0) return 1;
  const volatile long below = descends(room, depth - 1);
  return below + 1;
}
MOULT_UPDATABLE long descends_v2(Room&, long depth) { return -depth; }

MOULT_UPDATABLE long ping(long depth) {
  if (depth == 0) return 1;
  const volatile long below = pong(depth - 1);
  return below + 1;
}
MOULT_UPDATABLE long pong(long depth) {
  if (depth == 0) return 1;
  const volatile long below = ping(depth - 1);
  return below + 1;
}
MOULT_UPDATABLE long ping_v2(long depth) {
  if (depth == 0) return 1000;
  const volatile long below = pong(depth - 1);
  return below + 1000;
}
MOULT_UPDATABLE long pong_v2(long depth) {
  if (depth == 0) return 1000;
  const volatile long below = ping(depth - 1);
  return below + 1000;
}

MOULT_UPDATABLE long ping_v3(long depth) {
  if (depth == 0) return 1;
  const volatile long below = pong(depth - 1);
  return below + 1;
}
MOULT_UPDATABLE long pong_v3(long depth) {
  if (depth == 0) return 1;
  const volatile long below = ping(depth - 1);
  return below + 1;
}

MOULT_UPDATABLE double takes_much(int a, long b, short c, unsigned d, char e, long f, double g, float h, double i,
                                  double j, double k, double l, double m, double n, long o, double p) {
  return a + 2 * static_cast<double>(b) + 3 * c + 4 * d + 5 * e + 6 * static_cast<double>(f) + 7 * g +
         8 * static_cast<double>(h) + 9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n + 15 * static_cast<double>(o) +
         16 * p;
}
MOULT_UPDATABLE double takes_much_v2(int a, long b, short c, unsigned d, char e, long f, double g, float h, double i,
                                     double j, double k, double l, double m, double n, long o, double p) {
  return -(a + 2 * static_cast<double>(b) + 3 * c + 4 * d + 5 * e + 6 * static_cast<double>(f) + 7 * g +
           8 * static_cast<double>(h) + 9 * i + 10 * j + 11 * k + 12 * l + 13 * m + 14 * n +
           15 * static_cast<double>(o) + 16 * p);
}

namespace {

double sum_of(int count, std::va_list arguments) {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += va_arg(arguments, double);
  return sum;
}

}  // namespace

MOULT_UPDATABLE double takes_any(int count, ...) {
  std::va_list arguments;
  va_start(arguments, count);
  const double sum = sum_of(count, arguments);
  va_end(arguments);
  return sum;
}
MOULT_UPDATABLE double takes_any_v2(int count, ...) {
  std::va_list arguments;
  va_start(arguments, count);
  const double sum = sum_of(count, arguments);
  va_end(arguments);
  return -sum;
}

bool has_wide_vectors() { return __builtin_cpu_supports("avx"); }

[[gnu::target("avx")]] MOULT_UPDATABLE double takes_wide(__m256d first, __m256d second) {
  return first[0] + first[1] + first[2] + first[3] + second[0] + second[1] + second[2] + second[3];
}
[[gnu::target("avx")]] double calls_takes_wide() {
  return takes_wide(_mm256_set_pd(1, 2, 3, 4), _mm256_set_pd(5, 6, 7, 8));
}
const void* address_of_takes_wide() { return reinterpret_cast<const void*>(&takes_wide); }

MOULT_UPDATABLE void throws_deep(Room& room, long depth) {
  if (depth == 3) room.stay();
  if (depth == 0) throw std::runtime_error("deep trouble");
  throws_deep(room, depth - 1);
  asm volatile("");
}

MOULT_UPDATABLE long counts(Counts& counted) { return ++counted.old; }
MOULT_UPDATABLE long counts_v2(Counts& counted) { return ++counted.fresh; }

}  // namespace moult::subject

extern "C" {
[[gnu::used]] long begins_number = 100;
[[gnu::used]] long (*begins_pointer)(long) = called_at_the_beginning;
MOULT_UPDATABLE long called_at_the_beginning(long x) { return x * 2; }
}

asm(R"(
  .text
  .p2align 4
  .globl begins_with_load, begins_with_branch, begins_with_call, begins_with_indirect_call, begins_with_return
  .globl begins_with_loop, begins_with_short_loop

  .type begins_with_load, @function
begins_with_load:
  .cfi_startproc
  movq begins_number(%rip), %rax
  addq %rdi, %rax
  ret
  .cfi_endproc
  .size begins_with_load, .-begins_with_load

  .p2align 4
  .type begins_with_branch, @function
begins_with_branch:
  .cfi_startproc
  testq %rdi, %rdi
  jz 1f
  leaq 1(%rdi), %rax
  ret
1:
  movl $77, %eax
  ret
  .cfi_endproc
  .size begins_with_branch, .-begins_with_branch

  .p2align 4
  .type begins_with_call, @function
begins_with_call:
  .cfi_startproc
  subq $8, %rsp
  .cfi_def_cfa_offset 16
  call called_at_the_beginning@PLT
  addq $8, %rsp
  .cfi_def_cfa_offset 8
  incq %rax
  ret
  .cfi_endproc
  .size begins_with_call, .-begins_with_call

  .p2align 4
  .type begins_with_indirect_call, @function
begins_with_indirect_call:
  .cfi_startproc
  pushq %rbx
  .cfi_def_cfa_offset 16
  .cfi_offset %rbx, -16
  call *begins_pointer(%rip)
  popq %rbx
  .cfi_def_cfa_offset 8
  addq $2, %rax
  ret
  .cfi_endproc
  .size begins_with_indirect_call, .-begins_with_indirect_call

  .p2align 4
  .type begins_with_return, @function
begins_with_return:
  .cfi_startproc
  movq %rdi, %rax
  ret
  .cfi_endproc
  .size begins_with_return, .-begins_with_return
  .p2align 4

  .type begins_with_loop, @function
begins_with_loop:
  .cfi_startproc
  leaq -1(%rdi), %rdi
  testq %rdi, %rdi
  jnz begins_with_loop
  movl $5, %eax
  ret
  .cfi_endproc
  .size begins_with_loop, .-begins_with_loop

  .p2align 4
  .type begins_with_short_loop, @function
begins_with_short_loop:
  .cfi_startproc
  movl %edi, %ecx
  jrcxz 2f
  movl $6, %eax
2:
  ret
  .cfi_endproc
  .size begins_with_short_loop, .-begins_with_short_loop
)");
