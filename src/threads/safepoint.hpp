// Where a thread may be stopped.
//
// While the program is stopped an update allocates, loads code and writes to stdio. A thread stopped while it holds a
// lock that any of these needs would deadlock it. So a stop is granted only when no stopped thread
// - has a call on its stack of malloc and its kin, of the dynamic loader, of fork, of pthread_create or of setuid;
// - has a call of pthread_join on its stack, unless it waits there: then it holds no lock;
// - has a call of stdio on its stack, unless it waits there for input: then it holds that one stream's lock only;
// - has only libc and allocators on its stack, as a thread that is just starting or ending does, unless it waits in an
//   exported function of libc, and not for a lock;
// - is in a library that is an allocator (runtime_code.hpp), unless it waits in an exported function of libc;
// - holds a lock of moult itself (base/guarded.hpp);
// and no function-local static variable is being initialised, which its guard variable shows.
//
// Where a thread waits for memory that is filled in this very stop, nobody can lead it out of what it is in, nor those
// who wait for a lock that it holds; there only calls of malloc and its kin count, which everybody needs.
//
// The functions are known by their exported names, looked up in every loaded module, so that a replaced malloc counts
// too, and where they are entered by a jump from it, which leaves no frame (tail_jumps.hpp). glibc's internal
// allocation functions are not exported; they lie between the exported ones or have one of those above them on the
// stack. Beyond a frame without unwind information every word that a call may return to counts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.hpp"
#include "platform/stop_signal.hpp"
#include "threads/runtime_code.hpp"
#include "unwind/unwind_table.hpp"

namespace moult::internal {

/// Why a thread cannot be left where it is.
struct UnsafeStop {
  const char* what = nullptr;  ///< "allocates memory"
  CodeAddress at{};            ///< the call that shows it; 0 when none does
};

/// What nobody can lead a thread out of before the stop is over, in which memory is filled (MemoryFilledInStop).
enum class Waiting {
  no,
  for_memory,  ///< it is about to use that memory
  for_lock,    ///< it may be waiting for one that such a thread holds
};

class Safepoints final {
 public:
  /// For the modules that are loaded now; made anew only when these have changed. Reads files and allocates.
  static std::shared_ptr<const Safepoints> current();

  /// Nothing when the stopped thread of `slot` may stay where it is. Neither allocates nor takes a lock.
  std::optional<UnsafeStop> judge(const StopSlot& slot, RowCache& rows, const std::vector<CodeRange>& keep_out,
                                  Waiting waiting = Waiting::no) const noexcept;

  /// Where a thread comes out of all calls of the allocator and stdio that it is in; nothing where that cannot be told,
  /// or it is in other calls that are unsafe. Neither allocates nor takes a lock.
  std::optional<Destination> way_out(const StopSlot& slot, RowCache& rows) const noexcept;

  /// A static variable that is being initialised by some thread, by its guard's name; null when there is none.
  const char* static_in_initialisation() const noexcept;

 private:
  Safepoints();
  void add_module_functions();
  void add_allocation(const class DynamicSymbols& symbols, CodeRange module);
  void add_allocator(const class DynamicSymbols& allocator, CodeRange range);
  void add_libc(const class DynamicSymbols& libc, CodeRange range);
  void add_guards();
  void sort();

  enum class Kind : std::uint8_t { allocation, loader, creation, joining, stdio };
  static std::optional<Kind> kind_of(std::string_view libc_name) noexcept;
  struct UnsafeCode {
    CodeRange range;
    Kind kind;
  };
  const UnsafeCode* unsafe_code_at(CodeAddress address) const noexcept;

  std::vector<UnsafeCode> unsafe_code_;  ///< sorted, not overlapping
  RuntimeCode runtime_;
  struct Guard {
    std::uintptr_t address;
    std::string name;
  };
  std::vector<Guard> guards_;
};

}  // namespace moult::internal
