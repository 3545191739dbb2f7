#include "symbols/name_query.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace moult::internal {
namespace {

constexpr std::string_view unnamed_scope = "(anonymous namespace)::";

bool opens(char c) { return c == '<' || c == '(' || c == '{' || c == '['; }
bool closes(char c) { return c == '>' || c == ')' || c == '}' || c == ']'; }

/// True where the keyword `operator` begins, not a name that contains it.
bool operator_at(std::string_view text, std::size_t at) {
  constexpr std::string_view keyword = "operator";
  if (text.substr(at, keyword.size()) != keyword) return false;
  if (at > 0 && is_identifier_char(text[at - 1])) return false;
  return at + keyword.size() < text.size() && !is_identifier_char(text[at + keyword.size()]);
}

/// The end of an operator's symbol, as in "operator<<"; `at` is where `operator` begins. Its brackets enclose nothing.
/// Nothing for "operator new" and for conversions, whose types belong to the name.
std::optional<std::size_t> end_of_operator(std::string_view text, std::size_t at) {
  constexpr std::string_view symbols[] = {
      "<=>", "->*", "<<=", ">>=", "()", "[]", "->", "<<", ">>", "<=", ">=", "<",  ">",
      "==",  "!=",  "&&",  "||",  "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "&=",
      "|=",  "+",   "-",   "*",   "/",  "%",  "^",  "&",  "|",  "~",  "!",  "=",  ","};
  const std::size_t symbol = at + std::string_view("operator").size();
  for (const std::string_view one : symbols)
    if (text.substr(symbol).starts_with(one)) return symbol + one.size();
  return std::nullopt;
}

std::string without(std::string text, std::string_view part) {
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

/// Removes spaces that do not separate two words: "f<int, g<int> >" becomes "f<int,g<int>>".
std::string squeeze(std::string_view text) {
  std::string squeezed;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_between = i > 0 && i + 1 < text.size();
    const bool separates =
        is_between && (is_identifier_char(text[i - 1]) ? is_identifier_char(text[i + 1]) || text[i + 1] == '('
                                                       : text[i - 1] == '>' && is_identifier_char(text[i + 1]));
    if (text[i] != ' ' || separates) squeezed += text[i];
  }
  return squeezed;
}

/// The end of the bracket that opens at `open`, behind it; npos when it is not closed.
std::size_t end_of_brackets(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t at = open; at < text.size(); ++at) {
    if (opens(text[at])) ++depth;
    if (closes(text[at]) && --depth == 0) return at + 1;
  }
  return std::string_view::npos;
}

/// "a", "b<c,d>" of "a,b<c,d>".
std::vector<std::string_view> split_arguments(std::string_view text) {
  std::vector<std::string_view> arguments;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (opens(text[at])) ++depth;
    if (closes(text[at])) --depth;
    if (text[at] != ',' || depth != 0) continue;
    arguments.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  arguments.push_back(text.substr(begin));
  return arguments;
}

/// True for an argument that a template of the standard library has by default.
bool is_default(const std::vector<std::string_view>& arguments) {
  const std::string first(arguments.front());
  const std::string_view last = arguments.back();
  for (const char* name : {"allocator", "char_traits", "default_delete", "less", "hash", "equal_to"})
    if (last == "std::" + std::string(name) + "<" + first + ">") return true;
  return last == "std::allocator<std::pair<" + first + " const," + std::string(arguments[1]) + ">>";
}

/// The arguments without those at the end that are default ones, joined.
std::string without_defaults(std::vector<std::string_view> arguments) {
  while (arguments.size() > 1 && is_default(arguments)) arguments.pop_back();
  std::string text;
  for (const std::string_view argument : arguments) text += (text.empty() ? "" : ",") + std::string(argument);
  return text;
}

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += by.size())
    text.replace(at, part.size(), by);
  return text;
}

