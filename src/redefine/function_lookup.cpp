// Functions by their demangled name, and virtual functions by their place in the vtable.
#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moult/error.hpp"
#include "moult/relinking.hpp"
#include "symbols/program.hpp"

namespace moult {
namespace {

using symbols::FunctionSymbol;

struct Signature {
  std::string result;      ///< "int"; empty where the name does not tell
  std::string parameters;  ///< "(int, char const*)"; empty for a C function
};

/// Where the parenthesis that closes at `close` was opened.
std::size_t opening_of(std::string_view text, std::size_t close) {
  int depth = 0;
  for (std::size_t at = close + 1; at-- > 0;) {
    if (text[at] == ')') ++depth;
    if (text[at] == '(' && --depth == 0) return at;
  }
  return std::string_view::npos;
}

/// The last parenthesised group, as a demangled function or function type has it: "int (int)", "ns::f(int) const".
Signature split(std::string_view demangled) {
  std::size_t close = demangled.rfind(')');
  if (close == std::string_view::npos) return {};
  std::size_t open = opening_of(demangled, close);
  if (open == std::string_view::npos) return {};
  std::string_view result = demangled.substr(0, open);
  while (result.ends_with(' ')) result.remove_suffix(1);
  return {std::string(result), std::string(demangled.substr(open, close + 1 - open))};
}

/// The type's name as the demangler writes it: "int (int)".
std::string type_name(const std::type_info& type) {
  std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr),
                                                   &std::free);
  return text == nullptr ? type.name() : text.get();
}

std::string describe(const FunctionSymbol& function) {
  std::string text = function.demangled + " in " + (function.source.empty() ? function.module : function.source);
  if (function.range.size() == 0) text += " (only its clones are left: " + function.clones.front() + ")";
  return text;
}

std::string list(const std::vector<FunctionSymbol>& functions) {
  std::string text;
  for (const FunctionSymbol& function : functions) text += (text.empty() ? "" : "; ") + describe(function);
  return text;
}

[[noreturn]] void throw_not_found(const symbols::Program& program, std::string_view name) {
  std::string text = std::string(name) + ": no function of that name has a symbol";
  std::string_view last = name.substr(name.rfind(':') == std::string_view::npos ? 0 : name.rfind(':') + 1);
  std::vector<FunctionSymbol> similar = program.search(last, 5);
  text += similar.empty() ? "; is it inlined everywhere, or the program stripped?" : "; there are " + list(similar);
  throw Error(ErrorCode::not_found, text);
}

/// Several modules may define the same function; calls reach the first, as the loader searches them.
void keep_first_of_each(std::vector<FunctionSymbol>& functions) {
  std::vector<FunctionSymbol> kept;
  for (FunctionSymbol& function : functions) {
    bool is_shadowed = std::any_of(kept.begin(), kept.end(), [&function](const FunctionSymbol& other) {
      return !function.is_local && !other.is_local && other.mangled == function.mangled;
    });
    if (!is_shadowed) kept.push_back(std::move(function));
  }
  functions = std::move(kept);
}

void require_result(const symbols::Program& program, const FunctionSymbol& function, const Signature& wanted) {
  std::optional<std::string> result = program.result_type(function);
  if (result && *result != wanted.result)
    throw Error(ErrorCode::signature_mismatch, function.demangled + " returns " + *result + ", not " + wanted.result +
                                                   "; ask for it with its own signature");
}

}  // namespace

namespace detail {

const void* find_function(std::string_view name, const std::type_info& signature) {
  symbols::Program program = symbols::Program::of_this_process();
  std::vector<FunctionSymbol> named = program.find(name);
  if (named.empty()) throw_not_found(program, name);
  Signature wanted = split(type_name(signature));
  std::vector<FunctionSymbol> fitting;
  for (const FunctionSymbol& function : named) {
    std::string parameters = split(function.demangled).parameters;
    if (parameters.empty() || parameters == wanted.parameters) fitting.push_back(function);
  }
  if (fitting.empty())
    throw Error(ErrorCode::signature_mismatch,
                std::string(name) + ": none has the parameters " + wanted.parameters + "; there are " + list(named));
  keep_first_of_each(fitting);
  if (fitting.size() > 1)
    throw Error(ErrorCode::ambiguous,
                std::string(name) + " fits " + std::to_string(fitting.size()) + " functions: " + list(fitting) +
                    "; name the namespace, or put the source file in front (file.cpp:" + std::string(name) + ")");
  if (fitting.front().range.size() == 0)
    throw Error(ErrorCode::inlined, describe(fitting.front()) + "; mark it MOULT_UPDATABLE and build again");
  require_result(program, fitting.front(), wanted);
  return reinterpret_cast<const void*>(value(fitting.front().range.begin));
}

const void* virtual_function(const std::type_info& type, std::ptrdiff_t offset) {
  constexpr std::size_t address_point = 2 * sizeof(void*);  // behind offset-to-top and type_info
  symbols::Program program = symbols::Program::of_this_process();
  std::optional<std::uintptr_t> vtable = program.find_data(std::string("_ZTV") + type.name());
  std::string class_name = type_name(type);
  if (!vtable)
    throw Error(ErrorCode::not_found,
                class_name +
                    ": it has no vtable with a symbol; define one of its virtual functions outside of "
                    "the class, or construct an object of it");
  std::uintptr_t function = 0;
  std::memcpy(&function, reinterpret_cast<const void*>(*vtable + address_point + static_cast<std::size_t>(offset)),
              sizeof function);
  std::optional<FunctionSymbol> symbol = program.at(CodeAddress{function});
  if (symbol && symbol->mangled == "__cxa_pure_virtual")
    throw Error(ErrorCode::not_found, class_name + ": that virtual function is pure; name a class that defines it");
  return reinterpret_cast<const void*>(function);
}

}  // namespace detail
}  // namespace moult
