// The tool `patch` does the work, on copies of the files that the patch names: whatever it does, the tree stays as it
// is. Where the names begin is found by the program's own sources. The update may go to programs that nobody watches,
// so a hunk must fit exactly, though it may have moved.
#include "source_patch.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "compiler_run.hpp"
#include "console.hpp"
#include "failure.hpp"
#include "file_content.hpp"
#include "target.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_patch(ErrorCode code, const std::string& message) {
  throw CommandFailure(ExitCode::usage, code, message);
}

/// git writes "a/gr\303\266\303\237e.cpp" for names that are not plain ASCII.
std::string unquoted(std::string_view text) {
  std::string name;
  for (std::size_t at = 1; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      name += text[at];
      continue;
    }
    const bool is_octal = text[at + 1] >= '0' && text[at + 1] <= '3' && at + 3 < text.size();
    if (is_octal)
      name += static_cast<char>((text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0'));
    if (!is_octal) name += text[at + 1] == 't' ? '\t' : text[at + 1] == 'n' ? '\n' : text[at + 1];
    at += is_octal ? 3 : 1;
  }
  return name;
}

/// The name without `count` leading parts; empty if patch would not take it.
fs::path stripped(std::string_view name, int count) {
  for (int i = 0; i < count; ++i) {
    const std::size_t slash = name.find('/');
    if (slash == std::string_view::npos) return {};
    name.remove_prefix(std::min(name.find_first_not_of('/', slash), name.size()));
  }
  const fs::path path(name);
  const bool is_outside = path.is_absolute() || std::ranges::find(path, "..") != path.end();
  return is_outside ? fs::path() : path.lexically_normal();
}

/// The folder from which `inside` leads to `file`; empty if none does.
fs::path folder_before(const fs::path& file, const fs::path& inside) {
  const std::string ending = "/" + inside.string();
  const std::string& whole = file.native();
  if (inside.empty() || !whole.ends_with(ending)) return {};
  return whole.size() == ending.size() ? fs::path("/") : fs::path(whole.substr(0, whole.size() - ending.size()));
}

/// Without the time that may follow; empty for /dev/null.
std::string name_in(std::string_view text) {
  text = text.substr(0, text.find('\t'));
  if (text == "/dev/null") return {};
  return text.starts_with('"') ? unquoted(text) : std::string(text);
}

/// True for a/x and b/x.
bool differ_at_once(const std::string& old_name, const std::string& new_name) {
  const std::size_t slash = old_name.find('/');
  const bool are_inside = slash != std::string::npos && new_name.find('/') != std::string::npos;
  return are_inside && old_name.substr(0, slash) != new_name.substr(0, new_name.find('/'));
}

std::string shown(const std::set<std::string>& names) {
  constexpr std::size_t most = 3;
  std::vector<std::string> first;
  for (const std::string& each : names)
    if (first.size() < most) first.push_back(each);
  return join(first) + (names.size() > most ? ", ..." : "");
}

/// "patching file a.cpp; Hunk #1 FAILED at 3."
std::string in_one_line(const std::string& output) {
  std::string line;
  for (const char each : output) line += each == '\n' ? "; " : std::string(1, each);
  while (line.ends_with("; ")) line.resize(line.size() - 2);
  return line;
}

CommandResult run_tool(const std::vector<std::string>& arguments, const fs::path& folder, Deadline deadline) {
  CommandResult result;
  try {
    result = run_for_output(arguments, folder.string(), folder / "output", deadline);
  } catch (const CommandFailure&) {
    fail_to_patch(ErrorCode::system,
                  arguments.front() + ": cannot be run; install it (patch and coreutils are packages of Debian)");
  }
  if (!result.is_in_time)
    throw CommandFailure(ExitCode::postponed, ErrorCode::timed_out,
                         arguments.front() + " did not end in time; give it longer with --timeout");
  return result;
}

}  // namespace

PatchNames names_in_patch(std::string_view text) {
  PatchNames names;
  std::string old_name;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    for (const std::string_view before : {"--- ", "+++ ", "rename from ", "copy from "}) {
      if (!line.starts_with(before)) continue;
      const std::string name = name_in(line.substr(before.size()));
      if (before == "+++ " && !name.empty() && !old_name.empty()) names.has_prefixes |= differ_at_once(old_name, name);
      if (before == "--- ") old_name = name;
      if (!name.empty()) names.all.insert(name);
    }
  }
  return names;
}

std::vector<PatchPlace> places_of_patch(const PatchNames& names, const std::set<fs::path>& sources) {
  std::vector<PatchPlace> places;
  std::ptrdiff_t longest = 0;
  for (const std::string& name : names.all)
    for (int strip = names.has_prefixes ? 1 : 0; strip <= 1; ++strip) {
      const fs::path inside = stripped(name, strip);
      const std::ptrdiff_t length = std::distance(inside.begin(), inside.end());
      for (const fs::path& each : sources) {
        const fs::path folder = folder_before(each, inside);
        if (folder.empty() || length < longest) continue;
        if (length > longest) places.clear();
        longest = length;
        const PatchPlace place{folder, strip};
        if (std::ranges::find(places, place) == places.end()) places.push_back(place);
      }
    }
  return places;
}

