// A folder for the sockets of programs that are measured, so that they do not meet others.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace bench {

/// This process's XDG_RUNTIME_DIR from here on, for its children; gone with the object.
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
