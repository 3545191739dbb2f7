// Where a variable is: location expressions of the debug information (DWARF 5, 2.5 and 2.6) as values, and what they
// come to in one frame.
//
// An expression is read while the program runs; evaluating it reads registers and memory and nothing else, so that it
// can be done in a stopped program, or on a copy of a stack.
#pragma once

#include <elfutils/libdw.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.hpp"

namespace moult::internal {

/// A number's type on the stack of an expression.
struct OperandType {
  std::uint8_t size = 8;  ///< bytes
  bool is_signed = false;
  bool is_generic = true;  ///< an address-sized integer without a type
};

struct LocationOperation {
  std::uint8_t code = 0;
  std::uint64_t first = 0;  ///< an address is one of run time
  std::uint64_t second = 0;
  std::uint64_t offset = 0;  ///< in its expression, which is what branches lead to
  OperandType type;          ///< of the operations that name one
  bool is_known = true;      ///< false: it says something that is not read here
  std::vector<std::byte> bytes;
  std::vector<LocationOperation> inner;  ///< of an entry value
};
using LocationExpression = std::vector<LocationOperation>;

/// The expressions that an attribute has for code at an address; as one entry without a list.
struct LocationEntry {
  CodeRange code;  ///< run-time addresses; everything where the attribute has no list
  LocationExpression expression;
};

/// All that `attribute` says. `bias` is that of its module.
std::vector<LocationEntry> location_entries(Dwarf_Attribute& attribute, std::uintptr_t bias);

/// One frame, as expressions ask for it.
class FrameValues {
 public:
  FrameValues() = default;
  virtual ~FrameValues() = default;
  FrameValues(const FrameValues&) = delete;
  FrameValues& operator=(const FrameValues&) = delete;

  /// The first bytes of a register, by DWARF's number; false when the frame has lost it.
  virtual bool read_register(std::uint64_t number, std::span<std::byte> to) const = 0;
  virtual bool read_memory(std::uint64_t address, std::span<std::byte> to) const = 0;
  virtual std::optional<std::uint64_t> cfa() const = 0;
  virtual std::optional<std::uint64_t> frame_base() const = 0;
  /// What `inner`, a register, held when the function was called.
  virtual std::optional<std::uint64_t> entry_value(const LocationExpression& inner) const = 0;
};

/// A run of a variable's bytes.
struct LocationPiece {
  enum class Kind : std::uint8_t {
    missing,      ///< nowhere, or in what the frame has lost
    memory,       ///< at `place`
    in_register,  ///< in register `place`
    value,        ///< it has none, but `bytes` are what is known of it
  };
  Kind kind = Kind::missing;
  std::uint64_t place = 0;
  std::uint64_t size = 0;  ///< bytes; 0: all there is
  std::vector<std::byte> bytes;
};
using Location = std::vector<LocationPiece>;

Location evaluate(const LocationExpression& expression, const FrameValues& frame);
/// The expression's number: of a frame base, of what a call was given.
std::optional<std::uint64_t> evaluate_number(const LocationExpression& expression, const FrameValues& frame);

/// The bytes of a value that is there as a whole.
std::optional<std::vector<std::byte>> read_value(const Location& location, std::size_t size, const FrameValues& frame);

/// True when the two mean the same place.
bool same_expression(const LocationExpression& a, const LocationExpression& b);

/// The register that the expression names as the variable's place, and nothing else.
std::optional<std::uint64_t> register_named_by(const LocationExpression& expression);

}  // namespace moult::internal
