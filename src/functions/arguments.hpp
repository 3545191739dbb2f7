// The registers in which a function gets its arguments, by their types.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "code/decoder.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

inline constexpr std::array argument_registers = {internal::rdi, internal::rsi, internal::rdx,
                                                  internal::rcx, internal::r8,  internal::r9};
inline constexpr unsigned vector_arguments = 8;

/// Registers in the order of the arguments, those for numbers and pointers apart from the vector registers.
struct ArgumentPlaces {
  std::vector<RegisterSet> numbers;
  std::vector<RegisterSet> vectors;
};

/// Nothing if the types are not known, if one may be a class that is passed by value, or if their number varies. There
/// may be more registers than arguments: a function counts as one that gets the place of its result where its result's
/// type leaves that open, and as one of a class without debug information.
std::optional<ArgumentPlaces> argument_places(const Program& program, const FunctionSymbol& function);

RegisterSet all_of(const ArgumentPlaces& places);

}  // namespace moult::internal
