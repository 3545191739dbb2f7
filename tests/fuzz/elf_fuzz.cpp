// A file that is sent as an update, and one that is read as a module.
#include <cstddef>
#include <cstdint>

#include "elf/edit_tables.hpp"
#include "elf/elf_file.hpp"
#include "elf/file_bytes.hpp"
#include "elf/separate_debug.hpp"
#include "elf/update_notes.hpp"
#include "elf/update_structure.hpp"
#include "memory_file.hpp"
#include "moult/error.hpp"
#include "symbols/module_symbols.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moult::internal;
  const fuzz::MemoryFile file(data, size);
  try {
    read_update_notes(file.path());
  } catch (const moult::Error&) {
  }
  try {
    const FileBytes bytes(file.path());
    const UpdateStructure structure = require_update_structure(bytes);
    read_edit_fields(bytes, structure);
    read_edit_variables(bytes, structure);
  } catch (const moult::Error&) {
  }
  try {
    ElfFile elf = ElfFile::open(file.path());
    elf.build_id();
    elf.code_sections();
    elf.loaded_range();
    elf.address_of_offset(size / 2);
    find_separate_debug(elf, "/nonexistent");
    const ModuleSymbols symbols(std::move(elf));
    symbols.functions();
    symbols.is_update();
    symbols.may_name("f");
    symbols.may_describe("f");
  } catch (const moult::Error&) {
  }
  return 0;
}
