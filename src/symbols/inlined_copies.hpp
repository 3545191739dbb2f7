// The question where a function's code was copied into its callers, its answer, and what the two ways to find it share:
// one search (inlined_copies.hpp) and an index of all copies (copy_index.hpp).
//
// Where a function's code was copied into its callers, by the debug information: one search for one function.
//
// All inlined copies of one module, for updates that ask for thousands of functions.
//
// Not thread-safe while it is built.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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

InlinedCopies find_inlined_copies(const DebugInfo& info, const InlinedFunction& function);

class CopyIndex final {
 public:
  /// Reads every unit: seconds for a big program. `info` must outlive the index.
  explicit CopyIndex(const DebugInfo& info);

  /// What find_inlined_copies answers.
  InlinedCopies copies_of(const InlinedFunction& function) const;

 private:
  struct Copy {
    Dwarf_Die die{};
    std::size_t caller = 0;
  };
  /// By number of the abstract function. What is told of a copy is read when it is asked for.
  using Copies = std::vector<std::vector<Copy>>;

  void read(const DebugUnit& unit);
  void add_function(const Dwarf_Die& die);
  void add_copy(const Dwarf_Die& copy, const Dwarf_Die& caller);
  std::size_t number_of(const Dwarf_Die& origin);

  const DebugInfo& info_;
  std::vector<Dwarf_Die> callers_;
  Copies copies_;
  std::unordered_map<const void*, std::size_t> numbers_;  ///< by abstract function
  std::unordered_map<const void*, std::vector<std::size_t>> numbers_by_part_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> numbers_by_name_;
  std::unordered_map<std::string_view, std::vector<const void*>> parts_by_name_;  ///< of functions, inlined or not
};

}  // namespace moult::internal