/// `text` has no insignificant spaces, and no "std::__cxx11::".
std::string with_short_templates(std::string_view text) {
  std::string short_text;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t open = text.find('<', at);
    const std::size_t end = open == std::string_view::npos ? open : end_of_brackets(text, open);
    if (end == std::string_view::npos) break;
    short_text += text.substr(at, open - at);
    const std::string inside = with_short_templates(text.substr(open + 1, end - open - 2));
    std::size_t name = short_text.size();
    while (name > 0 && (is_identifier_char(short_text[name - 1]) || short_text[name - 1] == ':')) --name;
    const bool is_standard = std::string_view(short_text).substr(name).starts_with("std::");
    short_text += "<" + (is_standard ? without_defaults(split_arguments(inside)) : inside) + ">";
    at = end;
  }
  return short_text + std::string(text.substr(at));
}

std::string without_template_arguments(std::string_view name) {
  std::string plain;
  int depth = 0;
  for (const char c : name) {
    if (c == '<') ++depth;
    if (depth == 0) plain += c;
    if (c == '>') --depth;
  }
  return plain;
}

std::string_view without_qualifiers(std::string_view text) {
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view qualifier : {" const", " volatile", " &&", " &", "&&", "&"}) {
      if (text.size() > qualifier.size() && text.substr(text.size() - qualifier.size()) == qualifier) {
        text.remove_suffix(qualifier.size());
        again = true;
      }
    }
  }
  return text;
}

std::string_view without_clone_suffix(std::string_view demangled) {
  return demangled.substr(0, demangled.find(" [clone "));
}

std::string_view without_parameters(std::string_view text) {
  const std::string_view bare = without_qualifiers(text);
  if (bare.empty() || bare.back() != ')') return text;
  int depth = 0;
  for (std::size_t at = bare.size(); at-- > 0;) {
    if (bare[at] == ')') ++depth;
    if (bare[at] == '(' && --depth == 0) return bare.substr(0, at);
  }
  return text;
}

/// The same for a user's input, where the "()" of "operator()" may be part of the name.
std::string_view without_own_parameters(std::string_view text) {
  constexpr std::string_view keyword = "operator";
  const std::string_view bare = without_parameters(text);
  const bool is_call_operator = bare.size() >= keyword.size() && operator_at(text, bare.size() - keyword.size());
  return bare.empty() || is_call_operator ? text : bare;
}

/// Only instances of templates are demangled with a result type in front.
std::string_view without_result(std::string_view text) {
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (operator_at(text, at)) {
      if (depth == 0) break;
      if (const std::optional<std::size_t> end = end_of_operator(text, at)) {
        at = *end - 1;
        continue;
      }
    }
    if (opens(text[at])) ++depth;
    if (closes(text[at])) --depth;
    if (depth == 0 && text[at] == ' ') begin = at + 1;
  }
  return text.substr(begin);
}

/// The begin of the last component of a qualified name: after the last "::" outside of brackets, or before `operator`.
std::size_t last_component(std::string_view name) {
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (operator_at(name, at)) {
      if (depth == 0) begin = at;
      if (const std::optional<std::size_t> end = end_of_operator(name, at)) {
        at = *end - 1;
        continue;
      }
      if (depth == 0) return at;
    }
    if (opens(name[at])) ++depth;
    if (closes(name[at])) --depth;
    if (depth == 0 && name.substr(at, 2) == "::") begin = at + 2;
  }
  return begin;
}

/// The identifier of a component with its length in front, as in a mangled name; empty for operators and the like.
std::string needle_of(std::string_view component) {
  if (!component.empty() && component.front() == '~') component.remove_prefix(1);
  std::size_t length = 0;
  while (length < component.size() && is_identifier_char(component[length])) ++length;
  const bool plain = length > 0 && (length == component.size() || component[length] == '<');
  return plain ? std::to_string(length) + std::string(component.substr(0, length)) : std::string();
}

