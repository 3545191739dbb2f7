// The secret of TCP connections.
#pragma once

#include <string_view>

namespace moult::internal {

/// Takes a time that depends on the length of `given` alone, so that the token cannot be guessed byte by byte.
bool is_token(std::string_view given, std::string_view token) noexcept;

}  // namespace moult::internal
