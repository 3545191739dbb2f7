// Lines are taken from where functions, variables, classes and their members are declared. What lies between two of
// them has moved with the first.
//
// Limits: of several with one name that are not told apart, none is considered. A function that is taken to be on
// another line than it was has changed, as far as moult sees.
#include "diff/moved_lines.hpp"

#include <dwarf.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "code/decoder.hpp"
#include "symbols/place.hpp"

namespace moult::internal::diff {
namespace {

struct Declaration {
  std::string file;
  int line = 0;
  bool is_unique = true;
};

/// The definition of a method has a line of its own, beside that of its declaration.
std::string key_of(Dwarf_Die& declared) {
  Dwarf_Attribute attribute{};
  const char* name = dwarf_formstring(dwarf_attr_integrate(&declared, DW_AT_linkage_name, &attribute));
  if (name == nullptr) name = dwarf_diename(&declared);
  if (name == nullptr) return {};
  const bool is_definition = dwarf_hasattr(&declared, DW_AT_specification) != 0;
  return std::to_string(dwarf_tag(&declared)) + name + (is_definition ? " defined" : "");
}

std::map<std::string, Declaration> declarations_of(const DebugUnit& unit) {
  std::map<std::string, Declaration> declarations;
  visit_all(unit.content, nullptr, [&](Dwarf_Die& die, const Dwarf_Die*) {
    Dwarf_Attribute attribute{};
    Dwarf_Word line = 0;
    const bool has_line = dwarf_formudata(dwarf_attr(&die, DW_AT_decl_line, &attribute), &line) == 0;
    const std::string key = has_line ? key_of(die) : std::string();
    if (key.empty()) return true;
    Declaration found{file_named_by(die, DW_AT_decl_file), static_cast<int>(line)};
    const auto [known, is_new] = declarations.try_emplace(key, found);
    if (!is_new && (known->second.line != found.line || known->second.file != found.file))
      known->second.is_unique = false;
    return true;
  });
  return declarations;
}

/// `# 12 "app.cpp" 2`, in parts.
struct Mark {
  int line = 0;
  std::string file;
  std::string_view flags;
};

std::optional<Mark> mark_in(std::string_view line) {
  if (!line.starts_with("# ")) return std::nullopt;
  Mark mark;
  const auto [end, error] = std::from_chars(line.data() + 2, line.data() + line.size(), mark.line);
  std::string_view rest(end, static_cast<std::size_t>(line.data() + line.size() - end));
  if (error != std::errc() || !rest.starts_with(" \"")) return std::nullopt;
  rest.remove_prefix(2);
  const std::size_t close = rest.find('"');
  if (close == std::string_view::npos) return std::nullopt;
  mark.file = rest.substr(0, close);
  mark.flags = rest.substr(close + 1);
  return mark;
}

std::string text_of(const Mark& mark, int line) { return "# " + std::to_string(line) + " \"" + mark.file + "\""; }

const ObjectSymbol* function_in(const ObjectFile& object, std::string_view name) {
  const auto found = std::ranges::find_if(object.symbols(), [&](const ObjectSymbol& each) {
    return each.section != 0 && each.kind == SymbolKind::function && each.name == name;
  });
  return found == object.symbols().end() ? nullptr : &*found;
}

using Bytes = std::span<const std::uint8_t>;

/// All that differs is in the last bytes of an instruction, where numbers are.
bool is_same_instruction(Bytes a, Bytes b) {
  constexpr std::size_t longest_number = 4;
  const auto first = static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
  const std::size_t front = a.size() > longest_number + 1 ? a.size() - longest_number : 1;
  return first == a.size() || first >= front;
}

bool is_same_code(const ObjectFile& a, const ObjectSymbol& in_a, const ObjectFile& b, const ObjectSymbol& in_b) {
  if (in_a.size != in_b.size) return false;
  const auto relocations_of = [](const ObjectFile& object, const ObjectSymbol& symbol) {
    return object.relocations_of({symbol.section, symbol.value, symbol.value + symbol.size});
  };
  const auto is_alike = [&](const Relocation& one, const Relocation& other) {
    return one.offset - in_a.value == other.offset - in_b.value && one.type == other.type;
  };
  if (!std::ranges::equal(relocations_of(a, in_a), relocations_of(b, in_b), is_alike)) return false;
  const Bytes code_a = a.sections()[in_a.section].bytes.subspan(in_a.value, in_a.size);
  const Bytes code_b = b.sections()[in_b.section].bytes.subspan(in_b.value, in_b.size);
  for (std::size_t at = 0; at < code_a.size();) {
    const std::optional<Instruction> one = decode(code_a.subspan(at), CodeAddress{at});
    const std::optional<Instruction> other = decode(code_b.subspan(at), CodeAddress{at});
    if (!one || !other || one->length != other->length) return false;
    if (!is_same_instruction(code_a.subspan(at, one->length), code_b.subspan(at, one->length))) return false;
    at += one->length;
  }
  return true;
}

}  // namespace

bool has_same_instructions(const ObjectFile& a, const ObjectFile& b, std::string_view symbol) {
  const ObjectSymbol* const in_a = function_in(a, symbol);
  const ObjectSymbol* const in_b = function_in(b, symbol);
  if (in_a == nullptr || in_b == nullptr || !is_same_code(a, *in_a, b, *in_b)) return false;
  const ObjectSymbol* const cold_a = a.cold_part_of(symbol);
  const ObjectSymbol* const cold_b = b.cold_part_of(symbol);
  if (cold_a == nullptr || cold_b == nullptr) return cold_a == cold_b;
  return is_same_code(a, *cold_a, b, *cold_b);
}

MovedLines moved_lines(const DebugUnit& old, const DebugUnit& fresh) {
  const std::map<std::string, Declaration> before = declarations_of(old);
  MovedLines moved;
  bool has_moved = false;
  for (const auto& [key, now] : declarations_of(fresh)) {
    const auto known = before.find(key);
    if (known == before.end() || !known->second.is_unique || !now.is_unique) continue;
    if (known->second.file != now.file || now.file.starts_with("/usr/")) continue;
    moved[now.file][now.line] = known->second.line - now.line;
    has_moved |= known->second.line != now.line;
  }
  if (!has_moved) moved.clear();
  return moved;
}

std::string with_old_lines(std::string_view text, const MovedLines& moved,
                           const std::function<std::string(const std::string&)>& name_of) {
  std::string result;
  std::map<std::string, const std::map<int, int>*> files;  // by the names in marks; null: not moved
  const std::map<int, int>* file = nullptr;
  Mark mark;
  int distance = 0;  // that the compiler counts with
  const auto distance_at = [&](int line) {
    const auto behind = file->upper_bound(line);
    const int found = behind == file->begin() ? behind->second : std::prev(behind)->second;
    return std::max(found, 1 - line);
  };
  for (int line = 0; !text.empty();) {
    const std::string_view whole = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(whole.size());
    if (std::optional<Mark> next = mark_in(whole)) {
      mark = *std::move(next);
      const auto [known, is_new] = files.try_emplace(mark.file, nullptr);
      const auto found = is_new ? moved.find(name_of(mark.file)) : moved.end();
      if (found != moved.end()) known->second = &found->second;
      file = known->second;
      line = mark.line;
      distance = file == nullptr ? 0 : distance_at(line);
      result.append(text_of(mark, line + distance)).append(mark.flags);
      continue;
    }
    if (file != nullptr && distance_at(line) != distance) {
      distance = distance_at(line);
      result.append(text_of(mark, line + distance)).append("\n");
    }
    result.append(whole);
    ++line;
  }
  return result;
}

}  // namespace moult::internal::diff
