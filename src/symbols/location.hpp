// The places of variables: location expressions of the debug information (DWARF 5, 2.5 and 2.6) as values, and their
// evaluation in one frame.
//
// Expressions are read while the program runs. Evaluation reads only registers and memory, so it works in a stopped
// program and on a copy of a stack.
#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// The type of a number on an expression's stack.
struct OperandType {
  std::uint8_t size = 8;  ///< bytes
  bool is_signed = false;
  bool is_generic = true;  ///< an address-sized integer without a type
};

struct LocationOperation {
  std::uint8_t code = 0;
  std::uint64_t first = 0;  ///< addresses are run-time addresses
  std::uint64_t second = 0;
  std::uint64_t offset = 0;  ///< in its expression: the target of branches
  OperandType type;          ///< for operations that name one
  bool is_known = true;      ///< false: the operation is not supported
  std::vector<std::byte> bytes;
  std::vector<LocationOperation> inner;  ///< the expression of an entry value
};
using LocationExpression = std::vector<LocationOperation>;

/// An attribute's expression for a range of code. An attribute without a list has one entry.
struct LocationEntry {
  CodeRange code;  ///< run-time addresses; everything for an attribute without a list
  LocationExpression expression;
};

/// All entries of `attribute`. `bias` is its module's.
std::vector<LocationEntry> location_entries(Dwarf_Attribute& attribute, std::uintptr_t bias);

/// A frame as the source of values for expressions.
class FrameValues {
 public:
  FrameValues() = default;
  virtual ~FrameValues() = default;
  FrameValues(const FrameValues&) = delete;
  FrameValues& operator=(const FrameValues&) = delete;

  /// The first bytes of a register, by DWARF number; false when the frame has lost it.
  virtual bool read_register(std::uint64_t number, std::span<std::byte> to) const = 0;
  virtual bool read_memory(std::uint64_t address, std::span<std::byte> to) const = 0;
  virtual std::optional<std::uint64_t> cfa() const = 0;
  virtual std::optional<std::uint64_t> frame_base() const = 0;
  /// The content of `inner`, a register, when the function was called.
  virtual std::optional<std::uint64_t> entry_value(const LocationExpression& inner) const = 0;
};

/// Consecutive bytes of a variable.
struct LocationPiece {
  enum class Kind : std::uint8_t {
    missing,      ///< no place, or one that the frame has lost
    memory,       ///< at `place`
    in_register,  ///< in register `place`
    value,        ///< no place, but the known content `bytes`
  };
  Kind kind = Kind::missing;
  std::uint64_t place = 0;
  std::uint64_t size = 0;  ///< bytes; 0: all of it
  std::vector<std::byte> bytes;
};
using Location = std::vector<LocationPiece>;

Location evaluate(const LocationExpression& expression, const FrameValues& frame);
/// The expression's number: a frame base, or an argument of a call.
std::optional<std::uint64_t> evaluate_number(const LocationExpression& expression, const FrameValues& frame);

/// The bytes of a completely available value.
std::optional<std::vector<std::byte>> read_value(const Location& location, std::size_t size, const FrameValues& frame);

/// True when both mean the same place.
bool same_expression(const LocationExpression& a, const LocationExpression& b);

/// The register that the expression names as the variable's place; nothing for other expressions.
std::optional<std::uint64_t> register_named_by(const LocationExpression& expression);

}  // namespace moult::internal
