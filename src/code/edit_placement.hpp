// Gives an update that was made from edited sources a place within reach of the program's code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "elf/edit_tables.hpp"
#include "elf/file_bytes.hpp"
#include "elf/update_structure.hpp"
#include "platform/private_copy.hpp"

namespace moult::internal {

/// The update's copy, to be loaded at a certain address. Not thread-safe.
class EditPlacement final {
 public:
  /// Throws Error, as require_update_structure does, and not_an_update: a table is damaged.
  explicit EditPlacement(const PrivateCopy& copy);

  /// False for any other update.
  bool is_needed() const noexcept { return is_edit_; }
  /// Writes into the copy where it is to be loaded, and where its uses of the program lead. Each call chooses another
  /// place than the last one. Throws Error: no_room (`path` names the update), system.
  void choose(const std::string& path);
  /// Whether the dynamic linker has loaded it there; another thread may have mapped memory in the meantime.
  bool is_in_place(void* handle) const noexcept;
  /// The update is loaded for good: later ones go on with its new variables.
  void keep_variables() const;

 private:
  /// A part of the file, at its place there.
  template <class Entry>
  struct Placed {
    std::uint64_t offset = 0;
    Entry entry{};
  };

  void read_linkage(const FileBytes& file, const UpdateStructure& structure);
  void write(std::uint64_t base, const std::string& path);
  std::uint64_t target_of(const EditField& field, std::uint64_t bias) const;
  PrivateCopy::Change filled(const EditField& field, std::uint64_t bias, const std::string& path) const;

  const PrivateCopy& copy_;
  bool is_edit_ = false;
  Elf64_Ehdr header_{};
  std::vector<Placed<Elf64_Phdr>> segments_;
  std::vector<Placed<Elf64_Dyn>> dynamic_;
  std::vector<Placed<Elf64_Sym>> symbols_;
  std::vector<Placed<Elf64_Rela>> relocations_;
  std::vector<EditField> fields_;
  std::vector<EditVariable> variables_;
  std::uint64_t base_ = 0;  ///< the place that was chosen
  std::size_t size_ = 0;    ///< in memory
  std::size_t attempts_ = 0;
};

}  // namespace moult::internal
