#include "symbols/value_type.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "symbols/die_attributes.hpp"
#include "symbols/type_name.hpp"

namespace moult::internal {
namespace {

std::optional<Dwarf_Die> written_type_of(Dwarf_Die die) {
  Dwarf_Attribute attribute{};
  Dwarf_Die type{};
  if (dwarf_formref_die(dwarf_attr_integrate(&die, DW_AT_type, &attribute), &type) == nullptr) return std::nullopt;
  return type;
}

/// True for const on the value itself, also through a typedef; not behind a pointer.
bool has_const(const Dwarf_Die& variable) {
  constexpr int deepest = 40;  // a damaged file may have a cycle
  std::optional<Dwarf_Die> type = written_type_of(variable);
  for (int depth = 0; type && depth < deepest; ++depth) {
    const int tag = dwarf_tag(&*type);
    if (tag == DW_TAG_const_type) return true;
    if (tag != DW_TAG_typedef && tag != DW_TAG_volatile_type && tag != DW_TAG_restrict_type) return false;
    type = written_type_of(*type);
  }
  return false;
}

bool is_char(const Dwarf_Die& type) {
  Dwarf_Die entry = type;
  const std::uint64_t encoding = number_of(type, DW_AT_encoding).value_or(0);
  return dwarf_tag(&entry) == DW_TAG_base_type && size_of_type(type) == 1 &&
         (encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char || encoding == DW_ATE_UTF) &&
         plain_name_of(type) != "bool";
}

ValueShape shape_of_number(const Dwarf_Die& type) {
  switch (number_of(type, DW_AT_encoding).value_or(0)) {
    case DW_ATE_boolean: return ValueShape::boolean;
    case DW_ATE_signed: return ValueShape::signed_number;
    case DW_ATE_unsigned: return ValueShape::unsigned_number;
    case DW_ATE_float: return ValueShape::floating;
    case DW_ATE_UTF: return ValueShape::unsigned_number;
    case DW_ATE_signed_char: return is_char(type) ? ValueShape::character : ValueShape::signed_number;
    case DW_ATE_unsigned_char: return is_char(type) ? ValueShape::character : ValueShape::unsigned_number;
    default: return ValueShape::other;
  }
}

ValueShape shape_of(Dwarf_Die type) {
  const auto leads_to_char = [&] {
    const std::optional<Dwarf_Die> target = bare_type_of(type);
    return target && is_char(*target);
  };
  switch (dwarf_tag(&type)) {
    case DW_TAG_base_type: return shape_of_number(type);
    case DW_TAG_enumeration_type: return ValueShape::enumeration;
    case DW_TAG_pointer_type: return leads_to_char() ? ValueShape::text_pointer : ValueShape::pointer;
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type: return ValueShape::pointer;
    case DW_TAG_array_type: return leads_to_char() ? ValueShape::text : ValueShape::other;
    default: return ValueShape::other;
  }
}

void read_enumerators(ValueType& made, const Dwarf_Die& type) {
  for_each_child(type, [&](Dwarf_Die& child) {
    Dwarf_Attribute attribute{};
    Dwarf_Sword number = 0;
    if (dwarf_tag(&child) != DW_TAG_enumerator ||
        dwarf_formsdata(dwarf_attr(&child, DW_AT_const_value, &attribute), &number) != 0)
      return;
    made.enumerators.emplace_back(number, std::string(plain_name_of(child)));
  });
}

std::uint64_t word_of(std::span<const std::byte> bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof word));
  return word;
}

std::int64_t signed_word_of(std::span<const std::byte> bytes) {
  const std::size_t size = std::min(bytes.size(), sizeof(std::uint64_t));
  const unsigned unused = size == 0 ? 0 : 64 - 8 * static_cast<unsigned>(size);
  return static_cast<std::int64_t>(word_of(bytes) << unused) >> unused;
}

