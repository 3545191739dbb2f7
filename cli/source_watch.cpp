#include "source_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "failure.hpp"

namespace moult::internal::cli {
namespace {

namespace fs = std::filesystem;

/// A header that an edit includes for the first time is not among the program's files.
bool has_source_ending(const fs::path& name) {
  constexpr std::array<std::string_view, 14> endings{".c",  ".cc",  ".cpp", ".cxx", ".c++", ".C",   ".h",
                                                     ".hh", ".hpp", ".hxx", ".h++", ".inl", ".ipp", ".tpp"};
  return std::ranges::find(endings, name.extension().string()) != endings.end();
}

}  // namespace

SourceWatch::SourceWatch(const std::set<fs::path>& files)
    : events_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), files_(files) {
  std::set<fs::path> folders;
  for (const fs::path& each : files) folders.insert(each.parent_path());
  for (const fs::path& each : folders) {
    const int watch = ::inotify_add_watch(events_.get(), each.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO);
    if (watch >= 0) folders_.emplace(watch, each);
    if (watch < 0 && errno != ENOENT && errno != ENOTDIR && errno != EACCES)
      throw CommandFailure(
          ExitCode::usage, ErrorCode::system,
          each.string() + ": cannot be watched: " + std::strerror(errno) + "; raise fs.inotify.max_user_watches");
  }
  if (folders_.empty())
    throw CommandFailure(ExitCode::usage, ErrorCode::not_found,
                         "none of the folders of the program's sources exists here");
}

bool SourceWatch::is_source(int folder, const std::string& name) const {
  const auto found = folders_.find(folder);
  return has_source_ending(name) || (found != folders_.end() && files_.contains(found->second / name));
}

bool SourceWatch::read() {
  bool is_concerned = false;
  alignas(inotify_event) std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t size = ::read(events_.get(), buffer.data(), buffer.size());
    if (size <= 0) return is_concerned;
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(size);) {
      const auto* const event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) is_concerned = true;
      if (event->len > 0 && is_source(event->wd, event->name)) is_concerned = true;
    }
  }
}

}  // namespace moult::internal::cli
