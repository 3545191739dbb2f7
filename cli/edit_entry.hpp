// The entry of an update made of edits, with its notes and the tables that do not come with the objects
// (elf/edit_format.hpp), in assembly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diff/edit_plan.hpp"
#include "earlier_edit.hpp"
#include "source_comparison.hpp"
#include "source_patch.hpp"

namespace moult::internal::cli {

/// What the entry hands to the program beside the objects' tables.
struct EntryTexts {
  std::string name;
  std::vector<std::string> unchanged;  ///< sources that were compared and have no code in the update
  std::vector<std::string> held;
  std::map<std::string, std::string> news;
  bool is_permanent = false;
  const SourcePatch* patch = nullptr;  ///< that the edit is
  std::filesystem::path patch_text{};  ///< from the assembler's folder
  const EarlierEdit* base = nullptr;   ///< that the edit goes on from
  std::map<std::uint64_t, diff::ResetValue> resets{};
  std::optional<EditedTree> tree{};  ///< that the edit is of
};

/// `build_id` is the program's.
std::string entry_in_assembly(const std::string& build_id, const EntryTexts& texts);

}  // namespace moult::internal::cli
