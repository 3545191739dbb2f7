#include "symbols/similar_name.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <system_error>

#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

bool is_similar(std::string_view name, std::string_view identifier) {
  return name.find(identifier) != std::string_view::npos || are_near(name, identifier);
}

/// True for functions of the standard library and of moult.
bool is_of_headers(std::string_view mangled) {
  constexpr std::string_view scopes[] = {"St", "Sa", "Ss",         "Sb",           "Si",
                                         "So", "Sd", "9__gnu_cxx", "10__cxxabiv1", "5moult"};
  if (!mangled.starts_with("_Z")) return mangled.starts_with('_');
  mangled.remove_prefix(2);
  while (mangled.starts_with('Z')) mangled.remove_prefix(1);
  if (mangled.starts_with('N')) mangled.remove_prefix(1);
  while (!mangled.empty() && std::string_view("KVRO").find(mangled.front()) != std::string_view::npos)
    mangled.remove_prefix(1);
  return std::any_of(std::begin(scopes), std::end(scopes),
                     [mangled](std::string_view scope) { return mangled.starts_with(scope); });
}

/// Calls `is_it(identifier)` for the identifiers in a mangled name ("1f" stands for f), until it returns true.
template <class IsIt>
bool any_identifier(std::string_view mangled, const IsIt& is_it) {
  if (!mangled.starts_with("_Z")) return is_it(mangled);
  for (std::size_t at = 2; at < mangled.size();) {
    std::size_t length = 0;
    const char* const begin = mangled.data() + at;
    const auto [end, error] = std::from_chars(begin, mangled.data() + mangled.size(), length);
    at += error == std::errc() ? static_cast<std::size_t>(end - begin) : 1;
    if (error != std::errc() || length == 0 || length > mangled.size() - at) continue;
    if (is_it(mangled.substr(at, length))) return true;
    at += length;
  }
  return false;
}

}  // namespace

bool SimilarName::may_fit(std::string_view mangled) {
  return !is_of_headers(mangled) && any_identifier(mangled, [this](std::string_view part) {
    const auto [found, is_new] = known_.try_emplace(part, false);
    if (is_new) found->second = is_similar(part, identifier_);
    return found->second;
  });
}

bool SimilarName::fits(std::string_view demangled) const { return is_similar(plain_last_name(demangled), identifier_); }

}  // namespace moult::internal
