// The question where a function's code was copied into its callers, its answer, and what the two ways to find it share:
// one search (inlined_copies.hpp) and an index of all copies (copy_index.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/debug_info.hpp"

namespace moult::internal {

/// What is asked.
struct InlinedFunction {
  std::vector<std::uint64_t> addresses;  ///< where its own code is, fragments included
  std::vector<std::string> names;        ///< mangled, of all its aliases; none for a local function
};

struct InlinedCopy {
  std::string file;
  int line = 0;
  std::uint64_t caller = 0;  ///< an address of the function that the copy is in
  std::string caller_name;   ///< mangled, or plain for C; empty when the debug information has none
};

struct InlinedCopies {
  std::vector<InlinedCopy> copies;  ///< by file and line, without repetitions
  /// False when the unit that defines the function has no debug information, so that copies may be unknown.
  bool is_complete = false;
};

/// `names` and, for constructors and destructors, the names of their variants; sorted, without repetitions.
std::vector<std::string> names_of_variants(const std::vector<std::string>& names);

/// The name by which other units know the function of these parts; empty for a local function.
std::string_view shared_name_of(const std::vector<Dwarf_Die>& parts);

/// The compiler's own word for it (DW_AT_inline): it stays where the copies' instructions melted into their callers'.
bool was_inlined(const std::vector<Dwarf_Die>& parts);

/// The abstract function that a DW_TAG_inlined_subroutine is a copy of.
std::optional<Dwarf_Die> origin_of(const Dwarf_Die& copy);

/// What is told of `copy`, a DW_TAG_inlined_subroutine in the subprogram `caller`; nothing when the linker has dropped
/// the caller.
std::optional<InlinedCopy> describe_copy(const DebugInfo& info, const Dwarf_Die& copy, const Dwarf_Die& caller);

/// Sorted by file and line, without repetitions.
std::vector<InlinedCopy> in_order(std::vector<InlinedCopy> copies);

}  // namespace moult::internal
