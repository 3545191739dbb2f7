#include "control/update_folder.hpp"

#include <unistd.h>

#include <system_error>

#include "protocol/leftovers.hpp"

namespace moult::internal {

namespace fs = std::filesystem;

UpdateFolder::UpdateFolder(const RuntimeSurroundings& surroundings) : maker_(::getpid()) {
  const fs::path runtime_folder = make_runtime_folder(surroundings);
  remove_leftovers(surroundings);
  path_ = runtime_folder / updates_name(maker_);
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

}  // namespace moult::internal
