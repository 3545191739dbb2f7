// Records of the code that modules hand to moult: which of it may still be called, and which serves one purpose only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace moult::internal {

enum class CodeUse : std::uint8_t {
  called_later,    ///< a method, a field's values, a visitor, a main function, a new version of a call, a pointer
  converter,       ///< the vtable of a converter: only the conversion of objects calls its functions
  transformer,     ///< the memory of a converter, which holds the addresses of functions that it calls
  waiting_update,  ///< the vtable of an update whose manager is going to call its steps
  ended_update,    ///< the same, when the manager calls no step of it again
};

/// Notes code in the process-wide list for as long as this object or a copy lives. Safe in any thread.
class CodeRecord final {
 public:
  CodeRecord() noexcept = default;
  /// `addresses`: functions, or anything else in the module that the code is in. Throws std::bad_alloc.
  CodeRecord(CodeUse use, std::vector<const void*> addresses);

  void set_use(CodeUse use) noexcept;
  /// The record stays in the list for good: the last call may end at any time.
  void keep() noexcept;

 private:
  class Entry;
  std::shared_ptr<Entry> entry_;
};

/// The record stays for good once the current stop ends. Undone within that stop, the change has led nothing to the
/// code, and the record goes with its owner. Outside of an update's stop it stays at once. Throws std::bad_alloc.
void keep_after_stop(CodeRecord record);

/// A callable that was handed over, with its record. The record goes last: destroying the callable runs code as well.
template <class Callable>
struct HandedOver {
  CodeRecord record{};
  Callable call{};
};

/// The vtable of an object that has one (Itanium C++ ABI, 2.4: it begins with that address).
inline const void* vtable_of(const void* object) noexcept { return *static_cast<const void* const*>(object); }

/// All addresses that are on record for that use.
std::vector<const void*> recorded_code(CodeUse use);

}  // namespace moult::internal
