// compile_commands.json, written by any build system.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "compilation_database.hpp"
#include "moult/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace moult::internal::cli;
  std::istringstream text(std::string(data, data + size));
  try {
    const std::vector<CompileCommand> commands = parse_compilation_database(text, "compile_commands.json");
    for (const CompileCommand& command : commands) flags_for_update(command);
    choose_command(commands, "/build/server", {});
  } catch (const moult::Error&) {
  }
  return 0;
}
