// A patch of a program's sources: found in their tree, and applied to copies of them.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/client.hpp"

namespace moult::internal::cli {

/// What a unified diff changes in one tree: the files by their places, and their patched copies. Without a copy: the
/// patch removes the file.
using PatchedFiles = std::map<std::filesystem::path, std::filesystem::path>;

/// The names of files in a unified diff.
struct PatchNames {
  std::set<std::string> all{};  ///< as they are written: old and new ones, and those of renamed files
  /// Old and new names begin with different folders (a/ and b/), so the first part of a name is none of the tree's.
  bool has_prefixes = false;
};
PatchNames names_in_patch(std::string_view text);

/// Where the names of a patch begin.
struct PatchPlace {
  std::filesystem::path folder;
  int strip = 1;  ///< as patch's option -p

  friend bool operator==(const PatchPlace&, const PatchPlace&) = default;
};

/// The folders in which names of the patch lead to files of `sources`, with the first part of the name left out (-p1)
/// or not (-p0). Of several, those where the longest name fits.
std::vector<PatchPlace> places_of_patch(const PatchNames& names, const std::set<std::filesystem::path>& sources);

class SourcePatch final {
 public:
  /// `sources` are the files that `program` is compiled from, links resolved. The tool `patch` is given until
  /// `deadline` to change the copies, which come into `scratch`; the tree is only read. Throws CommandFailure: usage:
  /// it is no unified diff, names no source of the program, does not apply exactly, or applies at several places;
  /// postponed.
  SourcePatch(const std::string& file, const std::string& program, const std::set<std::filesystem::path>& sources,
              std::filesystem::path scratch, Deadline deadline);

  /// The file's name without its folder.
  const std::string& name() const noexcept { return name_; }
  /// Of its text, in hex.
  const std::string& sha256() const noexcept { return sha256_; }
  /// A private copy of the patch.
  const std::filesystem::path& text() const noexcept { return text_; }
  const PatchedFiles& files() const noexcept { return files_; }

 private:
  struct Attempt {
    PatchPlace place;
    bool is_success = false;
    std::string output{};  ///< what patch said
    PatchedFiles files{};

    std::set<std::filesystem::path> originals() const;
  };
  Attempt the_fitting(const std::vector<PatchPlace>& places);
  Attempt apply(const PatchPlace& place, bool is_reverse = false);
  PatchedFiles changes_in(const std::filesystem::path& copies, const PatchPlace& place) const;
  [[noreturn]] void throw_not_applied(const Attempt& best);

  std::string name_;
  std::string sha256_;
  std::filesystem::path scratch_;
  std::filesystem::path text_;
  Deadline deadline_;
  PatchNames names_;
  std::size_t attempts_ = 0;
  PatchedFiles files_;
};

}  // namespace moult::internal::cli
