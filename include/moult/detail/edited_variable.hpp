// A new variable of an edited source that code initialises: before main in a program that starts, and when the edit is
// applied in one that runs. Compiled with the edited source (diff/variable_beginnings in moult's own sources), by its
// standard: C++11 or later.
//
// Its destructor does not run: code of the update may use it to the very end of the process.
#pragma once

#include <cstdint>
#include <new>
#include <type_traits>

#include "moult/detail/abi.hpp"

namespace moult {
namespace detail {
inline namespace MOULT_ABI_NAMESPACE {

/// An entry of the table of the edit's file.
struct NewVariable {
  std::uint64_t number;  ///< those of one edit begin in this order
  const char* name;
  void* place;
  void (*begin)();  ///< may throw; the variable has not begun then. Null: a constant initialises it
};

}  // namespace MOULT_ABI_NAMESPACE
}  // namespace detail
}  // namespace moult
