// Methods that were added to classes, by name, signature and class.
#pragma once

#include <cstdint>

#include "moult/detail/additions.hpp"

namespace moult::internal {

/// The method is in force from now on, ahead of others of the same class. Returns what remove_method takes. Throws
/// std::bad_alloc.
std::uint64_t add_method(const detail::MethodKind& kind, detail::Code function, detail::Code invoker);
void remove_method(std::uint64_t number) noexcept;

/// "the method describe of Data, std::string (int)".
std::string describe_method(const detail::MethodKind& kind);

}  // namespace moult::internal
