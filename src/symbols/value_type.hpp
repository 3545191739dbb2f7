// The type of a variable, as far as needed to show or compare its value.
#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "symbols/location.hpp"

namespace moult::internal {

enum class ValueShape : std::uint8_t {
  other,  ///< not shown: classes, arrays, pointers to members
  signed_number,
  unsigned_number,
  boolean,
  character,
  floating,
  enumeration,
  pointer,
  text_pointer,  ///< to char
  text,          ///< an array of char
};

struct ValueType {
  std::string name;        ///< as the demangler writes it, without outer qualifiers; "" without a name
  std::uint64_t size = 0;  ///< bytes; 0 when unknown
  ValueShape shape = ValueShape::other;
  bool is_const = false;
  std::vector<std::pair<std::int64_t, std::string>> enumerators;
};

/// The type of a variable's entry, also through its declaration.
ValueType value_type_of(const Dwarf_Die& variable);

/// "42", "true", "'a' (97)", "0x7f00dead \"text\"", "Colour::red (2)"; "" for a type that is not shown. `frame` reads
/// the target of a pointer.
std::string value_text(const ValueType& type, std::span<const std::byte> bytes, const FrameValues& frame);

}  // namespace moult::internal
