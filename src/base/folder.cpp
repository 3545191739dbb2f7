#include "base/folder.hpp"

#include <dirent.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>
#include <string_view>

namespace moult::internal {
namespace {

struct Close {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

}  // namespace

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, Close> open(::opendir(folder.c_str()));
  if (!open && errno == ENOMEM) throw std::bad_alloc();
  if (!open) return names;
  while (const dirent* const entry = ::readdir(open.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

void remove_folder(const std::filesystem::path& folder) {
  for (const std::string& name : names_in(folder)) {
    const std::filesystem::path inner = folder / name;
    if (::unlink(inner.c_str()) != 0 && errno == EISDIR) remove_folder(inner);
  }
  ::rmdir(folder.c_str());
}

}  // namespace moult::internal
