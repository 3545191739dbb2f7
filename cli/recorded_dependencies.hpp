// The source and the headers that each object of a program was compiled from, as its build has written them down.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compilation_database.hpp"
#include "protocol/client.hpp"

namespace moult::internal::cli {

/// By the object's name as the build knows it.
using DependenciesByObject = std::map<std::string, std::vector<std::string>, std::less<>>;

/// Parses what `ninja -t deps` prints.
DependenciesByObject parse_ninja_dependencies(std::string_view text);

/// Safe in any thread.
class RecordedDependencies final {
 public:
  /// `scratch` is a folder to write to. ninja is given until `deadline`.
  RecordedDependencies(std::filesystem::path scratch, Deadline deadline);

  /// As written, relative to the command's folder; with those of its precompiled header. Nothing if the build has left
  /// no record.
  std::optional<std::vector<std::string>> of(const CompileCommand& command);

 private:
  std::optional<std::vector<std::string>> of(const std::string& folder, const std::string& object,
                                             const std::string& named);
  const DependenciesByObject& ninjas_of(const std::string& directory);

  std::mutex one_at_a_time_;
  std::filesystem::path scratch_;
  Deadline deadline_;
  std::map<std::string, DependenciesByObject> by_directory_;
};

}  // namespace moult::internal::cli
