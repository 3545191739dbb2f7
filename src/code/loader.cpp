// Why a copy: the sender's next compilation overwrites the file, under the code that runs from it; and the dynamic
// linker takes the same path for the same library. A file with a name of its own can be sent again under the old path,
// is exactly what was checked, and is there for gdb and perf to read.
//
// How: the file is opened once, its owner is judged by that descriptor, its bytes are copied to a file nobody else may
// write, and everything else (notes, dlopen) looks at the copy.
//
// Limits: a folder mounted noexec cannot hold the copy. What a static constructor of the update throws goes through the
// dynamic linker, which ends the process; work belongs into the entry.
#include "code/loader.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/fault.hpp"
#include "base/fd.hpp"
#include "moult/error.hpp"
#include "moult/load.hpp"
#include "symbols/program.hpp"
#include "symbols/update_notes.hpp"

namespace moult::code {
namespace {

[[noreturn]] void fail(ErrorCode code, const std::string& path, const std::string& why) {
  throw Error(code, path + ": " + why);
}

struct stat look_at(const Fd& file, const std::string& path) {
  struct stat status;
  if (::fstat(file.get(), &status) != 0)
    fail(ErrorCode::unreadable, path, std::string("cannot be looked at: ") + std::strerror(errno));
  return status;
}

/// What is loaded runs as this user: nobody else may have written it.
void check_owner(const struct stat& status, const std::string& path) {
  if (!S_ISREG(status.st_mode)) fail(ErrorCode::permission_denied, path, "is no regular file; send a shared object");
  if (status.st_uid != ::geteuid() && status.st_uid != 0)
    fail(ErrorCode::permission_denied, path,
         "belongs to user " + std::to_string(status.st_uid) + ", and this program runs as " +
             std::to_string(::geteuid()) + "; chown it, or copy it as this user");
  if ((status.st_mode & S_IWOTH) != 0)
    fail(ErrorCode::permission_denied, path, "may be written by everybody; chmod o-w it, its content checked");
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != ::getegid())
    fail(ErrorCode::permission_denied, path, "may be written by another group; chmod g-w it, its content checked");
}

Fd open_update(const std::string& path) {
  // Without O_NONBLOCK a named pipe would hold the caller up.
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) {
    ErrorCode code = errno == EACCES || errno == EPERM ? ErrorCode::permission_denied : ErrorCode::unreadable;
    fail(code, path, std::string("cannot be opened: ") + std::strerror(errno));
  }
  check_owner(look_at(file, path), path);
  return file;
}

/// A file that is removed again unless it is kept.
class PrivateCopy final {
 public:
  PrivateCopy(const Fd& source, const std::string& path, const std::string& folder);
  ~PrivateCopy() {
    if (!is_kept_) ::unlink(name_.c_str());
  }
  PrivateCopy(const PrivateCopy&) = delete;
  PrivateCopy& operator=(const PrivateCopy&) = delete;

  const std::string& name() const noexcept { return name_; }
  void keep() noexcept { is_kept_ = true; }

 private:
  Fd create(const std::string& path, const std::string& folder);
  void fill(const Fd& source, const std::string& path);
  void append(const char* bytes, std::size_t size);

  std::string name_;
  Fd file_;
  bool is_kept_ = false;
};

PrivateCopy::PrivateCopy(const Fd& source, const std::string& path, const std::string& folder)
    : file_(create(path, folder)) {
  try {
    fill(source, path);
  } catch (...) {
    ::unlink(name_.c_str());
    throw;
  }
  file_.reset();
}

Fd PrivateCopy::create(const std::string& path, const std::string& folder) {
  name_ = folder + "/" + std::filesystem::path(path).stem().string() + "-XXXXXX.so";
  Fd file(::mkostemps(name_.data(), 3, O_CLOEXEC));
  if (file) return file;
  bool is_full = errno == ENOSPC || errno == EDQUOT;
  fail(is_full ? ErrorCode::no_room : ErrorCode::system, folder,
       "a copy of " + path + " cannot be made there: " + std::strerror(errno) +
           "; give this user a folder that can be written, with room in it");
}

