// What a module imports from other modules, and the variables that it exports to them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "elf/elf_file.hpp"

namespace moult::internal {

/// The mangled names that the dynamic linker binds for the file: it uses and does not define them.
std::vector<std::string> imports_of(const ElfFile& file);

/// The variables that one module exports.
class ExportedData final {
 public:
  explicit ExportedData(const ElfFile& file);

  struct Place {
    std::uint64_t address = 0;  ///< in the file
    bool is_absolute = false;   ///< `address` is one in memory: moult has bound the name to another module's variable
    bool is_unique = false;     ///< one for the whole process: that of the first module with it
  };
  std::optional<Place> find(std::string_view mangled) const;

 private:
  std::unordered_map<std::string_view, Place> places_;
};

}  // namespace moult::internal
