// Safepoints: where a thread may be stopped.
//
// Why: while the program is stopped an update allocates, loads code and writes to stdio. A stopped thread that holds a
// lock which any of these needs would deadlock the update.
//
// How: a stop is granted only if no function-local static variable is being initialised, as its guard variable shows,
// and no stopped thread
// - has a call of malloc and similar functions, the dynamic loader, fork, pthread_create or setuid on its stack;
// - has a call of pthread_join on its stack, unless it waits there: then it holds no lock;
// - has a call of stdio on its stack, unless it waits there for input: then it holds only that stream's lock;
// - has only libc and allocators on its stack, like a thread that is starting or ending, unless it waits in an exported
//   function of libc, and not for a lock;
// - is in a library that is an allocator (runtime_code.hpp), unless it waits in an exported function of libc;
// - holds a lock of moult itself (base/guarded.hpp).
//
// Some threads wait for memory that is filled in this very stop. They cannot be stepped out of their calls, and neither
// can threads that wait for a lock of theirs. For these only calls of malloc and similar functions count, because every
// update needs them.
//
// The functions are found by their exported names in every loaded module, so that a replaced malloc counts too.
// Functions that these enter by a jump, which leaves no frame, count as well (tail_jumps.hpp). glibc's internal
// allocation functions are not exported. They lie between the exported ones, or one of the above calls them. Beyond a
// frame without unwind information, every word that a call may return to counts.
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

/// Why a thread may not stay where it is stopped.
struct UnsafeStop {
  const char* what = nullptr;  ///< "allocates memory"
  CodeAddress at{};            ///< the call that shows it; 0 if there is none
};

/// A wait that cannot end before this stop has filled its memory (MemoryFilledInStop).
enum class Waiting {
  no,
  for_memory,  ///< the thread is about to use that memory
  for_lock,    ///< the thread may be waiting for a lock that such a thread holds
};

class Safepoints final {
 public:
  /// For the modules that are loaded now; rebuilt only after these have changed. Reads files and allocates.
  static std::shared_ptr<const Safepoints> current();

  /// Nothing if the stopped thread of `slot` may stay where it is. Neither allocates nor takes a lock.
  std::optional<UnsafeStop> judge(const StopSlot& slot, RowCache& rows, const std::vector<CodeRange>& keep_out,
                                  Waiting waiting = Waiting::no) const noexcept;

  /// Where a thread leaves all calls of the allocator and stdio that it is in. Nothing if that is not known, or if it
  /// is in other unsafe calls. Neither allocates nor takes a lock.
  std::optional<Destination> way_out(const StopSlot& slot, RowCache& rows) const noexcept;

  /// The guard's name of a static variable that a thread is initialising; null if there is none.
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
