// type_info objects for types of code that was compiled without RTTI, made from their mangled names. The library makes
// them, and not the code itself, so that they can be looked into as any (dynamic_cast): they describe no bases.
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.hpp"
#include "base/guarded.hpp"
#include "moult/detail/type_of.hpp"

namespace moult {
namespace {

class NamedType final : public std::type_info {
 public:
  /// The name must live as long.
  explicit NamedType(const char* name) : std::type_info(name) {}
};

using Types = std::map<std::pair<std::string, const void*>, const NamedType*>;

/// Never destroyed: objects with static storage duration use types.
internal::Guarded<Types>& known_types() {
  static internal::Guarded<Types>& made = *new internal::Guarded<Types>;
  return made;
}

/// "1A" of "_Z17moult_type_markerP1A" and of "_Z17moult_type_markerP1A.lto_priv.0".
std::string_view type_in(std::string_view marker) {
  constexpr std::string_view beginning = "_Z17moult_type_markerP";
  MOULT_CHECK(marker.starts_with(beginning), "the compiler wrote another name than that of moult_type_marker");
  return marker.substr(beginning.size(), marker.find('.') - beginning.size());
}

}  // namespace

namespace detail::inline MOULT_ABI_NAMESPACE {

const std::type_info& type_of_marker(const char* marker, const void* place) {
  const std::string_view name = type_in(marker);
  // As compilers have it: the name of such a type is equal to itself only, by its address.
  const bool is_of_one_file = name.find("_GLOBAL__N_") != std::string_view::npos;
  std::pair<std::string, const void*> key((is_of_one_file ? "*" : "") + std::string(name),
                                          is_of_one_file ? place : nullptr);
  return known_types().with([&](Types& types) -> const std::type_info& {
    const auto [found, is_new] = types.try_emplace(std::move(key), nullptr);
    if (is_new) found->second = new NamedType(found->first.first.c_str());
    return *found->second;
  });
}

}  // namespace detail::inline MOULT_ABI_NAMESPACE
}  // namespace moult