void PrivateCopy::fill(const Fd& source, const std::string& path) {
  MOULT_FAULT("code.loader.copy");
  struct stat before = look_at(source, path);
  std::array<char, 65536> buffer;
  off_t copied = 0;
  for (;;) {
    ssize_t got = ::read(source.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::unreadable, path, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) break;
    append(buffer.data(), static_cast<std::size_t>(got));
    copied += got;
  }
  struct stat after = look_at(source, path);
  bool is_still = before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
                  before.st_mtim.tv_nsec == after.st_mtim.tv_nsec;
  if (copied != after.st_size || !is_still)
    fail(ErrorCode::unreadable, path, "was written to while it was read; send it again when it is complete");
}

void PrivateCopy::append(const char* bytes, std::size_t size) {
  while (size > 0) {
    ssize_t written = ::write(file_.get(), bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
      fail(is_full ? ErrorCode::no_room : ErrorCode::system, name_,
           std::string("the copy of the update cannot be written: ") + std::strerror(errno) +
               (is_full ? "; make room there and send it again" : ""));
    }
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// The notes, complaints about them in terms of the file that was sent.
symbols::UpdateNotes notes_of(const std::string& path, const std::string& copy) {
  try {
    return symbols::read_update_notes(copy);
  } catch (const Error& error) {
    throw Error(error.code(), replaced(error.what(), copy, path));
  }
}

void check_abi(const std::string& path, const symbols::UpdateNotes& notes) {
  if (notes.abi == MOULT_ABI_VERSION) return;
  std::string built = notes.abi ? "with version " + std::to_string(*notes.abi) : "without moult's note";
  fail(ErrorCode::abi_mismatch, path,
       "was built " + built + " of moult's binary interface, and the program has version " +
           std::to_string(MOULT_ABI_VERSION) + "; build it against the moult that the program uses");
}

/// The warnings to be told.
std::vector<std::string> check_build_id(const std::string& path, const symbols::UpdateNotes& notes,
                                        const LoadOptions& options) {
  std::string running = options.program_build_id ? *options.program_build_id : symbols::build_id_of("/proc/self/exe");
  if (notes.target_build_id.empty())
    return {path +
            ": does not say for which build of the program it was made; build it with moult_update or moult apply"};
  if (running.empty())
    return {path + ": the running program has no build id to compare with; link it with -Wl,--build-id=sha1"};
  if (notes.target_build_id == running) return {};
  std::string difference =
      "was built for the program with build id " + notes.target_build_id + ", and the running one is " + running;
  if (options.force) return {path + ": " + difference + "; loaded all the same, as forced"};
  fail(ErrorCode::build_id_mismatch, path,
       difference + "; build it for the running program, or force it if you know that nothing it uses has changed");
}

[[noreturn]] void refuse_unlinked(const std::string& path, const std::string& copy, const std::string& why) {
  constexpr std::string_view marker = "undefined symbol: ";
  std::size_t at = why.find(marker);
  if (at != std::string::npos) {
    std::string symbol = why.substr(at + marker.size());
    symbol.resize(std::min(symbol.find_first_of(", \n"), symbol.size()));
    fail(ErrorCode::not_found, path,
         "uses " + symbols::demangle(symbol) +
             ", which the program does not show to libraries; link the program with moult_application (-rdynamic), and "
             "mind that static and hidden functions are found with moult::function only");
  }
  bool is_noexec = why.find("failed to map segment") != std::string::npos;
  fail(ErrorCode::not_an_update, path,
       "the dynamic linker refuses it: " + replaced(why, copy, path) +
           (is_noexec ? "; the folder of " + copy + " must not be mounted noexec" : std::string()));
}

void* open_library(const std::string& path, const std::string& copy) {
  MOULT_FAULT("code.loader.open");
  if (void* handle = ::dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL)) return handle;
  const char* why = ::dlerror();
  refuse_unlinked(path, copy, why != nullptr ? why : "unknown reason");
}

}  // namespace

LoadedUpdate load_update(const std::string& path, const LoadOptions& options) {
  Fd source = open_update(path);
  PrivateCopy copy(source, path, options.folder);
  symbols::UpdateNotes notes = notes_of(path, copy.name());
  check_abi(path, notes);
  std::vector<std::string> warnings = check_build_id(path, notes, options);
  void* handle = open_library(path, copy.name());
  void* entry = ::dlsym(handle, "moult_update_entry");
  if (entry == nullptr)
    fail(ErrorCode::not_an_update, path, "its moult_update_entry is hidden; write MOULT_UPDATE { ... }");
  copy.keep();
  return LoadedUpdate(copy.name(), std::move(warnings), reinterpret_cast<void (*)()>(entry));
}

}  // namespace moult::code
