#include "symbols/class_names.hpp"
#include "symbols/name_query.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace moult::internal {
namespace {

/// True when `name`, found at `at`, is not a part of a longer name.
bool is_whole(std::string_view text, std::size_t at, std::string_view name) {
  const std::size_t end = at + name.size();
  if (at > 0 && (is_identifier_char(text[at - 1]) || text[at - 1] == ':')) return false;
  if (end == text.size()) return true;
  return text[end] != '<' && !(is_identifier_char(text[end]) && is_identifier_char(name.back()));
}

template <class IsWanted>
std::string replaced(std::string_view text, std::string_view name, std::string_view by, IsWanted&& is_wanted) {
  std::string result;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = text.find(name, at)) != std::string_view::npos; at += name.size()) {
    if (!is_whole(text, at, name) || !is_wanted(at)) continue;
    result += std::string(text.substr(copied, at - copied)) + std::string(by);
    copied = at + name.size();
  }
  return result + std::string(text.substr(copied));
}

bool stands_for_an_address(std::string_view text, std::size_t at, std::size_t length) {
  constexpr std::array<std::string_view, 4> owners{"std::unique_ptr<", "std::shared_ptr<", "std::weak_ptr<",
                                                   "std::default_delete<"};
  const std::string_view before = text.substr(0, at);
  if (std::any_of(owners.begin(), owners.end(), [&](std::string_view owner) { return before.ends_with(owner); }))
    return true;
  std::string_view behind = text.substr(at + length);
  if (behind.starts_with(" const")) behind.remove_prefix(std::string_view(" const").size());
  return behind.starts_with("*") || behind.starts_with("&") || behind.starts_with("::");
}

}  // namespace

std::string renamed(std::string_view text, const ClassName& replacement, const ClassName& old) {
  return replaced(text, replacement.text(), old.text(), [](std::size_t) { return true; });
}

std::string renamed_type(std::string_view text, const ClassName& replacement, const ClassName& old) {
  return replaced(text, replacement.text(), old.text(),
                  [&](std::size_t at) { return stands_for_an_address(text, at, replacement.text().size()); });
}

std::string renamed_member(std::string_view demangled, const ClassName& replacement, const ClassName& old) {
  std::string text = renamed(without_abi_tags(std::string(demangled)), replacement, old);
  const std::string scope = old.text() + "::";
  const std::size_t scope_at = text.find(scope);
  if (scope_at == std::string::npos) return text;
  std::size_t name = scope_at + scope.size();
  if (!replacement.names_constructor_or_destructor(std::string_view(text).substr(name))) return text;
  if (text.compare(name, 1, "~") == 0) ++name;
  return text.replace(name, replacement.identifier().size(), old.identifier());
}

std::string readable(std::string text) {
  constexpr std::array<std::string_view, 2> longs{
      "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >",
      "std::basic_string<char, std::char_traits<char>, std::allocator<char> >"};
  for (const std::string_view name : longs)
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos;)
      text.replace(at, name.size(), "std::string");
  return text.empty() ? "a type without a name" : text;
}

}  // namespace moult::internal
