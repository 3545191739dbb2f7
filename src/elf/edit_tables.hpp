// Reads the tables of an update that was made from edited sources (elf/edit_format.hpp), before it is loaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "elf/edit_format.hpp"
#include "elf/file_bytes.hpp"
#include "elf/update_structure.hpp"

namespace moult::internal {

/// A field of the update that is to be filled in.
struct EditField {
  std::uint64_t place = 0;   ///< its address, as it was linked
  std::uint64_t offset = 0;  ///< in the file
  FieldKind kind = FieldKind::address;
  std::uint64_t target = 0;  ///< of a new variable: its address, as it was linked
  std::int64_t addend = 0;
};

/// A variable that is new with the update.
struct EditVariable {
  std::string name;
  std::uint64_t place = 0;  ///< its address, as it was linked
  std::uint64_t size = 0;
};

/// True if the update was made from edited sources.
bool is_edit(const UpdateStructure& structure);

/// Throws Error (not_an_update): a field lies outside of what is loaded, or is of no known kind.
std::vector<EditField> read_edit_fields(const FileBytes& file, const UpdateStructure& structure);

/// Throws Error (not_an_update): a variable or its name lies outside of what is loaded.
std::vector<EditVariable> read_edit_variables(const FileBytes& file, const UpdateStructure& structure);

}  // namespace moult::internal
