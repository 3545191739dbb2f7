// Problem: an included file is searched beside the file that includes it, by the name under which that was read. No
// option of g++ puts a patched header in front of the one that lies there. The tree must not be touched, and a mount
// namespace is refused in many containers.
//
// Approach: below a private root lies the same tree of folders. The folders that hold sources are real ones, so that
// "../a.hpp" leads from one to the other. All else is a link to the original: each file, and each folder without a
// source. Patched files are copies. The command runs in the private folder, and its absolute names get the root in
// front. -ffile-prefix-map takes it out again: __FILE__, assert and debug information name the original places.
// A generated source may include others by absolute names (CMake's unity builds and precompiled headers do). It becomes
// a copy with the root in these names.
//
// Limits: an absolute name that a macro makes, or a search path in the environment, leads to the tree itself. The
// compiler lists what it has read, and if the original of a patched file is among it, the update is refused.
// clang writes names of lambdas with their place into __PRETTY_FUNCTION__ as they are (source_comparison.cpp refuses).
#include "patched_tree.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <system_error>

#include "failure.hpp"
#include "file_content.hpp"
#include "program_sources.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 12> before_paths{"-I",
                                                        "-isystem",
                                                        "-iquote",
                                                        "-idirafter",
                                                        "-include",
                                                        "-imacros",
                                                        "-isysroot",
                                                        "--sysroot=",
                                                        "-B",
                                                        "-ffile-prefix-map=",
                                                        "-fmacro-prefix-map=",
                                                        "-fdebug-prefix-map="};

/// With response files in place of their names.
std::vector<std::string> expanded(const CompileCommand& command) {
  std::vector<std::string> arguments;
  for (const std::string& each : command.arguments) {
    std::error_code error;
    const fs::path file = fs::path(command.directory) / (each.starts_with('@') ? each.substr(1) : "");
    if (!each.starts_with('@') || !fs::is_regular_file(file, error)) {
      arguments.push_back(each);
      continue;
    }
    const std::vector<std::string> more = split_command(content_of(file));
    arguments.insert(arguments.end(), more.begin(), more.end());
  }
  return arguments;
}

/// The absolute path in the argument: itself, or behind an option; empty if it has none.
std::string path_in(const std::string& argument) {
  if (argument.starts_with('/')) return argument;
  for (const std::string_view option : before_paths)
    if (argument.starts_with(option) && argument.substr(option.size()).starts_with('/'))
      return argument.substr(option.size(), argument.find('=', option.size()) - option.size());
  return {};
}

}  // namespace

PatchedTree::PatchedTree(const fs::path& root, const PatchedFiles& patched, const std::set<fs::path>& sources,
                         const std::vector<const CompileCommand*>& commands)
    : root_(fs::canonical(root)), patched_(patched) {
  for (const auto& [original, copy] : patched_) {
    if (!copy.empty()) copies_.emplace(fs::canonical(copy), original);
    fs::path folder = original.parent_path();
    while (!fs::is_directory(folder)) folder = folder.parent_path();  // the patch may bring folders, too
    add_folder(folder);
  }
  for (const fs::path& each : sources) add_folder(each.parent_path());
  for (const CompileCommand* const each : commands) add_command(*each);
  for (const fs::path& each : folders_) fs::create_directories(root_ / each.relative_path());
  for (const fs::path& each : folders_) link_folder(each);
  for (const auto& [copy, original] : copies_) {
    const fs::path place = root_ / original.relative_path();
    fs::create_directories(place.parent_path());
    fs::create_symlink(copy, place);
  }
  std::set<fs::path> texts = sources;
  for (const auto& [original, copy] : patched_) texts.insert(original);
  for (const CompileCommand* const each : commands)
    for (const std::string& argument : each->arguments)
      if (argument.starts_with('/')) texts.insert(fs::weakly_canonical(argument));
  for (const fs::path& each : texts) rewrite(each);
}

/// The folder, and those above it.
void PatchedTree::add_folder(fs::path folder) {
  while (folders_.insert(folder).second && folder.has_relative_path()) folder = folder.parent_path();
}

/// The folders that the path leads through: a link on the way becomes one in the view.
void PatchedTree::add_path(const fs::path& path) {
  fs::path place = "/";
  for (const fs::path& part : path.relative_path()) {
    std::error_code error;
    const fs::path next = part == ".." ? place.parent_path() : part == "." || part.empty() ? place : place / part;
    if (fs::is_symlink(next, error)) add_folder(place);
    place = fs::weakly_canonical(next, error);
    if (error) return;
  }
  std::error_code error;
  if (fs::exists(place, error)) add_folder(fs::is_directory(place, error) ? place : place.parent_path());
}

