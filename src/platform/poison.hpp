// The address sanitizer and its leak checker, if the process has them. moult reports to them the memory that it hands
// out and takes back, so that they find a use after delete in it too. A weak reference decides at run time, so a plain
// libmoult also serves a program that was built with the sanitizer.
#pragma once

#include <cstddef>

namespace moult::internal {

/// Whether the functions below do anything.
bool can_poison() noexcept;

/// From now on an instrumented access to these bytes is reported.
void poison(const std::byte* begin, std::size_t size) noexcept;
void unpoison(const std::byte* begin, std::size_t size) noexcept;

/// A copy of bytes that may be poisoned. Whole words, aligned to them.
void copy_unchecked(std::byte* to, const std::byte* from, std::size_t size) noexcept;

/// Pointers in these bytes keep their targets from counting as leaks. Otherwise the leak checker searches only malloc's
/// memory.
void add_roots(const std::byte* begin, std::size_t size) noexcept;
void remove_roots(const std::byte* begin, std::size_t size) noexcept;

/// The calling thread is about to leave functions without returning from them: their markers on the stack must not be
/// reported any more.
void forget_stack() noexcept;

}  // namespace moult::internal
