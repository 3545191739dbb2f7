// Loads an update's file into the process.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace moult::internal {

struct LoadOptions {
  /// The folder of the private copy; it must exist and belong to this user alone.
  std::string folder;
  /// Accept an update that was built for another build of the program, with a warning.
  bool force = false;
  /// The build id to compare with, in hex; by default that of the running program's file.
  std::optional<std::string> program_build_id{};
};

/// An update in memory. Its code stays to the process's end.
class LoadedUpdate final {
 public:
  /// The file that the linker, gdb and perf see.
  const std::string& library() const noexcept { return library_; }
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

  const void* entry_address() const noexcept { return reinterpret_cast<const void*>(entry_); }

  /// Runs the update's entry function in this thread, and throws what it throws.
  void run() const { entry_(); }

 private:
  friend LoadedUpdate load_update(const std::string& path, const LoadOptions& options);
  LoadedUpdate(std::string library, std::vector<std::string> warnings, void (*entry)())
      : library_(std::move(library)), warnings_(std::move(warnings)), entry_(entry) {}

  std::string library_;
  std::vector<std::string> warnings_;
  void (*entry_)();
};

/// Checks, copies and loads the shared object at `path`. From any thread; the update's static constructors run in it.
/// Throws Error, naming the file, and leaves no copy behind:
/// unreadable: there is no such file, it is cut short, its checksum is another, or it was written to while it was read
/// permission_denied: it may not be read, or another user may have written it (base/trusted_file.hpp)
/// not_an_update: it is no shared object, has no MOULT_UPDATE entry, its structure is damaged, or the dynamic linker
///   refused it
/// unsupported: it is larger than an update may be, or has variables of its own that should be the program's
/// not_found: it uses a function or a variable that the program does not have
/// ambiguous: it is linked with a static function or variable that several source files of the program have
/// abi_mismatch: it was built with another version of moult; never forced
/// build_id_mismatch: it was built for another build of the program
/// no_room: disk or quota is full
/// system: anything else
LoadedUpdate load_update(const std::string& path, const LoadOptions& options);

}  // namespace moult::internal
