#include "diagnostics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace moult::internal::cli {
namespace {

constexpr std::array<std::string_view, 4> severities{"fatal error", "error", "warning", "note"};

/// Takes a number with a colon before it off the end of "update.cpp:3:16". 0 if there is none.
int take_number(std::string_view& place) {
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == place.size()) return 0;
  int number = 0;
  const char* const end = place.data() + place.size();
  const auto [stopped, error] = std::from_chars(place.data() + colon + 1, end, number);
  if (error != std::errc() || stopped != end || number <= 0) return 0;
  place = place.substr(0, colon);
  return number;
}

Diagnostic diagnostic_at(std::string_view place, const std::filesystem::path& directory) {
  Diagnostic diagnostic;
  const int last = take_number(place);
  const int first = take_number(place);
  diagnostic.line = first != 0 ? first : last;
  diagnostic.column = first != 0 ? last : 0;
  // Without a line it is the name of a program: "cc1plus: error: unknown option".
  if (diagnostic.line != 0) diagnostic.file = (directory / place).lexically_normal().string();
  return diagnostic;
}

std::optional<Diagnostic> parse_line(std::string_view line, const std::filesystem::path& directory) {
  for (const std::string_view severity : severities) {
    const std::string mark = ": " + std::string(severity) + ": ";
    const std::size_t at = line.find(mark);
    if (at == std::string_view::npos) continue;
    Diagnostic diagnostic = diagnostic_at(line.substr(0, at), directory);
    diagnostic.severity = severity;
    diagnostic.text = line.substr(at + mark.size());
    return diagnostic;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Diagnostic> parse_diagnostics(std::string_view output, const std::filesystem::path& directory) {
  std::vector<Diagnostic> diagnostics;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    if (std::optional<Diagnostic> diagnostic = parse_line(output.substr(0, end), directory))
      diagnostics.push_back(std::move(*diagnostic));
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  return diagnostics;
}

std::string with_diagnostics(const std::string& reply, const std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) return reply;
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(reply);
  for (const Diagnostic& each : diagnostics) {
    nlohmann::ordered_json one = {{"severity", each.severity}};
    if (!each.file.empty()) one.update({{"file", each.file}, {"line", each.line}});
    if (each.column != 0) one["column"] = each.column;
    one["text"] = each.text;
    json["error"]["diagnostics"].push_back(std::move(one));
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace moult::internal::cli
