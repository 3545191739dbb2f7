// Added methods, by name, signature and class.
#pragma once

#include <cstdint>

#include "moult/detail/additions.hpp"

namespace moult::internal {

/// Makes the method active, ahead of others of the same class. Returns the number for remove_method. Throws
/// std::bad_alloc.
std::uint64_t add_method(const detail::MethodKind& kind, detail::Code function, detail::Code invoker);
void remove_method(std::uint64_t number) noexcept;

/// "the method describe of Data, std::string (int)".
std::string describe_method(const detail::MethodKind& kind);

}  // namespace moult::internal
