// An update made from edited sources: the functions that the edits change, replaced together.
//
// What such an update needs was found out when it was made (diff/): every function that relies on a changed one is
// among the changed ones, and all addresses are known. So nothing of the program's symbols is read here.
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fault.hpp"
#include "elf/edit_format.hpp"
#include "functions/function_change.hpp"
#include "moult/detail/edit.hpp"
#include "moult/error.hpp"
#include "moult/manager.hpp"
#include "moult/update.hpp"
#include "platform/loaded_modules.hpp"
#include "recipes/quiescent_change.hpp"

namespace moult::internal {
namespace {

/// Only updates call it. Without this, a program that is linked with moult's archives would leave it out.
[[gnu::used]] void (*const for_edits)(const void*) = moult_submit_edit;

/// The memory of a loaded file.
struct LoadedRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;

  bool contains(std::uintptr_t address, std::size_t size) const noexcept {
    return begin <= address && address <= end && size <= end - address;
  }
};

[[noreturn]] void fail(const char* why) { throw Error(ErrorCode::not_an_update, std::string("the edit's ") + why); }

/// The run-time address of the program minus that in its file.
std::uintptr_t bias_of_program() {
  std::uintptr_t bias = 0;
  visit_loaded_modules([&](const dl_phdr_info& info) {
    bias = info.dlpi_addr;
    return false;
  });
  return bias;
}

LoadedRange module_of(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  LoadedRange found;
  visit_loaded_modules([&](const dl_phdr_info& info) {
    LoadedRange module{~std::uintptr_t{0}, 0};
    for (int i = 0; i < info.dlpi_phnum; ++i) {
      const auto& segment = info.dlpi_phdr[i];
      if (segment.p_type != PT_LOAD) continue;
      module.begin = std::min<std::uintptr_t>(module.begin, info.dlpi_addr + segment.p_vaddr);
      module.end = std::max<std::uintptr_t>(module.end, info.dlpi_addr + segment.p_vaddr + segment.p_memsz);
    }
    const bool is_it = module.begin <= wanted && wanted < module.end;
    if (is_it) found = module;
    return !is_it;
  });
  return found;
}

/// What a number of the tables leads to.
std::uintptr_t led_to(const std::int32_t& distance) {
  return reinterpret_cast<std::uintptr_t>(&distance) + static_cast<std::uintptr_t>(std::intptr_t{distance});
}

std::string text_at(std::uintptr_t address, const LoadedRange& module) {
  if (!module.contains(address, 1)) fail("names lie outside of its file");
  const auto* const text = reinterpret_cast<const char*>(address);
  return {text, ::strnlen(text, module.end - address)};
}

void add(const FunctionEntry& entry, const LoadedRange& module, std::uintptr_t bias,
         std::vector<EditedFunction>& functions) {
  if (entry.part != FunctionPart::more) functions.push_back({text_at(led_to(entry.name), module), {}, {}});
  if (functions.empty()) fail("table of functions begins in the middle of one");
  EditedFunction& function = functions.back();
  if (entry.size > 0) {
    const CodeAddress begin{entry.begin + bias};
    function.old_code.push_back({begin, begin + entry.size});
  }
  if (entry.code_size > 0) {
    const CodeAddress begin{led_to(entry.code)};
    if (!module.contains(value(begin), entry.code_size)) fail("code lies outside of its file");
    function.new_code.push_back({begin, begin + entry.code_size});
  }
  const bool has_new_code = !function.new_code.empty();
  if (function.old_code.empty() || has_new_code == (entry.part == FunctionPart::left))
    fail("table of functions contradicts itself");
}

std::vector<EditedFunction> functions_of(const EditHeader& header, const LoadedRange& module) {
  const std::uintptr_t begin = led_to(header.functions);
  const std::uintptr_t end = led_to(header.functions_end);
  if (end < begin || !module.contains(begin, end - begin) || begin % alignof(FunctionEntry) != 0 ||
      (end - begin) % sizeof(FunctionEntry) != 0)
    fail("table of functions lies outside of its file");
  const auto* const entries = reinterpret_cast<const FunctionEntry*>(begin);
  const std::uintptr_t bias = bias_of_program();
  std::vector<EditedFunction> functions;
  for (std::size_t i = 0; i < (end - begin) / sizeof(FunctionEntry); ++i) add(entries[i], module, bias, functions);
  return functions;
}

class EditUpdate final : public Update {
 public:
  EditUpdate(std::string name, std::vector<EditedFunction> functions)
      : Update(std::move(name)), functions_(std::move(functions)) {}

  void prepare() override {
    change_.prepare(FunctionChange::prepare_edit(functions_), threads());
    MOULT_FAULT("recipes.edit.prepared");
  }
  bool wait_alterability() override { return change_.wait(patience(), threads()); }
  bool check_alterability() override { return change_.check(patience(), threads()); }
  void apply() override {
    MOULT_FAULT("recipes.edit.apply");
    change_.apply(name(), threads());
    MOULT_FAULT("recipes.edit.applied");
  }

 private:
  std::vector<EditedFunction> functions_;
  QuiescentChange change_;
};

void submit_edit(const void* header) {
  const LoadedRange module = module_of(header);
  if (!module.contains(reinterpret_cast<std::uintptr_t>(header), sizeof(EditHeader))) fail("header is in no file");
  const auto& edit = *static_cast<const EditHeader*>(header);
  if (edit.version != edit_version) fail("tables are of another version of moult; build it again");
  threaded_manager("edits").add_update(
      std::make_unique<EditUpdate>(text_at(led_to(edit.name), module), functions_of(edit, module)));
}

}  // namespace
}  // namespace moult::internal

void moult_submit_edit(const void* header) { moult::internal::submit_edit(header); }
