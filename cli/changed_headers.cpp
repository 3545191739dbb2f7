#include "changed_headers.hpp"

#include <algorithm>
#include <utility>

#include "file_content.hpp"

namespace moult::internal::cli {

namespace fs = std::filesystem;

std::vector<std::string> prerequisites(const std::string& rule) {
  std::vector<std::string> files;
  std::string file;
  const std::size_t colon = rule.find(": ");
  for (std::size_t at = colon == std::string::npos ? rule.size() : colon + 1; at < rule.size(); ++at) {
    const char next = at + 1 < rule.size() ? rule[at + 1] : '\0';
    const bool is_escape = (rule[at] == '\\' && (next == ' ' || next == '#')) || (rule[at] == '$' && next == '$');
    const bool is_line_end = rule[at] == '\n' || (rule[at] == '\\' && next == '\n');
    if (is_escape) ++at;
    if (is_escape || (rule[at] != ' ' && !is_line_end))
      file += rule[at];
    else if (!file.empty())
      files.push_back(std::exchange(file, {}));
  }
  if (!file.empty()) files.push_back(file);
  return files;
}

std::vector<std::string> prerequisites_in(const fs::path& rule) { return prerequisites(content_of(rule)); }

std::vector<std::string> changed_since(const fs::path& program, const fs::path& rule, const fs::path& folder,
                                       const std::vector<fs::path>& own) {
  std::vector<std::string> changed = changed_since(program, prerequisites_in(rule), folder);
  std::erase_if(changed, [&](const std::string& file) { return std::ranges::find(own, folder / file) != own.end(); });
  return changed;
}

std::vector<std::string> changed_since(const fs::path& program, const std::vector<std::string>& files,
                                       const fs::path& folder) {
  std::error_code error;
  const fs::file_time_type built = fs::last_write_time(program, error);
  if (error) return {};
  std::vector<std::string> changed;
  for (const std::string& file : files) {
    const fs::file_time_type written = fs::last_write_time(folder / file, error);
    if (!error && written > built) changed.push_back(file);
  }
  return changed;
}

}  // namespace moult::internal::cli
