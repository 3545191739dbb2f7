// Places of a program: in its source, and in its data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace moult::internal {

struct SourceLine {
  std::string file;
  int line = 0;
};

/// A variable, a vtable: anything with a data symbol.
struct DataPlace {
  std::uintptr_t address = 0;
  std::size_t size = 0;  ///< in bytes
};

/// A variable with a symbol.
struct Variable {
  std::string name;  ///< as people write it
  DataPlace place;
  bool is_local = false;  ///< static, or in an unnamed namespace
};

}  // namespace moult::internal
