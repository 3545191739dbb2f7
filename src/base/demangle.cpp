#include "base/demangle.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace moult::internal {
namespace {

std::string demangled_or_same(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 && text ? text.get() : mangled;
}

}  // namespace

std::string demangle(const std::string& symbol) {
  // Without the prefix the demangler would take "f" for the type float.
  return symbol.starts_with("_Z") ? demangled_or_same(symbol.c_str()) : symbol;
}

std::string name_of_type(const std::type_info& type) { return demangled_or_same(type.name()); }

}  // namespace moult::internal
