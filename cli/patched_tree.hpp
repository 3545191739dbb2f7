// A private view of the folders that a program is compiled in, with a patch applied.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compilation_database.hpp"
#include "source_patch.hpp"

namespace moult::internal::cli {

class PatchedTree final {
 public:
  /// Makes the view below `root`, an empty folder. `sources` are the files that the commands read, links resolved, and
  /// are in the view with their whole folders, as all that `commands` name.
  PatchedTree(const std::filesystem::path& root, const PatchedFiles& patched,
              const std::set<std::filesystem::path>& sources, const std::vector<const CompileCommand*>& commands);

  const std::filesystem::path& root() const noexcept { return root_; }
  /// The command that compiles the patched source, to the code and debug information of the names in the tree itself.
  /// It uses no precompiled header of g++.
  CompileCommand in_view(const CompileCommand& command) const;
  /// What a compilation in the view has read, as the compiler names it. Throws CommandFailure (refused): it has read
  /// the tree's own version of a patched file.
  void note_read(const std::vector<std::string>& files, const CompileCommand& command);
  /// The patched files that no compilation has read, by their places in the tree.
  std::vector<std::string> unread() const;

 private:
  void add_path(const std::filesystem::path& path);
  void add_folder(std::filesystem::path folder);
  void add_command(const CompileCommand& command);
  void link_folder(const std::filesystem::path& folder) const;
  void rewrite(const std::filesystem::path& source) const;
  bool shows(const std::filesystem::path& path) const;
  std::string moved(const std::string& argument) const;

  std::filesystem::path root_;
  const PatchedFiles& patched_;
  std::set<std::filesystem::path> folders_;                        ///< real ones in the view, with those above them
  std::map<std::filesystem::path, std::filesystem::path> copies_;  ///< patched copies, and their places in the tree
  std::set<std::filesystem::path> read_;                           ///< of the patched files, likewise
};

/// The text, with `root` before each absolute name in an #include for which `is_in_view` holds.
template <class IsInView>
std::string with_moved_includes(std::string_view text, const std::string& root, IsInView&& is_in_view) {
  std::string result;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
    text.remove_prefix(line.size());
    const std::size_t hash = line.find_first_not_of(" \t");
    const std::size_t open = line.find_first_of("\"<");
    const bool is_include = hash != std::string_view::npos && line[hash] == '#' && open != std::string_view::npos &&
                            line.substr(0, open).find("include") != std::string_view::npos;
    const std::size_t end = is_include ? line.find(line[open] == '<' ? '>' : '"', open + 1) : std::string_view::npos;
    const bool is_absolute = end != std::string_view::npos && line[open + 1] == '/';
    if (is_absolute && is_in_view(std::filesystem::path(line.substr(open + 1, end - open - 1))))
      result.append(line.substr(0, open + 1)).append(root).append(line.substr(open + 1));
    else
      result.append(line);
  }
  return result;
}

}  // namespace moult::internal::cli
