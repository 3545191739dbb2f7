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

}  // namespace

bool is_number(std::string_view type) {
  constexpr std::array<std::string_view, 8> words = {"bool", "char",   "short",    "int",
                                                     "long", "signed", "unsigned", "wchar_t"};
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return type == word || (type.starts_with(word) && type[word.size()] == ' ');
  });
}

std::optional<ArgumentPlaces> argument_places(const Program& program, const FunctionSymbol& function) {
  const std::optional<std::size_t> module = program.module_at(function.range.begin);
  const ModuleSymbols* const symbols = module ? program.symbols_of(*module) : nullptr;
  const bool is_described = symbols != nullptr && symbols->has_own_debug_info();
  std::optional<std::string> parameters = is_described ? program.parameter_types(function) : std::nullopt;
  if (!parameters) {
    const std::size_t name = qualified_name(function.demangled).size();
    if (name >= function.demangled.size()) return std::nullopt;
    parameters = function.demangled.substr(name);
  }
  ArgumentPlaces arguments;
  const std::optional<bool> takes_object = is_described ? program.takes_object(function) : std::nullopt;
  const auto add_number = [&] {
    if (arguments.numbers.size() < argument_registers.size())
      arguments.numbers.push_back(general_register(argument_registers[arguments.numbers.size()]));
  };
  if (takes_object.value_or(true)) add_number();
  for (const std::string_view type : types_in(*parameters)) {
    if (type.ends_with('*') || type.ends_with('&') || is_number(type)) {
      add_number();
    } else if (type == "float" || type == "double") {
      if (arguments.vectors.size() < vector_arguments)
        arguments.vectors.push_back(vector_register(static_cast<unsigned>(arguments.vectors.size())));
    } else {
      return std::nullopt;
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
