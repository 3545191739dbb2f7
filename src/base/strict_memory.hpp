// Threads in which the libraries that read ELF and DWARF files must not go on without memory (elf/reader_memory.hpp).
#pragma once

namespace moult::internal {

/// While one lives in a thread, an allocation by libelf or libdw that fails there throws std::bad_alloc. Moult's own
/// threads have one for their life; a thread of the program has one while it carries out an update.
class StrictMemory final {
 public:
  StrictMemory() noexcept { ++depth(); }
  ~StrictMemory() { --depth(); }
  StrictMemory(const StrictMemory&) = delete;
  StrictMemory& operator=(const StrictMemory&) = delete;

  static bool is_on() noexcept { return depth() > 0; }

 private:
  static int& depth() noexcept;
};

}  // namespace moult::internal
