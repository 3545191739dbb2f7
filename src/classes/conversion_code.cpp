// How: a converter is moult's template TypedConverter, whose last argument is the transformer's type: a pointer to a
// function, which any function of that signature fits; a lambda or another class, whose call operator it is; or a
// std::function, whose holder has what it calls as its last argument in turn.
#include "classes/conversion_code.hpp"

#include <algorithm>
#include <array>

#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

constexpr std::string_view converter = "moult::detail::TypedConverter<";

bool begins_with_one_of(std::string_view name, const auto& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [name](std::string_view beginning) { return name.substr(0, beginning.size()) == beginning; });
}

/// Templates that are compiled with an update and run for its conversions. What stands in for a constructor or a
/// destructor is none of them: calls of the program come to that.
bool is_of_moult(std::string_view name) {
  constexpr std::array<std::string_view, 9> templates{converter,
                                                      "moult::detail::make_converter<",
                                                      "moult::detail::make_conversion<",
                                                      "moult::detail::class_pairing<",
                                                      "moult::ConversionOptions<",
                                                      "moult::EagerConversionUpdate<",
                                                      "moult::LazyConversionUpdate<",
                                                      "moult::start_eager_update<",
                                                      "moult::start_lazy_update<"};
  return begins_with_one_of(name, templates);
}

/// What the standard library hands such a call on with. Whoever else uses it mentions the class by itself.
bool is_passing_on(std::string_view name) {
  constexpr std::array<std::string_view, 3> templates{"std::invoke<", "std::invoke_r<", "std::__invoke"};
  return begins_with_one_of(name, templates);
}

/// "Data (Data_v2 const&)" of "...<..., std::function<Data (Data_v2 const&)> >::build(...)"; "" when it has none.
std::string signature_in(std::string_view name) {
  constexpr std::string_view function = ", std::function<";
  const std::size_t found = name.find(function);
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + function.size();
  int depth = 1;
  for (std::size_t at = begin; at < name.size(); ++at) {
    if (name[at] == '<') ++depth;
    if (name[at] == '>' && --depth == 0) return std::string(name.substr(begin, at - begin));
  }
  return {};
}

/// As a whole last argument of a template.
bool is_last_argument(std::string_view name, std::string_view type) {
  const std::string written = ", " + std::string(type) + (type.back() == '>' ? " >" : ">");
  return name.find(written) != std::string_view::npos;
}

}  // namespace

ConversionCode::ConversionCode(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (qualified_name(name).substr(0, converter.size()) != converter) continue;
    holders_.push_back(name);
    if (std::string signature = signature_in(name); !signature.empty()) signatures_.insert(std::move(signature));
  }
  for (const std::string& name : names)
    for (const std::string& signature : signatures_)
      if (name.find("std::_Function_handler<" + signature + ", ") != std::string::npos) holders_.push_back(name);
}

bool ConversionCode::has(const NamedFunction& function) const {
  const std::string_view name = qualified_name(function.demangled);
  if (is_of_moult(name) || is_passing_on(name)) return true;
  if (name == "moult_update_entry") return true;
  if (name.substr(0, 5) == "std::") {
    const std::string& all = function.demangled;
    const bool is_around_converter = all.find(converter) != std::string::npos ||
                                     all.find("moult::EagerConversionUpdate<") != std::string::npos ||
                                     all.find("moult::LazyConversionUpdate<") != std::string::npos;
    return is_around_converter || std::any_of(signatures_.begin(), signatures_.end(), [&](const std::string& each) {
             return all.find("std::function<" + each + ">") != std::string::npos ||
                    all.find("std::_Function_handler<" + each + ", ") != std::string::npos;
           });
  }
  constexpr std::string_view call = "::operator()";
  const std::size_t operation = function.demangled.rfind(call);
  if (operation != std::string::npos && operation != 0)
    return is_transformer(std::string_view(function.demangled).substr(0, operation));
  if (function.result.empty() || function.parameters.empty()) return false;
  return signatures_.contains(function.result + " " + function.parameters) ||
         is_transformer(function.result + " (*)" + function.parameters);
}

bool ConversionCode::is_transformer(std::string_view callable) const {
  return std::any_of(holders_.begin(), holders_.end(),
                     [callable](const std::string& holder) { return is_last_argument(holder, callable); });
}

}  // namespace moult::internal
