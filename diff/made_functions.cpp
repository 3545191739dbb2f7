#include "diff/made_functions.hpp"

namespace moult::internal::diff {

bool is_start_code(std::string_view symbol) noexcept {
  return symbol.starts_with("_GLOBAL__") || symbol.starts_with("__cxx_global_var_init") ||
         symbol.find("__static_initialization_and_destruction") != std::string_view::npos;
}

bool is_of_added_code(std::string_view function) noexcept {
  const std::string_view scope = function.substr(0, function.find('<'));
  return function.find("moult_begin_") != std::string_view::npos ||
         scope.find("moult::detail::") != std::string_view::npos;
}

}  // namespace moult::internal::diff
