// Whether an update is compiled against the headers that the running program was compiled with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace moult::internal::cli {

/// The files that a rule of make, as compilers write it (-MD), makes its target depend on.
std::vector<std::string> prerequisites(const std::string& rule);

/// Those of the rule in the file `rule`, seen from `folder`, that were written later than `program`, but for `own`.
/// Limit: a file that was written anew as it was counts too; one that was given an old time does not.
std::vector<std::string> changed_since(const std::filesystem::path& program, const std::filesystem::path& rule,
                                       const std::filesystem::path& folder,
                                       const std::vector<std::filesystem::path>& own);

}  // namespace moult::internal::cli
