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
    case FieldKind::variable_address:
    case FieldKind::wide_thread_offset: return sizeof(std::uint64_t);
    case FieldKind::distance:
    case FieldKind::variable_distance:
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

/// What a number at `from` leads to.
std::uint64_t led_to(std::uint64_t from, std::int64_t distance) { return from + static_cast<std::uint64_t>(distance); }

bool is_in_memory(const UpdateStructure& structure, std::uint64_t address, std::uint64_t size) {
  return std::ranges::any_of(structure.segments, [&](const Elf64_Phdr& segment) {
    const std::uint64_t inside = address - segment.p_vaddr;
    return segment.p_type == PT_LOAD && address >= segment.p_vaddr && inside <= segment.p_memsz &&
           size <= segment.p_memsz - inside;
  });
}

std::string name_at(const FileBytes& file, const UpdateStructure& structure, std::uint64_t address) {
  constexpr std::uint64_t longest = 4096;
  const std::optional<std::uint64_t> offset = offset_of(structure, address, 1);
  if (!offset) throw_damaged(file.path(), "a name lies outside of its data");
  const std::string text = file.read(*offset, std::min(longest, file.size() - *offset), "a name");
  return text.substr(0, text.find('\0'));
}

}  // namespace

bool is_edit(const UpdateStructure& structure) { return section_named(structure, functions_section) != nullptr; }

std::vector<EditField> read_edit_fields(const FileBytes& file, const UpdateStructure& structure) {
  std::vector<EditField> fields;
  const Elf64_Shdr* const section = section_named(structure, fields_section);
  if (section == nullptr) return fields;
  std::uint64_t at = section->sh_addr;
  for (const FieldEntry& entry : file.table<FieldEntry>(section->sh_offset, section->sh_size, "a field of the edit")) {
    EditField field{led_to(at + offsetof(FieldEntry, place), entry.place), 0, entry.kind, entry.target, entry.addend};
    const std::uint64_t size = size_of(entry.kind);
    const std::optional<std::uint64_t> offset = offset_of(structure, field.place, size);
    if (size == 0 || !offset) throw_damaged(file.path(), "a use of the program's lies outside of its code and data");
    field.offset = *offset;
    const bool is_of_variable = entry.kind == FieldKind::variable_address || entry.kind == FieldKind::variable_distance;
    if (is_of_variable)
      field.target = led_to(at + offsetof(FieldEntry, target), static_cast<std::int64_t>(entry.target));
    fields.push_back(field);
    at += sizeof entry;
  }
  return fields;
}

std::vector<EditVariable> read_edit_variables(const FileBytes& file, const UpdateStructure& structure) {
  std::vector<EditVariable> variables;
  const Elf64_Shdr* const section = section_named(structure, variables_section);
  if (section == nullptr) return variables;
  std::uint64_t at = section->sh_addr;
  for (const VariableEntry& entry :
       file.table<VariableEntry>(section->sh_offset, section->sh_size, "a variable of the edit")) {
    const std::uint64_t place = led_to(at + offsetof(VariableEntry, place), entry.place);
    if (!is_in_memory(structure, place, entry.size))
      throw_damaged(file.path(), "a new variable lies outside of its data");
    variables.push_back(
        {name_at(file, structure, led_to(at + offsetof(VariableEntry, name), entry.name)), place, entry.size});
    at += sizeof entry;
  }
  return variables;
}

}  // namespace moult::internal