/// Of an operator or a lambda, that of the innermost scope with an identifier. The scopes of the standard library have
/// other names in mangled ones ("St", "12basic_string").
std::string needle_of_name(std::string_view name) {
  for (std::string_view rest = name;;) {
    const std::size_t last = last_component(rest);
    if (!operator_at(rest, last)) {
      std::string needle = needle_of(without_own_parameters(rest.substr(last)));
      if (!needle.empty()) return needle;
    }
    if (last < 2 || name.starts_with("std::")) return {};
    rest = rest.substr(0, last - 2);
  }
}

/// The position of the colon in "a.cpp:f": a single one behind a name with a dot.
std::size_t source_length(std::string_view text) {
  for (std::size_t at = 1; at + 1 < text.size(); ++at) {
    if (text[at] != ':') continue;
    const bool single = text[at + 1] != ':' && text[at - 1] != ':';
    return single && text.substr(0, at).find('.') != std::string_view::npos ? at : 0;
  }
  return 0;
}

/// True for the mangled names of functions in classes, functions and namespaces with a name.
bool is_in_named_scope(std::string_view mangled) {
  return mangled.starts_with("_ZZ") || mangled.starts_with("_ZSt") ||
         (mangled.starts_with("_ZN") && mangled.find("_GLOBAL__N") == std::string_view::npos);
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::string_view qualified_name(std::string_view demangled) {
  const std::string_view text = without_clone_suffix(demangled);
  std::string_view name = without_result(without_parameters(text));
  // A result that is a pointer to a function surrounds the name: "void (*f<int>(int))(char)".
  while (name.size() > 3 && name.front() == '(' && (name[1] == '*' || name[1] == '&') && name.back() == ')') {
    name = without_parameters(name.substr(2, name.size() - 3));
  }
  return name;
}

bool has_name(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if ((at == 0 || !is_identifier_char(text[at - 1])) && (end == text.size() || !is_identifier_char(text[end])))
      return true;
  }
  return false;
}

std::string without_abi_tags(std::string text) {
  for (std::size_t at = 0; (at = text.find("[abi:", at)) != std::string::npos;) {
    const std::size_t end = text.find(']', at);
    if (end == std::string::npos) break;
    text.erase(at, end - at + 1);
  }
  return text;
}

std::string as_written(std::string_view name) {
  std::string text = squeeze(name);
  if (text.find("std::") == std::string::npos) return text;
  text = with_short_templates(replaced(std::move(text), "std::__cxx11::", "std::"));
  text = replaced(std::move(text), "std::basic_string<char>", "std::string");
  return replaced(std::move(text), "std::basic_string_view<char>", "std::string_view");
}

std::string without_unnamed_namespaces(std::string text) { return without(std::move(text), unnamed_scope); }

std::string_view scope_of(std::string_view qualified) {
  const std::size_t last = last_component(qualified);
  return qualified.substr(0, last < 2 ? 0 : last - 2);
}

std::string_view last_name_of(std::string_view qualified) { return qualified.substr(last_component(qualified)); }

std::string_view plain_last_name(std::string_view demangled) {
  const std::string_view last = last_name_of(qualified_name(demangled));
  return last.substr(0, last.find_first_of("<["));
}

NameQuery::NameQuery(std::string_view text) {
  const std::size_t source = source_length(text);
  if (source > 0) {
    source_ = text.substr(0, source);
    text.remove_prefix(source + 1);
  }
  if (text.substr(0, 2) == "::") text.remove_prefix(2);
  is_mangled_ = text.substr(0, 2) == "_Z";
  name_ = is_mangled_ ? std::string(text) : as_written(without_abi_tags(std::string(text)));
  const std::string qualified = as_written(without_abi_tags(std::string(without_own_parameters(text))));
  names_parameters_ = qualified.size() < name_.size();
  names_anonymous_ = name_.find(unnamed_scope) != std::string::npos;
  may_be_loose_ = qualified.find('<') == std::string::npos && qualified.find("operator") == std::string::npos;
  needle_ = needle_of_name(qualified);
  has_scope_ = !scope_of(qualified).empty();
  std::string_view own = last_name_of(qualified);
  if (own.starts_with('~')) own.remove_prefix(1);
  is_operator_ = operator_at(own, 0);
  has_own_identifier_ = is_mangled_ || (!is_operator_ && !identifier().empty() && own.starts_with(identifier()));
}

