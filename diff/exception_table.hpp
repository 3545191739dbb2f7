// The exception tables ("LSDA"; Itanium C++ ABI, exception handling, 7) of functions in objects and linked files. What
// a handler catches is written there alone: `catch (A&)` and `catch (B&)` may have the same code.
//
// Such tables are compared by content and not by bytes. The padding inside depends on where the table begins, and the
// linker places the tables of a source built without -ffunction-sections one behind the other.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "diff/object_file.hpp"

namespace moult::internal::diff {

struct ObjectPlace {
  std::size_t section = 0;
  std::uint64_t offset = 0;
  // clang-tidy takes the 0 that a comparison is rewritten with for a null pointer.
  auto operator<=>(const ObjectPlace&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// The table of each part of a function that has one, by the part's beginning.
std::map<ObjectPlace, ObjectPlace> exception_tables_of(const ObjectFile& object);
/// The same of a linked file. `frames` is its .eh_frame, and `address` that section's.
std::unordered_map<std::uint64_t, std::uint64_t> exception_tables_in(std::span<const std::uint8_t> frames,
                                                                     std::uint64_t address);

/// Calls [begin, end), and where an exception from them lands. All count from the function's (or its part's) beginning.
struct GuardedCalls {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t landing_pad = 0;  ///< 0: none
};

/// What a table says.
struct Handlers {
  std::vector<GuardedCalls> calls;    ///< in order
  std::vector<std::int64_t> numbers;  ///< encodings, and the calls' actions, in order
  std::vector<std::uint64_t> types;   ///< offsets of the type entries that the actions name, in order
  std::uint64_t type_size = 0;        ///< of an entry, in bytes
};

/// `bytes` begin with the table and may go on behind it. Nothing if they are cut short, or in an encoding that no
/// compiler for x86-64 uses.
std::optional<Handlers> read_handlers(std::span<const std::uint8_t> bytes);

}  // namespace moult::internal::diff