void PatchedTree::add_command(const CompileCommand& command) {
  add_path(command.directory);
  for (const std::string& argument : expanded(command)) {
    const std::string path = path_in(argument);
    if (!path.empty() && !path.starts_with("/usr/")) add_path(path);
  }
}

/// What lies in the folder, but for the folders that are real here and the patched files.
void PatchedTree::link_folder(const fs::path& folder) const {
  std::error_code error;
  for (const fs::directory_entry& each : fs::directory_iterator(folder, error)) {
    const fs::path& place = each.path();
    if (folders_.contains(place) || place.extension() == ".gch") continue;
    const fs::path target = each.is_symlink(error) ? fs::weakly_canonical(place, error) : place;
    if (patched_.contains(place) || error) continue;
    const bool is_in_view = target != place && (folders_.contains(target) || folders_.contains(target.parent_path()));
    const fs::path from = root_ / place.relative_path();
    fs::create_symlink(is_in_view ? root_ / target.relative_path() : target, from, error);
  }
}

/// True if the view has the file or folder in a folder of its own. Nothing lies in the root alone.
bool PatchedTree::shows(const fs::path& path) const {
  std::error_code error;
  fs::path place = fs::weakly_canonical(path, error);
  while (place.parent_path().has_relative_path()) place = place.parent_path();
  return place.has_relative_path() && folders_.contains(place);
}

/// Makes a source that includes files of the view by absolute names lead to them in the view.
void PatchedTree::rewrite(const fs::path& source) const {
  std::error_code error;
  const fs::path place = root_ / source.relative_path();
  if (!fs::is_regular_file(place, error) || !folders_.contains(source.parent_path())) return;
  const std::string text = content_of(place);
  const std::string changed =
      with_moved_includes(text, root_.string(), [this](const fs::path& path) { return shows(path); });
  if (changed == text) return;
  fs::remove(place);
  std::ofstream(place, std::ios::binary) << changed;
}

std::string PatchedTree::moved(const std::string& argument) const {
  const std::string path = path_in(argument);
  if (path.empty() || !shows(path)) return argument;
  const std::size_t at = argument.find('/');
  return argument.substr(0, at) + root_.string() + argument.substr(at);
}

CompileCommand PatchedTree::in_view(const CompileCommand& command) const {
  CompileCommand result{root_.string() + command.directory, root_.string() + command.file, command.output, {}};
  const std::vector<std::string> arguments = expanded(command);
  const auto compiler = std::ranges::find(arguments, flags_for_update(command).compiler);  // perhaps behind a launcher
  if (compiler == arguments.end()) return result;
  result.arguments.assign(arguments.begin(), std::next(compiler));
  // In front of the command's own options of that kind: of several, the last one that fits is taken.
  result.arguments.push_back("-ffile-prefix-map=" + root_.string() + "=");
  bool is_definition = false;
  for (auto each = std::next(compiler); each != arguments.end(); ++each) {
    result.arguments.push_back(is_definition ? *each : moved(*each));
    is_definition = *each == "-D" || *each == "-U";
  }
  return result;
}

void PatchedTree::note_read(const std::vector<std::string>& files, const CompileCommand& command) {
  const fs::path folder = root_.string() + command.directory;
  for (const std::string& each : files) {
    std::error_code error;
    const fs::path place = fs::canonical(folder / each, error);
    if (error) continue;
    if (patched_.contains(place))
      throw CommandFailure(ExitCode::refused, ErrorCode::unsupported,
                           command.file + ": reads " + place.string() +
                               " of the tree itself, by an absolute name or a link, and not with the patch; apply the "
                               "patch to the tree, and leave out --patch");
    if (const auto copy = copies_.find(place); copy != copies_.end()) read_.insert(copy->second);
    const fs::path inside = place.lexically_relative(root_);  // a copy that was rewritten
    if (!inside.empty() && *inside.begin() != "..") read_.insert(fs::path("/") / inside);
  }
}

std::vector<std::string> PatchedTree::unread() const {
  std::vector<std::string> unread;
  for (const auto& [original, copy] : patched_)
    if (!copy.empty() && !read_.contains(original)) unread.push_back(original.string());
  return unread;
}

}  // namespace moult::internal::cli
