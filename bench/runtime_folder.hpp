// A runtime folder for the sockets of measured programs, apart from others.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace bench {

/// Sets this process's XDG_RUNTIME_DIR, which its children inherit; the destructor removes the folder.
class RuntimeFolder final {
 public:
  RuntimeFolder() : path_(std::filesystem::temp_directory_path() / ("moult-bench-" + std::to_string(::getpid()))) {
    std::filesystem::create_directory(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
    ::setenv("XDG_RUNTIME_DIR", path_.c_str(), 1);
  }
  RuntimeFolder(const RuntimeFolder&) = delete;
  RuntimeFolder& operator=(const RuntimeFolder&) = delete;
  ~RuntimeFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace bench
