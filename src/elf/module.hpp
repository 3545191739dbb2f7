// A file that a process has loaded.
#pragma once

#include <cstdint>
#include <string>

#include "base/address.hpp"

namespace moult::internal {

struct Module {
  std::string path;         ///< as the file system knows it; "[vdso]" for the vdso
  std::uintptr_t bias = 0;  ///< run-time address less address in the file
  CodeRange text;           ///< from the first to the last loaded byte
  std::string problem;      ///< why nothing is known of its functions, once they were asked for; mostly empty
};

}  // namespace moult::internal
