#include <cxxabi.h>

#include <cstdlib>
#include <memory>

#include "symbols/program.hpp"

namespace moult::symbols {

std::string demangle(const std::string& mangled) {
  // Without the prefix the demangler would take "f" for the type float.
  if (mangled.rfind("_Z", 0) != 0) return mangled;
  struct Free {
    void operator()(char* text) const noexcept { std::free(text); }
  };
  int status = 0;
  const std::unique_ptr<char, Free> text(abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status));
  return status == 0 && text ? text.get() : mangled;
}

}  // namespace moult::symbols
