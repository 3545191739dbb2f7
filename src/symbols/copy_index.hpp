// All inlined copies of one module, for updates that ask for thousands of functions.
//
// Not thread-safe while it is built.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "symbols/inlined_copy.hpp"

namespace moult::internal {

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
