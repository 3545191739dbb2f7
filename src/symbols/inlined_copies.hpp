// The inlined copies of functions, by the debug information: one search for one function, and an index of all copies of
// a module for updates that ask about thousands of functions. Not thread-safe.
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

/// A function whose copies are searched.
struct InlinedFunction {
  std::vector<std::uint64_t> addresses;  ///< of its own code, fragments included
  std::vector<std::string> names;        ///< mangled, with all aliases; empty for a local function
};

struct InlinedCopy {
  std::string file;
  int line = 0;
  std::uint64_t caller = 0;  ///< an address in the function with the copy
  std::string caller_name;   ///< mangled, or plain for C; empty when unknown
};

struct InlinedCopies {
  std::vector<InlinedCopy> copies;  ///< by file and line, without duplicates
  /// False when the function's own unit has no debug information, so that copies may be unknown.
  bool is_complete = false;
};

/// `names`, with all variants of constructors and destructors; sorted, without duplicates.
std::vector<std::string> names_of_variants(const std::vector<std::string>& names);

/// The name by which other units know the function; empty for a local function.
std::string_view shared_name_of(const std::vector<Dwarf_Die>& parts);

/// DW_AT_inline, which remains when the copies' instructions have merged with their callers'.
bool was_inlined(const std::vector<Dwarf_Die>& parts);

/// The abstract function that a DW_TAG_inlined_subroutine is a copy of.
std::optional<Dwarf_Die> origin_of(const Dwarf_Die& copy);

/// The record of `copy`, a DW_TAG_inlined_subroutine in the subprogram `caller`; nothing when the linker has dropped
/// the caller.
std::optional<InlinedCopy> describe_copy(const DebugInfo& info, const Dwarf_Die& copy, const Dwarf_Die& caller);

/// Sorted by file and line, without duplicates.
std::vector<InlinedCopy> in_order(std::vector<InlinedCopy> copies);

InlinedCopies find_inlined_copies(const DebugInfo& info, const InlinedFunction& function);

class CopyIndex final {
 public:
  /// Reads every unit: seconds for a big program. `info` must outlive the index.
  explicit CopyIndex(const DebugInfo& info);

  /// The same result as find_inlined_copies.
  InlinedCopies copies_of(const InlinedFunction& function) const;

 private:
  struct Copy {
    Dwarf_Die die{};
    std::size_t caller = 0;
  };
  /// By number of the abstract function. A copy's details are read on request.
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
