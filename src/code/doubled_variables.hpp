// Variables that an update has again although the program has them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moult::internal {

/// A variable of the program's own file that an update defines again, and that the dynamic linker would not make one.
struct DoubledVariable {
  std::string mangled;
  std::string name;                              ///< demangled
  std::optional<std::uintptr_t> address;         ///< the program's; nothing if it cannot stand for the update's
  std::string guard;                             ///< mangled: that of the update's initialisation; empty without one
  std::optional<std::uintptr_t> programs_guard;  ///< where that of the program is
  bool is_of_one_file = false;                   ///< both are static, in source files that may be the same

  /// True if the update's code may use the program's variable: it is of the same size, and either both initialise it at
  /// run time or neither does.
  bool is_same() const noexcept { return address && guard.empty() != programs_guard.has_value(); }
};

/// The variables that the file `path` defines again, sorted by name. The update's code would use its copies, with their
/// first values. A static one of a source file may well be meant to be another, even if its name is the same. Reads the
/// program's symbol table only if the file has variables that may be shared. Throws Error (unreadable).
std::vector<DoubledVariable> doubled_variables(const std::string& path,
                                               const std::function<bool(std::string_view mangled)>& uses_by_name);

}  // namespace moult::internal
