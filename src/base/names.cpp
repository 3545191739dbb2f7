#include "base/names.hpp"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "moult/error.hpp"

namespace moult::internal {
namespace {

bool is_control(char sign) noexcept {
  const auto byte = static_cast<unsigned char>(sign);
  return byte < 0x20 || byte == 0x7F;
}

std::string demangled_or_same(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                         &std::free);
  constexpr int out_of_memory = -1;
  if (status == out_of_memory) throw std::bad_alloc();
  return status == 0 && text ? text.get() : mangled;
}

}  // namespace

void check_name(std::string_view what, const std::string& name) {
  if (name.empty()) throw Error(ErrorCode::invalid_argument, std::string(what) + " must not be empty");
  if (std::ranges::any_of(name, is_control))
    throw Error(ErrorCode::invalid_argument, std::string(what) + " must not hold control characters");
}

std::string demangle(const std::string& symbol) {
  // Without the prefix the demangler would take "f" for the type float.
  return symbol.starts_with("_Z") ? demangled_or_same(symbol.c_str()) : symbol;
}

std::string name_of_type(const std::type_info& type) { return demangled_or_same(type.name()); }

}  // namespace moult::internal
