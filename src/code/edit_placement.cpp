// Problem: code that was compiled for the program uses its functions and variables by distances of 32 bits. The dynamic
// linker loads a library terabytes away.
//
// Approach: the dynamic linker asks the kernel for the address that the file's segments name, and gets it if that is
// free. So moult looks for a free place near the program, moves the segments' addresses there, and what the dynamic
// linker reads with them: the dynamic section, its symbols and relocations. Then the distances are known, and are
// written into the copy before it is loaded: its code is never writable.
//
// The names of sections, the symbol table and the debug information stay as they were linked. gdb and perf know such
// files: a library may be prelinked to an address. moult's own readers find the mark in the file's header
// (elf/edit_format.hpp).
//
// New variables begin with the first edit that has them. Later edits use that edit's, as long as they have the same
// name and size; a static variable's name includes its source's.
//
// Limits: another thread may map memory at the place before the dynamic linker does. Then another one is tried.
#include "code/edit_placement.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/fault.hpp"
#include "base/guarded.hpp"
#include "code/near_pool.hpp"
#include "moult/error.hpp"
#include "platform/loaded_modules.hpp"
#include "platform/memory.hpp"

namespace moult::internal {
namespace {

/// Half of what a distance of 32 bits spans: the program and the update are both somewhere around the place.
constexpr std::size_t reach = std::size_t{1} << 30;

std::uintptr_t begin_of_program() {
  auto begin = std::numeric_limits<std::uintptr_t>::max();
  visit_loaded_modules([&](const dl_phdr_info& info) {
    for (int i = 0; i < info.dlpi_phnum; ++i)
      if (info.dlpi_phdr[i].p_type == PT_LOAD)
        begin = std::min<std::uintptr_t>(begin, info.dlpi_addr + info.dlpi_phdr[i].p_vaddr);
    return false;
  });
  return begin;
}

bool is_address(Elf64_Sxword tag) noexcept {
  switch (tag) {
    case DT_PLTGOT:
    case DT_HASH:
    case DT_GNU_HASH:
    case DT_STRTAB:
    case DT_SYMTAB:
    case DT_RELA:
    case DT_RELR:
    case DT_INIT:
    case DT_FINI:
    case DT_JMPREL:
    case DT_INIT_ARRAY:
    case DT_FINI_ARRAY:
    case DT_VERSYM:
    case DT_VERDEF:
    case DT_VERNEED: return true;
    default: return false;
  }
}

struct KeptVariable {
  std::uintptr_t address = 0;
  std::uint64_t size = 0;
};
using KeptVariables = std::map<std::string, KeptVariable>;

/// The variables that edits have brought, by name. Never destroyed, like the updates.
Guarded<KeptVariables>& kept_variables() {
  static Guarded<KeptVariables>& only = *new Guarded<KeptVariables>();
  return only;
}

std::optional<std::uintptr_t> place_among(const KeptVariables& kept, const EditVariable& variable) {
  const auto found = kept.find(variable.name);
  if (found == kept.end() || found->second.size != variable.size) return std::nullopt;
  return found->second.address;
}

template <class Value>
PrivateCopy::Change change_at(std::uint64_t offset, const Value& value) {
  return {offset, std::string(reinterpret_cast<const char*>(&value), sizeof value)};
}

}  // namespace

EditPlacement::EditPlacement(const PrivateCopy& copy) : copy_(copy) {
  const FileBytes file(copy.name());
  const UpdateStructure structure = require_update_structure(file);
  is_edit_ = is_edit(structure);
  if (!is_edit_) return;
  header_ = structure.header;
  for (std::size_t i = 0; i < structure.segments.size(); ++i) {
    const Elf64_Phdr& segment = structure.segments[i];
    segments_.push_back({header_.e_phoff + i * sizeof segment, segment});
    if (segment.p_type == PT_LOAD) size_ = std::max<std::size_t>(size_, segment.p_vaddr + segment.p_memsz);
  }
  size_ = (size_ + page_size() - 1) / page_size() * page_size();
  read_linkage(file, structure);
  fields_ = read_edit_fields(file, structure);
  variables_ = read_edit_variables(file, structure);
}

void EditPlacement::read_linkage(const FileBytes& file, const UpdateStructure& structure) {
  const auto read = [&](const Elf64_Shdr& section, auto& entries, const char* what) {
    using Entry = decltype(entries.front().entry);
    std::uint64_t offset = section.sh_offset;
    for (const Entry& entry : file.table<Entry>(section.sh_offset, section.sh_size, what)) {
      entries.push_back({offset, entry});
      offset += sizeof entry;
    }
  };
  for (const Elf64_Shdr& section : structure.sections) {
    if (section.sh_type == SHT_DYNAMIC) read(section, dynamic_, "a dynamic entry");
    if (section.sh_type == SHT_DYNSYM) read(section, symbols_, "a symbol");
    if (section.sh_type == SHT_RELA && (section.sh_flags & SHF_ALLOC) != 0) read(section, relocations_, "a relocation");
  }
}

void EditPlacement::choose(const std::string& path) {
  MOULT_FAULT("code.edit_placement.choose");
  const std::uintptr_t program = begin_of_program();
  const std::vector<std::uintptr_t> places = free_places(address_space().mappings(), program, size_, reach);
  if (places.empty())
    throw Error(ErrorCode::no_room, path + ": no free address space of " + std::to_string(size_) +
                                        " bytes within 1 GB of the program's code at " + hex_text(program) +
                                        "; its code uses the program's by distance: unmap something near it");
  write(places[attempts_++ % places.size()], path);
}

void EditPlacement::write(std::uint64_t base, const std::string& path) {
  base_ = base;
  const std::uint64_t bias = bias_of_program();
  std::vector<PrivateCopy::Change> changes;
  Elf64_Ehdr header = header_;
  header.e_flags = placed_flag;
  changes.push_back(change_at(0, header));
  for (auto [offset, segment] : segments_) {
    if (segment.p_memsz == 0) continue;
    segment.p_vaddr += base;
    segment.p_paddr += base;
    changes.push_back(change_at(offset, segment));
  }
  for (auto [offset, entry] : dynamic_) {
    if (!is_address(entry.d_tag)) continue;
    entry.d_un.d_ptr += base;
    changes.push_back(change_at(offset, entry));
  }
  for (auto [offset, symbol] : symbols_) {
    const bool is_placed = symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS;
    if (!is_placed || ELF64_ST_TYPE(symbol.st_info) == STT_TLS) continue;
    symbol.st_value += base;
    changes.push_back(change_at(offset, symbol));
  }
  for (auto [offset, entry] : relocations_) {
    const auto type = ELF64_R_TYPE(entry.r_info);
    entry.r_offset += base;
    if (type == R_X86_64_RELATIVE || type == R_X86_64_IRELATIVE) entry.r_addend += static_cast<std::int64_t>(base);
    changes.push_back(change_at(offset, entry));
  }
  for (const EditField& field : fields_) changes.push_back(filled(field, bias, path));
  copy_.overwrite(changes);
}

/// The address that the field leads to, or what it adds to %fs.
std::uint64_t EditPlacement::target_of(const EditField& field, std::uint64_t bias) const {
  const auto addend = static_cast<std::uint64_t>(field.addend);
  switch (field.kind) {
    case FieldKind::address:
    case FieldKind::distance: return field.target + bias + addend;
    case FieldKind::thread_offset:
    case FieldKind::wide_thread_offset: return field.target + addend;
    case FieldKind::variable_address:
    case FieldKind::variable_distance: break;
  }
  const auto variable = std::ranges::find(variables_, field.target, &EditVariable::place);
  std::optional<std::uintptr_t> kept;
  if (variable != variables_.end())
    kept = kept_variables().with([&](const KeptVariables& all) { return place_among(all, *variable); });
  return kept.value_or(base_ + field.target) + addend;
}

PrivateCopy::Change EditPlacement::filled(const EditField& field, std::uint64_t bias, const std::string& path) const {
  const std::uint64_t target = target_of(field, bias);
  switch (field.kind) {
    case FieldKind::address:
    case FieldKind::variable_address:
    case FieldKind::wide_thread_offset: return change_at(field.offset, target);
    case FieldKind::thread_offset: return change_at(field.offset, static_cast<std::int32_t>(target));
    case FieldKind::distance:
    case FieldKind::variable_distance: break;
  }
  const auto distance = static_cast<std::int64_t>(target - (base_ + field.place));
  if (distance != static_cast<std::int32_t>(distance))
    throw Error(ErrorCode::no_room, path +
                                        ": the program is too large for a place from which all of it can be "
                                        "reached; build it again");
  return change_at(field.offset, static_cast<std::int32_t>(distance));
}

void EditPlacement::keep_variables() const {
  kept_variables().with([&](KeptVariables& kept) {
    for (const EditVariable& each : variables_)
      if (!place_among(kept, each)) kept[each.name] = {base_ + each.place, each.size};
  });
}

bool EditPlacement::is_in_place(void* handle) const noexcept {
  link_map* map = nullptr;
  return ::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map->l_addr == 0;
}

}  // namespace moult::internal
