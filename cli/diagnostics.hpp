// A compiler's messages as values, for programs that call the command with --json.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace moult::internal::cli {

struct Diagnostic {
  std::string severity;  ///< "error", "fatal error", "warning" or "note"
  std::string file;      ///< absolute; empty if the message is about no file
  int line = 0;          ///< 0 without a place, like the column
  int column = 0;
  std::string text;
};

/// The messages of g++ or clang, in English and without colours, that ran in `directory`: of lines such as
/// "update.cpp:3:16: error: expected ';'". Leaves out all other lines, such as the quoted source.
std::vector<Diagnostic> parse_diagnostics(std::string_view output, const std::filesystem::path& directory);

/// The line of a failed reply with `diagnostics` in its `error`. Unchanged if there are none.
std::string with_diagnostics(const std::string& reply, const std::vector<Diagnostic>& diagnostics);

}  // namespace moult::internal::cli
