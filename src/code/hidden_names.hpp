// The program's functions and variables that it hides from libraries, by the names that an update links with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "symbols/place.hpp"
#include "symbols/program.hpp"

namespace moult::internal {

/// The functions and variables that the program's own file hides. Read on the first call.
class HiddenNames final {
 public:
  /// The address of the one that a declaration of the linkage name `mangled` means. Nothing if there is none, or its
  /// code was inlined everywhere. Throws Error: ambiguous: several source files have one of that name; the message
  /// lists them
  std::optional<std::uintptr_t> find(const std::string& mangled);

 private:
  std::optional<Program> program_;
  std::vector<std::pair<std::string_view, DataPlace>> variables_;
};

/// The C++ functions that the program's own file hides, by linkage name. Read on the first call.
class HiddenFunctions final {
 public:
  std::optional<CodeAddress> find(std::string_view mangled);

 private:
  std::optional<Program> program_;
  std::unordered_map<std::string_view, CodeAddress> entries_;
};

}  // namespace moult::internal
