// g++ keeps inline functions with a flag of its own. clang's -femit-all-decls makes their code, and its optimiser then
// drops what nothing uses: an inline function has a linkage (linkonce_odr) that permits it. `used` would forbid it, but
// clang attaches it to no function by a flag or a pragma; `annotate`, which it attaches, does not keep constructors.
//
// So the optimiser gets another linkage: weak_odr, which is the same but for that permission. Functions are inlined and
// optimised as before. A class in an unnamed namespace has internal methods; these become weak_odr and hidden, which
// the linker makes local symbols again. Definitions begin a line, and quoted text holds no line's end.
#include "kept_functions.hpp"

#include <algorithm>

namespace moult::internal::cli {
namespace {

constexpr std::string_view inline_function = "define linkonce_odr ";
constexpr std::string_view internal_function = "define internal ";

/// "_ZN1A1fEv" of "define internal void @_ZN1A1fEv(...": in a namespace or class, so perhaps a method.
bool is_in_a_scope(std::string_view definition) {
  const std::string_view name = definition.substr(std::min(definition.find('@'), definition.size()));
  return name.starts_with("@_ZN");
}

std::string with_function_kept(std::string_view line) {
  if (line.starts_with(inline_function)) return "define weak_odr " + std::string(line.substr(inline_function.size()));
  if (line.starts_with(internal_function) && is_in_a_scope(line))
    return "define weak_odr hidden " + std::string(line.substr(internal_function.size()));
  return std::string(line);
}

}  // namespace

std::string with_functions_kept(std::string_view assembly) {
  std::string result;
  while (!assembly.empty()) {
    const std::size_t size = std::min(assembly.find('\n'), assembly.size() - 1) + 1;
    result += with_function_kept(assembly.substr(0, size));
    assembly.remove_prefix(size);
  }
  return result;
}

}  // namespace moult::internal::cli
