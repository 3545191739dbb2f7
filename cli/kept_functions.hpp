// Inline functions that clang is to give code although nothing calls them.
#pragma once

#include <string>
#include <string_view>

namespace moult::internal::cli {

/// The module `assembly`, as clang writes it before it optimises (LLVM's assembly), changed so that its inline
/// functions and the methods of its unnamed namespaces have code however it is compiled on. Pure.
std::string with_functions_kept(std::string_view assembly);

}  // namespace moult::internal::cli