SourcePatch::SourcePatch(const std::string& file, const std::string& program, const std::set<fs::path>& sources,
                         fs::path scratch, Deadline deadline)
    : name_(base_name(file)), scratch_(std::move(scratch)), text_(scratch_ / "text"), deadline_(deadline) {
  fs::create_directories(scratch_);
  // Once, since it may be a pipe. What is applied is what the update will carry.
  std::ofstream(text_, std::ios::binary) << content_of(file);
  names_ = names_in_patch(content_of(text_));
  if (names_.all.empty())
    fail_to_patch(ErrorCode::invalid_argument,
                  file + ": is no unified diff (it has no lines with --- and +++); make it with git diff or diff -u");
  const std::vector<PatchPlace> places = places_of_patch(names_, sources);
  if (places.empty())
    fail_to_patch(ErrorCode::not_found, file + ": names no source of " + program + ", but " + shown(names_.all) +
                                            "; give a patch of files that the program is compiled from");
  run_tool({"patch", "--version"}, scratch_, deadline_);  // it is there
  files_ = the_fitting(places).files;
  sha256_ = run_tool({"sha256sum", text_.filename().string()}, scratch_, deadline_).output.substr(0, 64);
}

/// Of several places, the current folder is meant.
SourcePatch::Attempt SourcePatch::the_fitting(const std::vector<PatchPlace>& places) {
  std::vector<Attempt> fitting;
  std::optional<Attempt> failed;
  for (const PatchPlace& place : places) {
    Attempt attempt = apply(place);
    if (attempt.is_success && place.folder == fs::current_path()) return attempt;
    const bool is_new = std::ranges::find(fitting, attempt.originals(), &Attempt::originals) == fitting.end();
    if (!attempt.is_success)
      failed = std::move(attempt);
    else if (is_new)
      fitting.push_back(std::move(attempt));
  }
  if (fitting.empty()) throw_not_applied(*failed);
  if (fitting.size() > 1)
    fail_to_patch(ErrorCode::ambiguous, name_ + ": applies in " + fitting[0].place.folder.string() + " and in " +
                                            fitting[1].place.folder.string() +
                                            "; run the command in the one that is meant");
  return fitting.front();
}

std::set<fs::path> SourcePatch::Attempt::originals() const {
  std::set<fs::path> places;
  for (const auto& [original, copy] : files) places.insert(original);
  return places;
}

/// Changes copies of what the patch names in `place`.
SourcePatch::Attempt SourcePatch::apply(const PatchPlace& place, bool is_reverse) {
  const fs::path copies = scratch_ / std::to_string(attempts_++);
  fs::create_directories(copies);
  for (const std::string& name : names_.all)
    for (int strip = 0; strip <= place.strip; ++strip) {  // git's "rename from" has no leading a/
      const fs::path inside = stripped(name, strip);
      std::error_code error;
      if (inside.empty() || !fs::is_regular_file(place.folder / inside, error)) continue;
      fs::create_directories((copies / inside).parent_path());
      fs::copy_file(place.folder / inside, copies / inside, fs::copy_options::overwrite_existing);
      fs::permissions(copies / inside, fs::perms::owner_write, fs::perm_options::add);
    }
  // A script of ed in the file, which patch would run whatever it is asked for, finds no ed.
  std::vector<std::string> arguments{"sh",
                                     "-c",
                                     "tool=$(command -v patch); PATH=/dev/null exec \"$tool\" \"$@\"",
                                     "patch",
                                     "--unified",
                                     "--force",  // asks nothing
                                     "--fuzz=0",
                                     "--no-backup-if-mismatch",
                                     "--reject-file=-",
                                     "--strip=" + std::to_string(place.strip),
                                     "--directory=" + copies.string(),
                                     "--input=" + text_.string()};
  if (is_reverse) arguments.emplace_back("--reverse");
  CommandResult result = run_tool(arguments, scratch_, deadline_);
  Attempt attempt{place, result.is_success, std::move(result.output)};
  if (attempt.is_success) attempt.files = changes_in(copies, place);
  attempt.is_success = attempt.is_success && !attempt.files.empty();
  return attempt;
}

PatchedFiles SourcePatch::changes_in(const fs::path& copies, const PatchPlace& place) const {
  PatchedFiles changes;
  for (const std::string& name : names_.all)
    for (int strip = 0; strip <= place.strip; ++strip) {
      const fs::path inside = stripped(name, strip);
      std::error_code error;
      const bool was_there = !inside.empty() && fs::is_regular_file(place.folder / inside, error);
      if (was_there && !fs::exists(copies / inside)) changes[fs::canonical(place.folder / inside)] = fs::path();
    }
  for (const fs::directory_entry& each : fs::recursive_directory_iterator(copies)) {
    if (!each.is_regular_file() || each.is_symlink()) continue;
    const fs::path original = fs::weakly_canonical(place.folder / each.path().lexically_relative(copies));
    if (!fs::exists(original) || content_of(original) != content_of(each.path())) changes[original] = each.path();
  }
  return changes;
}

void SourcePatch::throw_not_applied(const Attempt& best) {
  const bool is_there = apply(best.place, true).is_success;
  fail_to_patch(ErrorCode::invalid_argument,
                name_ + ": does not apply to the sources in " + best.place.folder.string() + ": " +
                    in_one_line(best.output) +
                    (is_there ? "; it is in them already: leave out --patch" : "; make it for these sources"));
}

}  // namespace moult::internal::cli
