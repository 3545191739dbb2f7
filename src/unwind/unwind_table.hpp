// Call frame information: where the caller's registers are, for each address of code.
//
// Why: libunwind's own walk takes 0.5 microseconds or more for each frame. It may allocate, and it takes the loader's
// lock, so that a thread stopped inside dlopen would block it for ever.
//
// How: this reader does neither. It finds the module with glibc's _dl_find_object (lock-free, async-signal-safe) and
// the entry by binary search in .eh_frame_hdr, and runs the entry's program (DWARF 5, 6.4) into a Row. A stop keeps the
// rows that it has seen, because many threads wait at the same places; finding a row again costs a few nanoseconds. The
// tests compare with libunwind.
//
// Limits: unwind information that is registered at run time (__register_frame, as by JIT compilers) is not found.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.hpp"
#include "platform/x86_64/context.hpp"

namespace moult::internal {

/// How to get one register of the caller. Expressions are DWARF programs in the module's unwind section.
struct RegisterRule {
  enum class Kind : std::uint8_t {
    same,           ///< the register still holds the caller's value
    undefined,      ///< lost; if it is the return address: this is the outermost frame
    at_cfa,         ///< stored at CFA + offset
    is_cfa,         ///< CFA + offset itself
    in_register,    ///< in register number `offset`
    at_expression,  ///< stored at the address the expression gives
    is_expression,  ///< the expression's value
  };
  Kind kind = Kind::same;
  std::int32_t offset = 0;
  const std::uint8_t* expression = nullptr;  ///< its length (ULEB128) first
};

/// The rules at one address.
struct Row {
  std::uint8_t cfa_register = 0;
  bool is_signal_frame = false;
  std::int32_t cfa_offset = 0;
  const std::uint8_t* cfa_expression = nullptr;  ///< instead of register and offset
  std::array<RegisterRule, internal::register_count> registers{};
};

/// The code that one entry of the unwind table covers, usually a function or its cold part.
std::optional<CodeRange> unwind_entry_at(CodeAddress address) noexcept;

/// What an entry says about exceptions.
struct FrameHandling {
  CodeRange code;
  CodeAddress personality{};                      ///< the routine that decides; 0: nothing happens in such frames
  const std::uint8_t* exception_table = nullptr;  ///< the table that the routine reads; null: there is none
  bool is_signal_frame = false;
};

/// Nothing if there is no unwind information. Does not allocate and takes no lock.
std::optional<FrameHandling> frame_handling_at(CodeAddress address) noexcept;

/// Computes the row of `address`. Nothing if there is no unwind information or it is not understood. Does not allocate
/// and takes no lock.
bool find_row(CodeAddress address, Row& row) noexcept;

/// The form of nearly every row: the return address just below the CFA, and registers that calls preserve at the CFA
/// plus an offset. It fits a cache line: in a stop, the first walk consists of cache misses.
struct alignas(64) PlainRow {
  static constexpr std::array<Register, 6> preserved = {rbx, rbp, r12, r13, r14, r15};
  enum class State : std::uint8_t { empty, unknown, plain, other };

  CodeAddress address{};
  State state = State::empty;  ///< unknown: no unwind information; other: ask find_row
  std::uint8_t cfa_register = 0;
  std::int32_t cfa_offset = 0;
  std::array<std::int32_t, preserved.size()> offsets{};  ///< 0: the register still holds the caller's value
};

/// Plain rows by address, valid while the same modules are loaded. Without keep_for it remembers only the last row, for
/// a single walk in the running program.
class RowCache final {
 public:
  /// Forgets rows of an earlier set of modules. Allocates at the first call. Call it before any find.
  void keep_for(std::uint64_t module_generation);
  /// The result is never in state empty. Does not allocate.
  const PlainRow& find(CodeAddress address) noexcept;
  /// Brings the rows into the processor's caches, ahead of the walks of a stop.
  void prefetch() const noexcept {
    for (const PlainRow& row : rows_) __builtin_prefetch(&row);
  }

 private:
  static constexpr std::size_t capacity = 1024;
  std::vector<PlainRow> rows_;
  PlainRow only_;
  std::uint64_t generation_ = 0;
};

}  // namespace moult::internal
