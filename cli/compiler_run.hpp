// Runs a compiler, and collects what it says.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "diagnostics.hpp"
#include "protocol/client.hpp"

namespace moult::internal::cli {

/// Runs the compiler in `directory`, with its messages going to `output`. True on success; nothing if it had not ended
/// by `deadline`, and was ended with its children. Needs a scratch folder. Throws CommandFailure (usage): it cannot be
/// run.
std::optional<bool> run_compiler(const std::vector<std::string>& arguments, const std::string& directory, int output,
                                 Deadline deadline);

struct CommandResult {
  bool is_success = false;
  bool is_in_time = true;
  std::string output{};  ///< both streams
};
/// Runs another tool likewise, with its output going to `file`.
CommandResult run_for_output(const std::vector<std::string>& arguments, const std::string& directory,
                             const std::filesystem::path& file, Deadline deadline);

/// Of all children from now on, by the environment: before threads are started that run compilers.
void use_english_messages();

/// Where the compiler's messages go: to standard error, by way of a file if they are wanted as values.
class CompilerMessages final {
 public:
  /// `private_root`, if given, is left out of the messages: the compiler reads copies below it (patched_tree.hpp).
  CompilerMessages(const std::filesystem::path& file, bool parse, std::string private_root = {});

  int output() const;
  /// Shows the messages, if they were collected.
  std::vector<Diagnostic> take(const std::string& directory) const;

 private:
  std::filesystem::path path_;
  std::string private_root_;
  Fd file_;
};

}  // namespace moult::internal::cli
