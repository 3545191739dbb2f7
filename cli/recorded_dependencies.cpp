// make keeps the dependency file that the compiler wrote: the one that is named (-MF), or one beside the object.
// CMake's database leaves that option out for make. ninja reads it into a database of its own, .ninja_deps, and deletes
// it; `ninja -t deps` prints the database, of all objects at once.
//
// A compiler that reads a precompiled header names that, and not the headers inside: these are in the record of the
// precompiled header itself.
#include "recorded_dependencies.hpp"

#include <algorithm>
#include <utility>

#include "changed_headers.hpp"
#include "compiler_run.hpp"
#include "failure.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

/// The first that is there; empty if there is none.
fs::path dependency_file_of(const fs::path& folder, const std::string& object, const std::string& named) {
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
  const std::lock_guard lock(one_at_a_time_);
  std::optional<std::vector<std::string>> files =
      of(command.directory, object_of(command), named_dependency_file(command));
  const fs::path precompiled = precompiled_header_of(command);
  if (!files || precompiled.empty()) return files;
  const fs::path inside = precompiled.lexically_relative(fs::path(command.directory).lexically_normal());
  const bool is_inside = !inside.empty() && *inside.begin() != "..";
  const auto headers = of(command.directory, (is_inside ? inside : precompiled).string(), "");
  if (!headers) return std::nullopt;
  files->insert(files->end(), headers->begin(), headers->end());
  return files;
}

std::optional<std::vector<std::string>> RecordedDependencies::of(const std::string& folder, const std::string& object,
                                                                 const std::string& named) {
  const fs::path file = dependency_file_of(folder, object, named);
  if (!file.empty()) return prerequisites_in(file);
  const DependenciesByObject& ninjas = ninjas_of(folder);
  const auto found = ninjas.find(object);
  return found == ninjas.end() ? std::nullopt : std::optional(found->second);
}

const DependenciesByObject& RecordedDependencies::ninjas_of(const std::string& directory) {
  const auto [found, is_new] = by_directory_.try_emplace(directory);
  std::error_code ignored;
  if (!is_new || !fs::exists(fs::path(directory) / ".ninja_deps", ignored)) return found->second;
  try {
    const CommandResult result = run_for_output({"ninja", "-t", "deps"}, directory, scratch_ / "ninja", deadline_);
    if (result.is_success) found->second = parse_ninja_dependencies(result.output);
  } catch (const CommandFailure&) {
    // Without ninja there is no record.
  }
  return found->second;
}

}  // namespace moult::internal::cli
