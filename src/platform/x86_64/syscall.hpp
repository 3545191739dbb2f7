// System calls without libc: usable in a signal handler, in a stopped program and where errno must survive.
#pragma once

#include <cstdint>

namespace moult::internal {

/// Returns the kernel's answer: a negative errno on failure.
inline long raw_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) noexcept {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

template <class T>
long as_argument(T* pointer) noexcept {
  return static_cast<long>(reinterpret_cast<std::intptr_t>(pointer));
}

}  // namespace moult::internal