template <class T>
T copy_of(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::string floating_text(std::span<const std::byte> bytes) {
  constexpr std::size_t long_double_bytes = 16;
  char text[64];
  int digits = 0;
  if (bytes.size() == sizeof(float))
    digits = std::snprintf(text, sizeof text, "%.9g", static_cast<double>(copy_of<float>(bytes)));
  else if (bytes.size() == sizeof(double))
    digits = std::snprintf(text, sizeof text, "%.17g", copy_of<double>(bytes));
  else if (bytes.size() == long_double_bytes)
    digits = std::snprintf(text, sizeof text, "%.21Lg", copy_of<long double>(bytes));
  return {text, static_cast<std::size_t>(std::max(digits, 0))};
}

void add_escaped(std::string& text, char letter) {
  constexpr std::array<std::pair<char, std::string_view>, 6> escapes{
      {{'\n', "\\n"}, {'\t', "\\t"}, {'\r', "\\r"}, {'\0', "\\0"}, {'"', "\\\""}, {'\\', "\\\\"}}};
  for (const auto& [character, escape] : escapes)
    if (letter == character) {
      text += escape;
      return;
    }
  const auto code = static_cast<unsigned char>(letter);
  constexpr std::string_view digits = "0123456789abcdef";
  if (code >= 0x20 && code < 0x7F)
    text += letter;
  else
    text.append("\\x").append(1, digits[code >> 4U]).append(1, digits[code & 0xFU]);
}

/// The text up to the terminating zero, quoted.
std::string quoted(std::span<const std::byte> bytes, bool is_cut) {
  std::string text = "\"";
  for (const std::byte one : bytes) {
    if (one == std::byte{0}) return text + '"';
    add_escaped(text, static_cast<char>(one));
  }
  return text + (is_cut ? "\"..." : "\"");
}

constexpr std::size_t longest_text = 64;

std::string text_at(std::uint64_t address, const FrameValues& frame) {
  std::vector<std::byte> bytes;
  std::byte one{};
  while (bytes.size() < longest_text && frame.read_memory(address + bytes.size(), {&one, 1})) {
    bytes.push_back(one);
    if (one == std::byte{0}) break;
  }
  if (bytes.empty()) return {};
  return " " + quoted(bytes, bytes.back() != std::byte{0});
}

std::string enumeration_text(const ValueType& type, std::int64_t number) {
  for (const auto& [value, name] : type.enumerators)
    if (value == number) return name + " (" + std::to_string(number) + ")";
  return std::to_string(number);
}

/// The debug information holds an unsigned enumeration's value as memory does.
std::int64_t enumeration_value(const ValueType& type, std::span<const std::byte> bytes) {
  const bool has_negative =
      std::any_of(type.enumerators.begin(), type.enumerators.end(), [](const auto& one) { return one.first < 0; });
  return has_negative ? signed_word_of(bytes) : static_cast<std::int64_t>(word_of(bytes));
}

}  // namespace

ValueType value_type_of(const Dwarf_Die& variable) {
  constexpr std::string_view qualifiers[] = {" const", " volatile", " const", ""};
  ValueType made;
  made.is_const = has_const(variable);
  made.name = type_name_of(variable).value_or("");
  for (const std::string_view qualifier : qualifiers)
    if (made.name.ends_with(qualifier)) made.name.resize(made.name.size() - qualifier.size());
  const std::optional<Dwarf_Die> type = bare_type_of(variable);
  if (!type) return made;
  made.size = size_of_type(*type);
  made.shape = shape_of(*type);
  if (made.shape == ValueShape::enumeration) read_enumerators(made, *type);
  return made;
}

std::string value_text(const ValueType& type, std::span<const std::byte> bytes, const FrameValues& frame) {
  if (bytes.empty()) return {};
  switch (type.shape) {
    case ValueShape::signed_number: return bytes.size() <= 8 ? std::to_string(signed_word_of(bytes)) : "";
    case ValueShape::unsigned_number: return bytes.size() <= 8 ? std::to_string(word_of(bytes)) : "";
    case ValueShape::boolean:
      return word_of(bytes) <= 1 ? (word_of(bytes) != 0 ? "true" : "false") : std::to_string(word_of(bytes));
    case ValueShape::character: {
      std::string text = "'";
      add_escaped(text, static_cast<char>(bytes.front()));
      return text + "' (" + std::to_string(signed_word_of(bytes)) + ")";
    }
    case ValueShape::floating: return floating_text(bytes);
    case ValueShape::enumeration: return enumeration_text(type, enumeration_value(type, bytes));
    case ValueShape::pointer: return hex_text(word_of(bytes));
    case ValueShape::text_pointer: return hex_text(word_of(bytes)) + text_at(word_of(bytes), frame);
    case ValueShape::text: {
      const std::size_t shown = std::min(bytes.size(), longest_text);
      return quoted(bytes.first(shown), shown < bytes.size());
    }
    default: return {};
  }
}

}  // namespace moult::internal
