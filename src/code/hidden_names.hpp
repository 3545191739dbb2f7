// The program's functions and variables that it hides from libraries, by the names that an update links with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/address.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// The address of the hidden or static function or variable of the program's own file that a declaration of the linkage
/// name `mangled` means. Nothing if there is none, or its code was inlined everywhere. Throws Error:
/// ambiguous: several source files have one of that name; the message lists them
std::optional<std::uintptr_t> find_hidden(const std::string& mangled);

/// The C++ functions that the program's own file hides, by linkage name. Read on the first call.
class HiddenFunctions final {
 public:
  std::optional<CodeAddress> find(std::string_view mangled);

 private:
  std::optional<Program> program_;
  std::unordered_map<std::string_view, CodeAddress> entries_;
};

}  // namespace moult::internal
