#include "symbols/class_name.hpp"

#include <algorithm>
#include <utility>

#include "base/names.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {

ClassName::ClassName(std::string demangled) : text_(std::move(demangled)) {
  const std::string_view last = last_name_of(text_);
  scope_size_ = text_.size() - last.size();
  // The arguments in "{lambda(Box<int>)#1}" are those of a parameter.
  identifier_size_ = last.starts_with('{') ? last.size() : std::min(last.find('<'), last.size());
}

ClassName::ClassName(const std::type_info& type) : ClassName(name_of_type(type)) {}

std::string ClassName::as_argument_of(std::string_view function_template) const {
  return std::string(function_template) + "<" + text_ + (text_.ends_with('>') ? " >" : ">");
}

bool ClassName::names_constructor_or_destructor(std::string_view member) const {
  if (member.starts_with('~')) member.remove_prefix(1);
  if (!member.starts_with(identifier())) return false;
  // Template arguments, parameters or an ABI tag may follow.
  const std::string_view rest = member.substr(identifier_size_);
  return rest.empty() || rest.front() == '<' || rest.front() == '(' || rest.front() == '[';
}

std::string ClassName::mangled_part_of_members() const {
  // The mangled names of the standard library abbreviate its own classes.
  const bool is_spelled_out = !text_.starts_with("std::") && std::ranges::all_of(identifier(), is_identifier_char);
  return is_spelled_out && identifier_size_ > 0 ? std::to_string(identifier_size_) + std::string(identifier())
                                                : std::string();
}

}  // namespace moult::internal
