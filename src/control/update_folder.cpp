#include "control/update_folder.hpp"

#include <unistd.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace moult::control {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".updates";

std::optional<int> maker_of(const std::string& name) {
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc() || std::string_view(end) != suffix) return std::nullopt;
  return pid;
}

void sweep(const fs::path& runtime_folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(runtime_folder, ignored)) {
    const std::optional<int> pid = maker_of(entry.path().filename().string());
    if (pid && !fs::exists("/proc/" + std::to_string(*pid), ignored)) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

UpdateFolder::UpdateFolder(const protocol::RuntimeSurroundings& surroundings) : maker_(::getpid()) {
  const fs::path runtime_folder = protocol::make_runtime_folder(surroundings);
  sweep(runtime_folder);
  path_ = runtime_folder / (std::to_string(maker_) + std::string(suffix));
  std::error_code error;
  fs::remove_all(path_, error);  // of an ended process of the same pid
  // The runtime folder is for this user alone, so there is no moment in which another could reach in.
  if (!fs::create_directory(path_, error))
    throw Error(ErrorCode::system, path_.string() + ": cannot be made: " + error.message());
  fs::permissions(path_, fs::perms::owner_all);
}

UpdateFolder::~UpdateFolder() {
  std::error_code ignored;
  if (maker_ == ::getpid()) fs::remove_all(path_, ignored);
}

}  // namespace moult::control
