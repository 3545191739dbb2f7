#include "commands.hpp"

#include <algorithm>
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

void add_common(CLI::App& command, Common& common, double timeout, const std::string& what_timeout_is) {
  common.timeout = timeout;
  command.add_flag("--json", common.json, "Machine-readable output");
  command.add_option("--timeout", common.timeout, what_timeout_is)
      ->check(CLI::Validator(objection_to_seconds, ""))
      ->capture_default_str();
}

Deadline deadline_of(const Common& common) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(common.timeout));
}

std::chrono::milliseconds time_left(Deadline deadline) {
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()),
                  std::chrono::milliseconds(0));
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
