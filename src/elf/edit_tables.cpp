#include "elf/edit_tables.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace moult::internal {
namespace {

const Elf64_Shdr* section_named(const UpdateStructure& structure, const char* name) {
  const auto found = std::ranges::find(structure.section_names, name);
  return found == structure.section_names.end()
             ? nullptr
             : &structure.sections[static_cast<std::size_t>(found - structure.section_names.begin())];
}

std::uint64_t size_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::address:
    case FieldKind::wide_thread_offset: return sizeof(std::uint64_t);
    case FieldKind::distance:
    case FieldKind::thread_offset: return sizeof(std::uint32_t);
  }
  return 0;
}

std::optional<std::uint64_t> offset_of(const UpdateStructure& structure, std::uint64_t address, std::uint64_t size) {
  for (const Elf64_Phdr& segment : structure.segments) {
    const std::uint64_t inside = address - segment.p_vaddr;
    const bool is_in_file = segment.p_type == PT_LOAD && address >= segment.p_vaddr && inside <= segment.p_filesz &&
                            size <= segment.p_filesz - inside;
    if (is_in_file) return segment.p_offset + inside;
  }
  return std::nullopt;
}

}  // namespace

bool is_edit(const UpdateStructure& structure) { return section_named(structure, functions_section) != nullptr; }

std::vector<EditField> read_edit_fields(const FileBytes& file, const UpdateStructure& structure) {
  std::vector<EditField> fields;
  const Elf64_Shdr* const section = section_named(structure, fields_section);
  if (section == nullptr) return fields;
  std::uint64_t at = section->sh_addr + offsetof(FieldEntry, place);
  for (const FieldEntry& entry : file.table<FieldEntry>(section->sh_offset, section->sh_size, "a field of the edit")) {
    EditField field{at + static_cast<std::uint64_t>(std::int64_t{entry.place}), 0, entry.kind, entry.target,
                    entry.addend};
    const std::uint64_t size = size_of(entry.kind);
    const std::optional<std::uint64_t> offset = offset_of(structure, field.place, size);
    if (size == 0 || !offset) throw_damaged(file.path(), "a use of the program's lies outside of its code and data");
    field.offset = *offset;
    fields.push_back(field);
    at += sizeof entry;
  }
  return fields;
}

}  // namespace moult::internal
