#include "commands.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

namespace moult::internal::cli {
namespace {

constexpr double shortest = 0.001;
constexpr double longest = 86400;

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

// Each returns the objection to a text; empty when it is valid.

/// "nan" is a number, and lies in every range of CLI11.
std::string objection_to_seconds(const std::string& text) {
  const std::optional<double> seconds = parse_number<double>(text);
  if (seconds && *seconds >= shortest && *seconds <= longest) return {};
  return "takes seconds, from 0.001 to 86400 (a day), not \"" + text + "\"";
}

std::string objection_to_count(const std::string& text) {
  return parse_number<std::uint64_t>(text) ? "" : "takes a whole number from 0 on, not \"" + text + "\"";
}

std::string objection_to_name(const std::string& text) { return text.empty() ? "must not be empty" : ""; }

}  // namespace

void add_common(CLI::App& command, Common& common, double timeout) {
  common.timeout = timeout;
  command.add_flag("--json", common.json, "Machine-readable output");
  command.add_option("--timeout", common.timeout, "Give up after that many seconds")
      ->check(CLI::Validator(objection_to_seconds, ""))
      ->capture_default_str();
}

void add_target(CLI::App& command, Aimed& aimed) {
  command.add_option("TARGET", aimed.target, "A pid, or the name of a program that runs once")
      ->required()
      ->check(a_name());
}

void add_compile_options(CLI::App& command, CompileOptions& options) {
  command.add_option("-p,--build-dir", options.build_dir, "Where compile_commands.json is");
  command.add_flag("-v,--verbose", options.verbose, "Show the compiler's command");
  command.add_flag("--force", options.force,
                   "Go on though it was built for another build of the program, or with headers changed since");
}

CLI::Validator a_count() { return {objection_to_count, ""}; }
CLI::Validator a_name() { return {objection_to_name, ""}; }

}  // namespace moult::internal::cli
