#include "edit_entry.hpp"

#include "compiler.hpp"
#include "elf/edit_format.hpp"
#include "moult/detail/abi.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

/// The text and a zero, in assembly.
std::string bytes_of(const std::string& text) {
  std::string line = ".byte ";
  for (const unsigned char each : text) line += std::to_string(static_cast<unsigned>(each)) + ",";
  return line + "0";
}

/// The table, and the values and names behind it.
std::string resets_in_assembly(const std::map<std::uint64_t, diff::ResetValue>& resets) {
  std::string table = "  .balign 8\nmoult_edit_resets:\n";
  std::string behind;
  for (const auto& [address, reset] : resets) {
    const std::string label = "moult_edit_reset_" + std::to_string(address);
    table += "  .quad " + std::to_string(address) + ", " + std::to_string(reset.value.size()) + "\n  .long " + label +
             " - .\n  .long " + label + "_name - .\n";
    behind += label + "_name:\n" + bytes_of(reset.name) + "\n" + label + ":\n";
    for (const std::uint8_t each : reset.value) behind += "  .byte " + std::to_string(each) + "\n";
  }
  return table + "moult_edit_resets_end:\n" + behind;
}

std::string lines_of(const std::vector<std::string>& texts) {
  std::string lines;
  for (const std::string& each : texts) lines += bytes_of(each) + "\n";
  return lines;
}

/// The patch in the update's file, for its reader. It is not loaded.
std::string carried_in_assembly(const fs::path& patch) {
  return "  .section " + std::string(patch_section) + ", \"\", @progbits\n  .incbin \"" + patch.string() + "\"\n";
}

}  // namespace

std::string entry_in_assembly(const std::string& build_id, const EntryTexts& texts) {
  std::vector<std::string> news;
  for (const auto& [key, content] : texts.news) news.insert(news.end(), {key, content});
  std::vector<std::string> patch;
  if (texts.patch != nullptr) patch = {texts.patch->name(), texts.patch->sha256()};
  std::vector<std::string> base;
  std::vector<std::string> tree;
  if (texts.tree) tree = {std::to_string(texts.tree->time), std::to_string(texts.tree->files)};
  if (texts.base != nullptr) base = {texts.base->name(), texts.base->build_id()};
  return target_note(build_id) + checksum_note() + note("abi", 1, 4, ".long " + std::to_string(MOULT_ABI_VERSION)) + R"(
  .section moult_sources, "a"
)" + lines_of(texts.unchanged) +
         (texts.patch == nullptr ? "" : carried_in_assembly(texts.patch_text)) +
         R"(
  .section .rodata
  .balign 8
moult_edit:
  .long )" +
         std::to_string(edit_version) + R"(
  .long __start_moult_functions - .
  .long __stop_moult_functions - .
  .long moult_edit_name - .
  .long __start_moult_sources - .
  .long __stop_moult_sources - .
  .long moult_edit_held - .
  .long moult_edit_news - .
  .long moult_edit_news - .
  .long moult_edit_patch - .
  .long )" +
         (texts.is_permanent ? "1" : "0") + R"(
  .long __start_moult_classes - .
  .long __stop_moult_classes - .
  .long __start_moult_beginnings - .
  .long __stop_moult_beginnings - .
  .long moult_edit_patch - .
  .long moult_edit_base - .
  .long moult_edit_base - .
  .long moult_edit_tree - .
  .long moult_edit_resets - .
  .long moult_edit_resets_end - .
  .long moult_edit_tree - .
  .long moult_edit_end - .
  .section moult_functions, "a"
  .section moult_classes, "aw"
  .section moult_beginnings, "aw"
  .section .rodata
moult_edit_name:
)" + bytes_of(texts.name) +
         R"(
moult_edit_held:
)" + lines_of(texts.held) +
         R"(
moult_edit_news:
)" + lines_of(news) +
         R"(
moult_edit_patch:
)" + lines_of(patch) +
         R"(
moult_edit_base:
)" + lines_of(base) +
         R"(
moult_edit_tree:
)" + lines_of(tree) +
         R"(
moult_edit_end:
)" + resets_in_assembly(texts.resets) +
         R"(
  .hidden __start_moult_functions, __stop_moult_functions, __start_moult_sources, __stop_moult_sources
  .hidden __start_moult_classes, __stop_moult_classes, __start_moult_beginnings, __stop_moult_beginnings

  .text
  .globl moult_update_entry
  .type moult_update_entry, @function
moult_update_entry:
  .cfi_startproc
  leaq moult_edit(%rip), %rdi
  jmp moult_submit_edit@PLT
  .cfi_endproc
  .size moult_update_entry, . - moult_update_entry
  .section .note.GNU-stack, "", @progbits
)";
}

}  // namespace moult::internal::cli