bool NameQuery::may_fit(std::string_view mangled) const {
  if (mangled.substr(0, 2) != "_Z") return mangled == name_;
  if (is_mangled_) return mangled == name_;
  return mangled.find(needle_) != std::string_view::npos && (has_scope_ || !is_in_named_scope(mangled));
}

bool NameQuery::may_fit_plain(std::string_view name) const {
  if (is_mangled_ || (is_operator_ && !name.starts_with("operator"))) return false;
  // As if it were mangled: "1f" of f.
  return (std::to_string(name.size()).ends_with(length_in_mangled()) && name.starts_with(identifier())) ||
         name.find(needle_) != std::string_view::npos;
}

NameQuery NameQuery::in_any_source() const {
  NameQuery query = *this;
  query.source_.clear();
  return query;
}

std::optional<NameQuery> NameQuery::around_lambda() const {
  const std::size_t begin = name_.rfind("::{lambda(");
  if (is_mangled_ || begin == std::string::npos || name_.find("}::operator()", begin) == std::string::npos)
    return std::nullopt;
  NameQuery query(std::string_view(name_).substr(0, begin));
  query.source_ = source_;
  return query;
}

std::string_view NameQuery::identifier() const noexcept {
  if (is_mangled_) return name_;
  const std::size_t begin = needle_.find_first_not_of("0123456789");
  return begin == std::string::npos ? std::string_view() : std::string_view(needle_).substr(begin);
}

std::string_view NameQuery::length_in_mangled() const noexcept {
  return is_mangled_ ? std::string_view() : std::string_view(needle_).substr(0, needle_.size() - identifier().size());
}

bool NameQuery::fits_source(std::string_view source) const {
  return source_.empty() || (!source.empty() && file_name(source) == file_name(source_));
}

NameQuery::Fit NameQuery::fit(std::string_view mangled, const std::string& demangled) const {
  if (mangled == name_) return Fit::exact;
  if (is_mangled_) return Fit::none;
  const std::string_view qualified = qualified_name(demangled);
  const std::string_view text(demangled);
  const std::size_t begin = static_cast<std::size_t>(qualified.data() - text.data());
  std::string candidate(names_parameters_ ? without_clone_suffix(text.substr(begin)) : qualified);
  candidate = without_abi_tags(std::move(candidate));
  if (!names_anonymous_) candidate = without(std::move(candidate), unnamed_scope);
  candidate = as_written(candidate);
  if (candidate == name_) return Fit::exact;
  return may_be_loose_ && without_template_arguments(candidate) == name_ ? Fit::loose : Fit::none;
}

namespace {

std::size_t typos_allowed(std::size_t length) { return length < 3 ? 0 : length < 6 ? 1 : length < 12 ? 2 : 3; }

}  // namespace

std::size_t typos_between(std::string_view one, std::string_view other) {
  // Three rows of the table: the cost of each letter of `one` depends on the two before it.
  std::vector<std::size_t> before_last;
  std::vector<std::size_t> last(other.size() + 1);
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t j = 0; j < last.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t mistaken = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, mistaken});
      const bool are_swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
      if (are_swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last.back();
}

bool are_near(std::string_view one, std::string_view other) {
  const std::size_t allowed = typos_allowed(std::max(one.size(), other.size()));
  const std::size_t difference = one.size() > other.size() ? one.size() - other.size() : other.size() - one.size();
  return difference <= allowed && typos_between(one, other) <= allowed;
}

}  // namespace moult::internal
