#include "recipes/edit_reading.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "elf/edit_format.hpp"
#include "elf/module_list.hpp"
#include "moult/error.hpp"
#include "platform/loaded_modules.hpp"

namespace moult::internal {
namespace {

/// The memory of a loaded file, or a part of it.
struct LoadedRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;

  bool contains(std::uintptr_t address, std::size_t size) const noexcept {
    return begin <= address && address <= end && size <= end - address;
  }
};

[[noreturn]] void fail(const char* why) { throw Error(ErrorCode::not_an_update, std::string("the edit's ") + why); }

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

/// The entries of the table from `begin` to `end`.
template <class Entry>
std::span<const Entry> entries_between(std::uintptr_t begin, std::uintptr_t end, const LoadedRange& module) {
  if (begin == end) return {};  // an empty table may lie behind everything
  if (end < begin || !module.contains(begin, end - begin) || begin % alignof(Entry) != 0 ||
      (end - begin) % sizeof(Entry) != 0)
    fail("tables lie outside of its file");
  return {reinterpret_cast<const Entry*>(begin), (end - begin) / sizeof(Entry)};
}

CodeRange new_code_of(const FunctionEntry& entry, const LoadedRange& module) {
  const CodeAddress begin{led_to(entry.code)};
  if (!module.contains(value(begin), entry.code_size)) fail("code lies outside of its file");
  return {begin, begin + entry.code_size};
}

void add(const FunctionEntry& entry, const LoadedRange& module, std::uintptr_t bias,
         std::vector<EditedFunction>& functions) {
  if (entry.part != FunctionPart::more)
    functions.push_back({text_at(led_to(entry.name), module), {}, {}, text_at(led_to(entry.source), module)});
  if (functions.empty()) fail("table of functions begins in the middle of one");
  EditedFunction& function = functions.back();
  if (entry.size > 0) {
    const CodeAddress begin{entry.begin + bias};
    function.old_code.push_back({begin, begin + entry.size});
  }
  if (entry.code_size > 0) function.new_code.push_back(new_code_of(entry, module));
  const bool has_new_code = !function.new_code.empty();
  const bool is_contradiction =
      (entry.part == FunctionPart::entry && !has_new_code) || (entry.part == FunctionPart::left && has_new_code);
  if (function.old_code.empty() || is_contradiction) fail("table of functions contradicts itself");
}

std::vector<EditedFunction> functions_of(const EditHeader& header, const LoadedRange& module) {
  const std::uintptr_t bias = bias_of_program();
  std::vector<EditedFunction> functions;
  std::vector<CodeRange> fresh;
  for (const FunctionEntry& each :
       entries_between<FunctionEntry>(led_to(header.functions), led_to(header.functions_end), module)) {
    if (each.part == FunctionPart::fresh)
      fresh.push_back(new_code_of(each, module));
    else
      add(each, module, bias, functions);
  }
  // New code is left when the functions that call it are.
  const auto first = std::ranges::find_if(functions, [](const EditedFunction& each) { return !each.new_code.empty(); });
  if (first == functions.end() && !fresh.empty()) fail("new functions have no callers");
  if (first != functions.end()) std::ranges::move(fresh, std::back_inserter(first->new_code));
  return functions;
}

std::vector<std::string> texts_between(std::uintptr_t begin, std::uintptr_t end, const LoadedRange& module) {
  if (end < begin || !module.contains(begin, end - begin)) fail("lists lie outside of its file");
  std::vector<std::string> texts;
  for (std::uintptr_t at = begin; at < end; at += texts.back().size() + 1) texts.push_back(text_at(at, module));
  return texts;
}

std::map<std::string, std::string> pairs_of(const std::vector<std::string>& texts) {
  if (texts.size() % 2 != 0) fail("list of what is new is cut short");
  std::map<std::string, std::string> pairs;
  for (std::size_t i = 0; i < texts.size(); i += 2) pairs.emplace(texts[i], texts[i + 1]);
  return pairs;
}

std::optional<EditPatch> patch_of(const std::vector<std::string>& texts) {
  if (texts.empty()) return std::nullopt;
  if (texts.size() != 2) fail("patch has no name or no checksum");
  return EditPatch{texts[0], texts[1]};
}

/// Whether the program may write to all of it.
bool is_writable(std::uintptr_t address, std::size_t size) {
  bool is_inside = false;
  visit_loaded_modules([&](const dl_phdr_info& program) {
    for (int i = 0; i < program.dlpi_phnum; ++i) {
      const auto& segment = program.dlpi_phdr[i];
      const LoadedRange range{program.dlpi_addr + segment.p_vaddr,
                              program.dlpi_addr + segment.p_vaddr + segment.p_memsz};
      const bool is_data = segment.p_type == PT_LOAD && (segment.p_flags & PF_W) != 0;
      is_inside |= is_data && range.contains(address, size);
    }
    return false;
  });
  return is_inside;
}

std::vector<ResetVariable> resets_of(const EditHeader& header, const LoadedRange& module) {
  std::vector<ResetVariable> resets;
  for (const ResetEntry& entry :
       entries_between<ResetEntry>(led_to(header.resets), led_to(header.resets_end), module)) {
    const std::uintptr_t value = led_to(entry.value);
    const std::uintptr_t target = entry.target + bias_of_program();
    if (!module.contains(value, entry.size) || !is_writable(target, entry.size))
      fail("table of reset variables leads out of its file or of the program");
    const auto* const bytes = reinterpret_cast<const std::byte*>(value);
    resets.push_back({text_at(led_to(entry.name), module), reinterpret_cast<std::byte*>(target),
                      std::vector<std::byte>(bytes, bytes + entry.size)});
  }
  return resets;
}

EditBase base_of(const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  if (texts.size() != 2) fail("update to go on from has no name or no build id");
  return {texts[0], texts[1]};
}

std::optional<EditTree> tree_of(const std::vector<std::string>& texts) {
  if (texts.empty()) return std::nullopt;
  EditTree tree;
  const auto is_number = [](const std::string& text, auto& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
  };
  if (texts.size() != 2 || !is_number(texts[0], tree.time) || !is_number(texts[1], tree.files))
    fail("record of its sources is damaged");
  return tree;
}

std::string build_id_of_module(const void* inside) {
  const CodeAddress address{reinterpret_cast<std::uintptr_t>(inside)};
  for (const ModulePlace& each : modules_of_this_process())
    if (each.module.text.contains(address)) return each.loaded_build_id;
  return {};
}

bool has_code(const detail::ObjectSteps& steps, const LoadedRange& module) {
  const auto is_inside = [&](auto* function) {
    return function == nullptr || module.contains(reinterpret_cast<std::uintptr_t>(function), 1);
  };
  return is_inside(steps.build) && is_inside(steps.discard) && is_inside(steps.exchange) && is_inside(steps.put_back) &&
         is_inside(steps.end_old);
}

EditedClassList classes_of(const EditHeader& header, const LoadedRange& module) {
  EditedClassList classes;
  for (const EditedClass& entry :
       entries_between<EditedClass>(led_to(header.classes), led_to(header.classes_end), module)) {
    for (const char* const text : {entry.name, entry.program_layout, entry.old_layout, entry.layout})
      if (!module.contains(reinterpret_cast<std::uintptr_t>(text), 1)) fail("names lie outside of its file");
    const bool is_power = entry.alignment != 0 && (entry.alignment & (entry.alignment - 1)) == 0;
    if (entry.type == nullptr || entry.pool == nullptr || !is_power || !has_code(entry.forward, module) ||
        !has_code(entry.backward, module))
      fail("table of classes contradicts itself");
    classes.push_back(&entry);
  }
  return classes;
}

std::vector<const NewVariable*> beginnings_of(const EditHeader& header, const LoadedRange& module) {
  std::vector<const NewVariable*> beginnings;
  for (const NewVariable& entry :
       entries_between<NewVariable>(led_to(header.beginnings), led_to(header.beginnings_end), module)) {
    if (!module.contains(reinterpret_cast<std::uintptr_t>(entry.name), 1)) fail("names lie outside of its file");
    const auto begin = reinterpret_cast<std::uintptr_t>(entry.begin);
    if (entry.place == nullptr || (begin != 0 && !module.contains(begin, 1)))
      fail("table of new variables contradicts itself");
    beginnings.push_back(&entry);
  }
  std::ranges::sort(beginnings, {}, [](const NewVariable* each) { return each->number; });
  return beginnings;
}

}  // namespace

Edit read_edit(const void* header) {
  const LoadedRange module = module_of(header);
  if (!module.contains(reinterpret_cast<std::uintptr_t>(header), sizeof(EditHeader))) fail("header is in no file");
  const auto& edit = *static_cast<const EditHeader*>(header);
  if (edit.version != edit_version) fail("tables are of another version of moult; build it again");
  note_edit_module(header);
  return {text_at(led_to(edit.name), module),
          texts_between(led_to(edit.sources), led_to(edit.sources_end), module),
          functions_of(edit, module),
          texts_between(led_to(edit.held), led_to(edit.held_end), module),
          pairs_of(texts_between(led_to(edit.news), led_to(edit.news_end), module)),
          classes_of(edit, module),
          beginnings_of(edit, module),
          {patch_of(texts_between(led_to(edit.patch), led_to(edit.patch_end), module)),
           tree_of(texts_between(led_to(edit.tree), led_to(edit.tree_end), module))},
          build_id_of_module(header),
          base_of(texts_between(led_to(edit.base), led_to(edit.base_end), module)),
          resets_of(edit, module),
          edit.is_permanent != 0};
}

}  // namespace moult::internal
