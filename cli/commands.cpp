#include "commands.hpp"

namespace moult::cli {
void add_common(CLI::App& command, Common& common, double timeout) {
  common.timeout = timeout;
  command.add_flag("--json", common.json, "Machine-readable output");
  command.add_option("--timeout", common.timeout, "Give up after that many seconds")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
}

void add_target(CLI::App& command, Aimed& aimed) {
  command.add_option("TARGET", aimed.target, "A pid, or the name of a program that runs once")->required();
}

}  // namespace moult::cli
