// Whether the headers of an update are those that the running program was compiled with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace moult::internal::cli {

/// The prerequisites of the target in a make rule, as compilers write it (-MD).
std::vector<std::string> prerequisites(const std::string& rule);
/// Of the rule in the file.
std::vector<std::string> prerequisites_in(const std::filesystem::path& rule);

/// The prerequisites of the rule in the file `rule`, relative to `folder`, that were written later than `program`,
/// except for `own`. Limit: a file rewritten with the same content counts too; one with its time set back does not.
std::vector<std::string> changed_since(const std::filesystem::path& program, const std::filesystem::path& rule,
                                       const std::filesystem::path& folder,
                                       const std::vector<std::filesystem::path>& own);

/// Those of `files`, relative to `folder`, that were written later than `program`. The same limit.
std::vector<std::string> changed_since(const std::filesystem::path& program, const std::vector<std::string>& files,
                                       const std::filesystem::path& folder);

}  // namespace moult::internal::cli
