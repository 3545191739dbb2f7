#include "functions/arguments.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "symbols/module_symbols.hpp"
#include "symbols/name_query.hpp"

namespace moult::internal {
namespace {

/// Splits "(int, f<a, b>)" at the commas outside of all brackets.
std::vector<std::string_view> types_in(std::string_view parameters) {
  std::vector<std::string_view> types;
  int depth = 0;
  std::size_t begin = 1;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const char c = parameters[i];
    if (c == '(' || c == '<' || c == '[') ++depth;
    if (c == ')' || c == '>' || c == ']') --depth;
    if ((depth == 1 && c == ',') || (depth == 0 && c == ')')) {
      std::string_view type = parameters.substr(begin, i - begin);
      type.remove_prefix(std::min(type.find_first_not_of(' '), type.size()));
      if (!type.empty()) types.push_back(type);
      begin = i + 1;
    }
    if (depth == 0) break;
  }
  return types;
}

bool is_number(std::string_view type) {
  constexpr std::array<std::string_view, 8> words = {"bool", "char",   "short",    "int",
                                                     "long", "signed", "unsigned", "wchar_t"};
  if (type == "long double" || type == "unsigned __int128") return false;
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return type == word || (type.starts_with(word) && type[word.size()] == ' ');
  });
}

Passing passing_by_name(std::string_view type) {
  if (type.ends_with('*') || type.ends_with('&') || is_number(type)) return Passing::number;
  return type == "float" || type == "double" ? Passing::vector : Passing::unknown;
}

/// What a C++ function's name tells of it.
std::optional<Signature> signature_by_name(const FunctionSymbol& function) {
  const std::size_t name = qualified_name(function.demangled).size();
  if (name >= function.demangled.size()) return std::nullopt;
  const std::string parameters = function.demangled.substr(name);
  Signature signature;
  signature.result = Passing::unknown;
  signature.takes_object = true;
  signature.parameters.push_back({"this", Passing::number});
  for (const std::string_view type : types_in(parameters)) signature.parameters.push_back({"", passing_by_name(type)});
  return signature;
}

std::optional<Signature> signature_of(const Program& program, const FunctionSymbol& function) {
  const std::optional<std::size_t> module = program.module_at(function.range.begin);
  const ModuleSymbols* const symbols = module ? program.symbols_of(*module) : nullptr;
  const bool is_described = symbols != nullptr && symbols->has_own_debug_info();
  const std::optional<Signature> described = is_described ? program.signature(function) : std::nullopt;
  return described ? described : signature_by_name(function);
}

}  // namespace

std::optional<ArgumentPlaces> argument_places(const Program& program, const FunctionSymbol& function) {
  const std::optional<Signature> signature = signature_of(program, function);
  if (!signature || signature->is_variadic) return std::nullopt;
  ArgumentPlaces arguments;
  const auto add_number = [&] {
    if (arguments.numbers.size() < argument_registers.size())
      arguments.numbers.push_back(general_register(argument_registers[arguments.numbers.size()]));
  };
  if (signature->result == Passing::unknown) add_number();
  for (const Parameter& parameter : signature->parameters) {
    if (parameter.passing == Passing::unknown) return std::nullopt;
    if (parameter.passing == Passing::number) {
      add_number();
    } else if (arguments.vectors.size() < vector_arguments) {
      arguments.vectors.push_back(vector_register(static_cast<unsigned>(arguments.vectors.size())));
    }
  }
  return arguments;
}

RegisterSet all_of(const ArgumentPlaces& places) {
  RegisterSet all = 0;
  for (const RegisterSet each : places.numbers) all |= each;
  for (const RegisterSet each : places.vectors) all |= each;
  return all;
}

}  // namespace moult::internal
