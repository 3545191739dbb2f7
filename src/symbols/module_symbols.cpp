#include "symbols/module_symbols.hpp"

#include <gelf.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "elf/file_scan.hpp"
#include "elf/separate_debug.hpp"
#include "moult/error.hpp"
#include "symbols/inlined_copies.hpp"
#include "symbols/named_functions.hpp"

namespace moult::internal {
namespace {

[[noreturn]] void throw_replaced(const ModulePlace& place, const std::string& how) {
  throw Error(ErrorCode::unreadable, place.module.path + ": was deleted or replaced since it was loaded" + how +
                                         "; put the old file back or restart the program");
}

/// A deleted or replaced file is reached through /proc, which may need privileges. Without them, a file of the same
/// build at the old path is used.
ElfFile open_loaded_file(const ModulePlace& place) {
  const bool is_gone = place.open_path.find("/map_files/") != std::string::npos;
  try {
    return ElfFile::open(place.open_path, place.module.path);
  } catch (const Error&) {
    if (!is_gone) throw;
  }
  if (place.loaded_build_id.empty()) throw_replaced(place, "");
  try {
    return ElfFile::open(place.module.path);
  } catch (const Error&) {
    throw_replaced(place, "");
  }
}

/// Throws Error (unreadable), also when the file is of another build than the one in memory.
ElfFile open_module(const ModulePlace& place) {
  if (!place.image.empty()) return ElfFile::of_image(place.image, place.module.path);
  ElfFile file = open_loaded_file(place);
  const std::string id = file.build_id();
  if (!place.loaded_build_id.empty() && id != place.loaded_build_id) {
    throw_replaced(
        place, ": build id " + (id.empty() ? "none" : id) + " in the file, " + place.loaded_build_id + " in memory");
  }
  return file;
}

/// False only when the section's bytes do not contain `text`.
bool may_contain(const ElfFile& file, const char* section_name, std::string_view text) {
  Elf_Scn* const section = file.section(section_name);
  GElf_Shdr header{};
  if (section == nullptr || gelf_getshdr(section, &header) == nullptr) return false;
  if ((header.sh_flags & SHF_COMPRESSED) != 0) return true;
  const Elf_Data* const data = elf_rawdata(section, nullptr);
  if (data == nullptr || text.empty()) return true;
  if (data->d_buf == nullptr) return false;  // a debug file's own copy of the section is empty
  return contains({static_cast<const char*>(data->d_buf), data->d_size}, text);
}

}  // namespace

ModuleSymbols::ModuleSymbols(ElfFile file) : file_(std::move(file)) {
  if (file_.data(file_.section_of_type(SHT_SYMTAB)) == nullptr || file_.section(".debug_info") == nullptr) {
    separate_ = find_separate_debug(file_);
  }
}

bool ModuleSymbols::has_symbol_table() const {
  const auto has = [](const ElfFile& file) { return file.data(file.section_of_type(SHT_SYMTAB)) != nullptr; };
  return has(file_) || (separate_ && has(*separate_));
}

const FunctionIndex& ModuleSymbols::functions() const {
  if (!functions_) functions_.emplace(symbol_tables(), file_);
  return *functions_;
}

std::vector<const ElfFile*> ModuleSymbols::symbol_tables() const {
  std::vector<const ElfFile*> tables{&file_};
  const bool stripped = file_.data(file_.section_of_type(SHT_SYMTAB)) == nullptr;
  if (stripped && separate_) tables.push_back(&*separate_);
  return tables;
}

bool ModuleSymbols::may_find(const NameQuery& query) const {
  return may_name(query.identifier()) && (functions_ || FunctionIndex::may_find(symbol_tables(), query));
}

std::vector<FunctionMatch> ModuleSymbols::functions_similar_to(std::string_view last_name) const {
  if (!functions_ && !FunctionIndex::may_find_similar(symbol_tables(), last_name)) return {};
  return functions().similar(last_name);
}

bool ModuleSymbols::is_update() const {
  constexpr const char* entry = "moult_update_entry";
  if (!is_update_) is_update_ = may_name(entry) && !functions().find(NameQuery(entry)).empty();
  return *is_update_;
}

bool ModuleSymbols::may_name(std::string_view text) const {
  const auto has = [text](const ElfFile& file) {
    return may_contain(file, ".strtab", text) || may_contain(file, ".dynstr", text);
  };
  return has(file_) || (separate_ && has(*separate_));
}

bool ModuleSymbols::exports(const std::string& mangled) const {
  return may_contain(file_, ".dynstr", {mangled.c_str(), mangled.size() + 1});  // with the zero byte at its end
}

bool ModuleSymbols::may_describe(std::string_view text) const {
  const bool is_separate = file_.section(".debug_info") == nullptr;
  if (is_separate && !separate_) return false;
  const ElfFile& file = is_separate ? *separate_ : file_;
  for (const char* elsewhere : {".gnu_debugaltlink", ".debug_addr"})  // the strings may be in other files
    if (file.section(elsewhere) != nullptr) return true;
  // A name no longer than a reference to it stands in .debug_info.
  return may_contain(file, ".debug_str", text) || may_contain(file, ".debug_info", text);
}

bool ModuleSymbols::is_of_system_in_c() const { return !has_own_debug_info() && !may_contain(file_, ".dynstr", "_Z"); }

std::size_t ModuleSymbols::debug_info_size() const {
  const bool is_separate = file_.section(".debug_info") == nullptr;
  if (is_separate && !separate_) return 0;
  const ElfFile& file = is_separate ? *separate_ : file_;
  GElf_Shdr header{};
  GElf_Chdr compressed{};
  Elf_Scn* const section = file.section(".debug_info");
  if (section == nullptr || gelf_getshdr(section, &header) == nullptr) return 0;
  const bool is_compressed = (header.sh_flags & SHF_COMPRESSED) != 0 && gelf_getchdr(section, &compressed) != nullptr;
  return is_compressed ? compressed.ch_size : header.sh_size;
}

const DebugInfo* ModuleSymbols::debug_info() const {
  if (!std::exchange(looked_for_debug_info_, true)) {
    debug_info_ = DebugInfo::open(file_);
    if (!debug_info_ && separate_) debug_info_ = DebugInfo::open(*separate_);
  }
  return debug_info_.get();
}

InlinedCopies ModuleSymbols::inlined_copies(const InlinedFunction& function) const {
  // A search skips most of a program, while the index reads all of it: the index pays from the first few searches on.
  constexpr int most_searches = 8;
  const DebugInfo* info = debug_info();
  MOULT_CHECK(info != nullptr, "copies are looked up only in a module with debug information");
  if (!copy_index_ && searches_for_copies_ < most_searches) {
    ++searches_for_copies_;
    return find_inlined_copies(*info, function);
  }
  if (!copy_index_) copy_index_.emplace(*info);
  return copy_index_->copies_of(function);
}

std::vector<const Symbol*> ModuleSymbols::functions_folded_into(const Symbol& function) const {
  const DebugInfo* const info = debug_info();
  const DebugUnit* const unit = info != nullptr ? info->unit_at(function.begin) : nullptr;
  if (unit == nullptr) return {};
  if (!undescribed_.contains(unit)) undescribed_.emplace(unit, undescribed_symbols(*info, *unit, functions()));
  return internal::functions_folded_into(*unit, undescribed_.at(unit), function);
}

std::vector<InlinedCopy> ModuleSymbols::copies_of_foreign(const std::vector<std::string>& names) const {
  // A search for a name takes about a millisecond: the index pays from the first hundreds on.
  constexpr int most_searches = 500;
  if (debug_info() == nullptr) return {};
  if (!copy_index_ && searches_for_foreign_ < most_searches) {
    ++searches_for_foreign_;
    const auto occurs = [this](const std::string& name) { return may_describe(name); };
    if (std::none_of(names.begin(), names.end(), occurs)) return {};
    return inlined_copies({{}, names}).copies;
  }
  if (!copy_index_) copy_index_.emplace(*debug_info_);
  return copy_index_->copies_of({{}, names}).copies;
}

ModuleFiles::ModuleFiles(std::vector<ModulePlace> places) : places_(std::move(places)), opened_(places_.size()) {}

const ModuleSymbols* ModuleFiles::symbols(std::size_t module, std::string& problem) {
  if (opened_[module] || !problem.empty()) return opened_[module].get();
  try {
    ElfFile file = open_module(places_[module]);
    for (std::size_t i = 0; i < opened_.size() && !opened_[module]; ++i) {
      const bool may_be_equal = opened_[i] && !places_[i].loaded_build_id.empty() &&
                                places_[i].loaded_build_id == places_[module].loaded_build_id;
      if (may_be_equal && opened_[i]->file().bytes() == file.bytes()) opened_[module] = opened_[i];
    }
    if (!opened_[module]) opened_[module] = std::make_shared<const ModuleSymbols>(std::move(file));
  } catch (const Error& error) {
    problem = error.what();
  }
  return opened_[module].get();
}

}  // namespace moult::internal
