// Functions that no source has: compilers make them, or moult.
#pragma once

#include <string_view>

namespace moult::internal::diff {

/// Runs before main, and never again.
bool is_start_code(std::string_view symbol) noexcept;

/// What code that moult adds to a source brings (cli/added_code), by its demangled name.
bool is_of_added_code(std::string_view function) noexcept;

}  // namespace moult::internal::diff
