// The address sanitizer and its leak checker, where the process has them: memory that moult hands out and takes back is
// announced to them, so that a use after delete is found in it too. A weak reference tells at run time, so a plain
// libmoult serves a program that was built with the sanitizer.
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

/// What is pointed to from here is not lost: the leak checker looks only where malloc's memory is, otherwise.
void add_roots(const std::byte* begin, std::size_t size) noexcept;
void remove_roots(const std::byte* begin, std::size_t size) noexcept;

/// The calling thread is about to leave functions without returning from them: their variables' surroundings on the
/// stack are not to be reported any more.
void forget_stack() noexcept;

}  // namespace moult::internal
