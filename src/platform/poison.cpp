#include "platform/poison.hpp"

#include <cstdint>

namespace moult::internal {

// Weak, so they cannot be local.
[[gnu::weak]] void asan_poison(const volatile void* begin, std::size_t size) asm("__asan_poison_memory_region");
[[gnu::weak]] void asan_unpoison(const volatile void* begin, std::size_t size) asm("__asan_unpoison_memory_region");
[[gnu::weak]] void lsan_add_roots(const void* begin, std::size_t size) asm("__lsan_register_root_region");
[[gnu::weak]] void lsan_remove_roots(const void* begin, std::size_t size) asm("__lsan_unregister_root_region");
[[gnu::weak]] void asan_handle_no_return() asm("__asan_handle_no_return");

bool can_poison() noexcept { return &asan_poison != nullptr; }

void poison(const std::byte* begin, std::size_t size) noexcept {
  if (can_poison()) asan_poison(begin, size);
}

void unpoison(const std::byte* begin, std::size_t size) noexcept {
  if (can_poison()) asan_unpoison(begin, size);
}

[[gnu::no_sanitize_address]] void copy_unchecked(std::byte* to, const std::byte* from, std::size_t size) noexcept {
  // Volatile. Otherwise the compiler makes it a call of memcpy, which the sanitizer checks.
  using Bytes [[gnu::may_alias]] = volatile std::uint64_t;
  Bytes* target = reinterpret_cast<Bytes*>(to);
  const Bytes* source = reinterpret_cast<const Bytes*>(from);
  for (std::size_t word = 0; word < size / sizeof(std::uint64_t); ++word) target[word] = source[word];
}

void add_roots(const std::byte* begin, std::size_t size) noexcept {
  if (&lsan_add_roots != nullptr) lsan_add_roots(begin, size);
}

void remove_roots(const std::byte* begin, std::size_t size) noexcept {
  if (&lsan_remove_roots != nullptr) lsan_remove_roots(begin, size);
}

void forget_stack() noexcept {
  if (&asan_handle_no_return != nullptr) asan_handle_no_return();
}

}  // namespace moult::internal
