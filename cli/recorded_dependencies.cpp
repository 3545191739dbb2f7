// make keeps the dependency file that the compiler wrote: the one that is named (-MF), or one beside the object.
// CMake's database leaves that option out for make. ninja reads it into a database of its own, .ninja_deps, and deletes
// it; `ninja -t deps` prints the database, of all objects at once.
#include "recorded_dependencies.hpp"

#include <fcntl.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/fd.hpp"
#include "changed_headers.hpp"
#include "compiler_run.hpp"
#include "failure.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The first that is there; empty if there is none.
fs::path dependency_file_of(const CompileCommand& command) {
  const fs::path folder = command.directory;
  const std::string object = object_of(command);
  const std::string named = named_dependency_file(command);
  std::vector<fs::path> candidates;
  if (!named.empty()) candidates.push_back(folder / named);
  if (!object.empty())
    candidates.insert(candidates.end(), {folder / (object + ".d"), (folder / object).replace_extension(".d")});
  std::error_code ignored;
  const auto found = std::ranges::find_if(candidates, [&](const fs::path& each) { return fs::exists(each, ignored); });
  return found == candidates.end() ? fs::path() : *found;
}

}  // namespace

DependenciesByObject parse_ninja_dependencies(std::string_view text) {
  DependenciesByObject dependencies;
  std::vector<std::string>* current = nullptr;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t end = line.find(": #deps ");
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == 0 && end != std::string_view::npos)
      // One that was rebuilt since with other headers is stale: the next build reads them anew.
      current = line.ends_with("(VALID)") ? &dependencies[std::string(line.substr(0, end))] : nullptr;
    else if (begin != std::string_view::npos && begin > 0 && current != nullptr)
      current->emplace_back(line.substr(begin));
  }
  return dependencies;
}

RecordedDependencies::RecordedDependencies(fs::path scratch, Deadline deadline)
    : scratch_(std::move(scratch)), deadline_(deadline) {}

std::optional<std::vector<std::string>> RecordedDependencies::of(const CompileCommand& command) {
  const fs::path file = dependency_file_of(command);
  if (!file.empty()) return prerequisites(content_of(file));
  const DependenciesByObject& ninjas = ninjas_of(command.directory);
  const auto found = ninjas.find(object_of(command));
  return found == ninjas.end() ? std::nullopt : std::optional(found->second);
}

const DependenciesByObject& RecordedDependencies::ninjas_of(const std::string& directory) {
  const auto [found, is_new] = by_directory_.try_emplace(directory);
  std::error_code ignored;
  if (!is_new || !fs::exists(fs::path(directory) / ".ninja_deps", ignored)) return found->second;
  const fs::path output = scratch_ / "ninja";
  const Fd file(::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  try {
    if (file && run_compiler({"ninja", "-t", "deps"}, directory, file.get(), deadline_) == true)
      found->second = parse_ninja_dependencies(content_of(output));
  } catch (const CommandFailure&) {
    // Without ninja there is no record.
  }
  return found->second;
}

}  // namespace moult::internal::cli
